-- expect: instruction_limit
-- in: process
-- Four nested lazy repetitions on 30 kB: n^4 steps.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("a"):rep(30000) s:match(".-.-.-.-b")
    end
    return 0
end

function timer_event(ns) end
