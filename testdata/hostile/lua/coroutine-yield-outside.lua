-- expect: error yield
-- in: process
-- yield where there is no coroutine.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        coroutine.yield(1)
    end
    return 0
end

function timer_event(ns) end
