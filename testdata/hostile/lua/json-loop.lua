-- expect: instruction_limit
-- in: process
-- A megabyte of spaces, again and again.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = "[" .. (" "):rep(1000000) .. "]" while true do cjson.decode(s) end
    end
    return 0
end

function timer_event(ns) end
