-- expect: instruction_limit
-- in: process
-- A megabyte of digits is read again and again.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("1"):rep(1000000) while true do tonumber(s) tonumber(s, 7) end
    end
    return 0
end

function timer_event(ns) end
