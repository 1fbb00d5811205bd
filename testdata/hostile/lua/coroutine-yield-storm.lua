-- expect: instruction_limit
-- in: process
-- yield and resume without end.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local w = coroutine.wrap(function() while true do coroutine.yield() end end) while true do w() end
    end
    return 0
end

function timer_event(ns) end
