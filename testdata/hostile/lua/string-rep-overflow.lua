-- expect: memory_limit
-- in: process
-- The size of the result does not fit an integer.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        ("xy"):rep(2^62)
    end
    return 0
end

function timer_event(ns) end
