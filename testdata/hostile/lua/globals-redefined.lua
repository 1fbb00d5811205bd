-- expect: ok
-- in: process
-- Functions of the library are replaced.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        type, pairs, next, error, tostring = nil, 1, "x", {}, print
    end
    return 0
end

function timer_event(ns) end
