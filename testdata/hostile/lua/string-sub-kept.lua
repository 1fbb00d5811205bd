-- expect: memory_limit or instruction_limit
-- in: process
-- Pieces of a long string are kept.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("x"):rep(1000000)
        local t = {} for i = 1, 1e9 do t[i] = s:sub(1, 900000) end
    end
    return 0
end

function timer_event(ns) end
