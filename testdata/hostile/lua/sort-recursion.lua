-- expect: error C stack overflow
-- in: process
-- A comparator that sorts.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local function f(a, b) table.sort({2, 1}, f) return a < b end table.sort({2, 1}, f)
    end
    return 0
end

function timer_event(ns) end
