-- expect: error too long
-- in: process
-- A million results on the stack.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("x"):rep(1000000)
        s:byte(1, -1)
    end
    return 0
end

function timer_event(ns) end
