-- expect: memory_limit or instruction_limit
-- in: process
-- Wide fields of large numbers.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        while true do ("%99d%99d%99d%99.99f"):format(1, 2, 3, 1e308) end
    end
    return 0
end

function timer_event(ns) end
