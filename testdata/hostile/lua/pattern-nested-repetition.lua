-- expect: instruction_limit
-- in: process
-- Thirty greedy repetitions of the same letter.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("a"):rep(30000) s:match(("a*"):rep(30) .. "b")
    end
    return 0
end

function timer_event(ns) end
