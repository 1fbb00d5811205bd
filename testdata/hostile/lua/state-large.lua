-- expect: memory_limit or instruction_limit
-- in: process
-- A million globals in a table.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        big = {} for i = 1, 1e6 do big[i] = {i} end
    end
    return 0
end

function timer_event(ns) end
