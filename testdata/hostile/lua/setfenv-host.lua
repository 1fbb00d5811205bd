-- expect: error cannot change environment
-- in: process
-- The environment of a function of the host.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        setfenv(print, {})
    end
    return 0
end

function timer_event(ns) end
