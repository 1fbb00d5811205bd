-- expect: memory_limit or instruction_limit
-- in: process
-- Globals without end.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local i = 0 while true do i = i + 1 _G["g" .. i] = i end
    end
    return 0
end

function timer_event(ns) end
