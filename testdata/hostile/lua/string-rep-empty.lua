-- expect: instruction_limit
-- in: process
-- Nothing, a great many times.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        while true do (""):rep(1e15) end
    end
    return 0
end

function timer_event(ns) end
