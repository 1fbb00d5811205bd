-- expect: memory_limit or instruction_limit
-- in: process
-- Iterators are kept, each with its string.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("x"):rep(1000000)
        local t = {} while true do t[#t + 1] = s:gmatch("y") end
    end
    return 0
end

function timer_event(ns) end
