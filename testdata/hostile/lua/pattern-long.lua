-- expect: error pattern too complex
-- in: process
-- A pattern of two megabytes that recurses once for each item.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        ("x"):rep(9000):match(("x?"):rep(1000000))
    end
    return 0
end

function timer_event(ns) end
