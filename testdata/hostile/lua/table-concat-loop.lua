-- expect: instruction_limit
-- in: process
-- Ten thousand empty strings, again and again.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} for i = 1, 10000 do t[i] = "" end while true do table.concat(t) end
    end
    return 0
end

function timer_event(ns) end
