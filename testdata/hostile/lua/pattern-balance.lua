-- expect: instruction_limit
-- in: process
-- %b from each of many places to the end.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("("):rep(100000) while true do s:find("%b()") end
    end
    return 0
end

function timer_event(ns) end
