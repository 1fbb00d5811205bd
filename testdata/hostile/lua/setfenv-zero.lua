-- expect: ok
-- in: process
-- The environment of the thread.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        setfenv(0, {})
    end
    return 0
end

function timer_event(ns) end
