-- expect: instruction_limit
-- in: process
-- repeat.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        repeat until false
    end
    return 0
end

function timer_event(ns) end
