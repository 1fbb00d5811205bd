-- expect: error invalid level
-- in: process
-- A level that is not there.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        getfenv(1000000)
    end
    return 0
end

function timer_event(ns) end
