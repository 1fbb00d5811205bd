-- expect: instruction_limit
-- in: process
-- A generic for whose function never ends it.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        for i in function() return 1 end do end
    end
    return 0
end

function timer_event(ns) end
