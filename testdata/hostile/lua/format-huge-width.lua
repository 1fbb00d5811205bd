-- expect: error
-- in: process
-- A width of a billion.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        string.format("%999999999d", 1)
    end
    return 0
end

function timer_event(ns) end
