-- expect: instruction_limit
-- in: process
-- A back reference compared at each place.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("a"):rep(20000) s:match("(a*)%1(a*)%2b")
    end
    return 0
end

function timer_event(ns) end
