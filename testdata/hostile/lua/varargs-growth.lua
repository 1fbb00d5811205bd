-- expect: error stack overflow or memory_limit or instruction_limit
-- in: process
-- Each call passes one argument more.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local function f(...) return f(1, ...) end f()
    end
    return 0
end

function timer_event(ns) end
