-- expect: ok
-- in: process
-- The environment is replaced by an empty one.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        setfenv(1, {})
    end
    return 0
end

function timer_event(ns) end
