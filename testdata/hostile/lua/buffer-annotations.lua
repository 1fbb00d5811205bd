-- expect: memory_limit or instruction_limit or error
-- in: process
-- Annotations without end.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local b, i = circular_buffer.new(1000, 1, 1), 0 while true do i = i + 1 b:annotate(i % 1000 * 1e9, 1, "info", ("x"):rep(1000)) end
    end
    return 0
end

function timer_event(ns) end
