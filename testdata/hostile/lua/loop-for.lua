-- expect: instruction_limit
-- in: process
-- A for of 1e308 steps.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        for i = 1, 1e308 do end
    end
    return 0
end

function timer_event(ns) end
