-- expect: instruction_limit
-- in: process
-- A step that is too small to change the number.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        for i = 2^53, 2^54, 0.1 do end
    end
    return 0
end

function timer_event(ns) end
