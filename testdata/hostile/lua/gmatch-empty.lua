-- expect: instruction_limit
-- in: process
-- Empty matches without end.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("x"):rep(1000000)
        while true do for _ in s:gmatch("") do end end
    end
    return 0
end

function timer_event(ns) end
