-- expect: memory_limit or instruction_limit
-- in: process
-- Functions without end, each with variables of its own.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t, i = {}, 0 while true do i = i + 1 local a, b, c = i, i, i t[i] = function() return a + b + c end end
    end
    return 0
end

function timer_event(ns) end
