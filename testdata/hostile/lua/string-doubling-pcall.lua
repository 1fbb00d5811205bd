-- expect: memory_limit or instruction_limit
-- in: process
-- The same inside pcall, which must not survive the limit.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        while true do pcall(function() local s = "x" while true do s = s .. s end end) end
    end
    return 0
end

function timer_event(ns) end
