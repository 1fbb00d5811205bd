-- expect: memory_limit or instruction_limit
-- in: process
-- The same, each with a stack in use.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t, i = {}, 0 while true do i = i + 1 t[i] = coroutine.wrap(function(...) coroutine.yield(...) end) t[i](1, 2, 3) end
    end
    return 0
end

function timer_event(ns) end
