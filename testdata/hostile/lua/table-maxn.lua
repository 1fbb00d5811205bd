-- expect: instruction_limit
-- in: process
-- maxn looks at all keys.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {a = 1} for i = 1, 5e4 do t[i] = i end while true do table.maxn(t) end
    end
    return 0
end

function timer_event(ns) end
