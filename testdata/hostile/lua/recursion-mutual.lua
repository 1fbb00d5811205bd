-- expect: error stack overflow or memory_limit
-- in: process
-- Two functions with many variables.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local g local function f(a, b, c, d, e) local x, y, z = a, b, c return 1 + g(x, y, z, d, e) end g = function(...) return 1 + f(...) end f(1, 2, 3)
    end
    return 0
end

function timer_event(ns) end
