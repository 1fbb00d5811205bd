-- expect: error interval is empty
-- in: process
-- An interval that is none.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        math.random(2, 1)
    end
    return 0
end

function timer_event(ns) end
