-- expect: error stack overflow
-- in: process
-- A call in a call in a call.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local function f() return 1 + f() end f()
    end
    return 0
end

function timer_event(ns) end
