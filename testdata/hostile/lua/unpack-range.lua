-- expect: error too many results
-- in: process
-- A hundred million results.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        unpack({}, 1, 1e8)
    end
    return 0
end

function timer_event(ns) end
