-- expect: instruction_limit
-- in: process
-- The same in gmatch.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("x"):rep(1000000)
        for _ in s:gmatch(".-b") do end
    end
    return 0
end

function timer_event(ns) end
