-- expect: memory_limit or instruction_limit
-- in: process
-- Forty megabytes out of one format.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("x"):rep(1000000)
        local f = ("%s"):rep(40) while true do f:format(s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s) end
    end
    return 0
end

function timer_event(ns) end
