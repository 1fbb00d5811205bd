-- expect: memory_limit or instruction_limit or error stack overflow
-- in: process
-- Deep calls in many coroutines.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t, i = {}, 0 while true do i = i + 1 t[i] = coroutine.wrap(function() local function f(n) if n == 0 then coroutine.yield() end return 1 + f(n - 1) end f(5000) end) t[i]() end
    end
    return 0
end

function timer_event(ns) end
