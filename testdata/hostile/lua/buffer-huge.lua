-- expect: error rows
-- in: process
-- A circular buffer of gigabytes.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        circular_buffer.new(100000000, 200, 1)
    end
    return 0
end

function timer_event(ns) end
