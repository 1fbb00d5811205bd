-- expect: instruction_limit
-- in: process
-- Strings of numbers without end.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local i = 0 while true do i = i + 1 local s = tostring(i / 3) end
    end
    return 0
end

function timer_event(ns) end
