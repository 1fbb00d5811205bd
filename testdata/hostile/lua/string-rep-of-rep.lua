-- expect: memory_limit or instruction_limit
-- in: process
-- Repeats what was repeated.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("x"):rep(1e5) while true do s = s:rep(10) end
    end
    return 0
end

function timer_event(ns) end
