-- expect: error injection limit
-- in: process
-- More messages than allowed.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        inject_message({Type = "x"})
    end
    return 0
end

function timer_event(ns) end
