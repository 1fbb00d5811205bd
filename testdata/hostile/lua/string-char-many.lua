-- expect: memory_limit or instruction_limit
-- in: process
-- Thousands of arguments, again and again.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} for i = 1, 4000 do t[i] = 65 end while true do string.char(unpack(t)) end
    end
    return 0
end

function timer_event(ns) end
