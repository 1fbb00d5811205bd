-- expect: error too many captures
-- in: process
-- A million brackets, which a recursive matcher follows down its stack.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        ("x"):match(("("):rep(1000000))
    end
    return 0
end

function timer_event(ns) end
