-- expect: error excessively sparse
-- in: process
-- An array of mostly holes.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} t[1e9] = 1 cjson.encode(t)
    end
    return 0
end

function timer_event(ns) end
