-- expect: memory_limit
-- in: process
-- One call asks for ten gigabytes.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        string.rep("x", 1e10)
    end
    return 0
end

function timer_event(ns) end
