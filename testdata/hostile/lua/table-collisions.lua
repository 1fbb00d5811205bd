-- expect: memory_limit or instruction_limit
-- in: process
-- Keys that differ only in bits that a bad hash function drops.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} for i = 1, 1e9 do t[i * 2^40] = i end
    end
    return 0
end

function timer_event(ns) end
