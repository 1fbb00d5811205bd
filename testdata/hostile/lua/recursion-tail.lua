-- expect: instruction_limit
-- in: process
-- Tail calls take no room and never end.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local function f() return f() end f()
    end
    return 0
end

function timer_event(ns) end
