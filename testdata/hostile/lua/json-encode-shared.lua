-- expect: memory_limit or instruction_limit or error output_limit
-- in: process
-- Sixty tables that hold each other twice: 2^60 elements of text.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} for i = 1, 60 do t = {t, t} end cjson.encode(t)
    end
    return 0
end

function timer_event(ns) end
