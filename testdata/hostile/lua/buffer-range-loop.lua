-- expect: memory_limit or instruction_limit
-- in: process
-- All cells of a buffer as tables, again and again.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local b = circular_buffer.new(10000, 1, 1) while true do b:get_range(1) end
    end
    return 0
end

function timer_event(ns) end
