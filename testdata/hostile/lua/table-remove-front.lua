-- expect: instruction_limit
-- in: process
-- Each remove moves all.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} for i = 1, 50000 do t[i] = i end while true do table.remove(t, 1) table.insert(t, 1) end
    end
    return 0
end

function timer_event(ns) end
