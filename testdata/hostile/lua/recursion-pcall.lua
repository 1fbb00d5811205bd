-- expect: error C stack overflow or instruction_limit
-- in: process
-- pcall in pcall in pcall.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local function f() return 1, pcall(f) end f()  error("C stack overflow was caught")
    end
    return 0
end

function timer_event(ns) end
