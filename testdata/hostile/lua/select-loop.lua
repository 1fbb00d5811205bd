-- expect: instruction_limit
-- in: process
-- select over thousands of arguments.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} for i = 1, 7000 do t[i] = i end while true do select("#", unpack(t)) end
    end
    return 0
end

function timer_event(ns) end
