-- expect: error table index is NaN
-- in: process
-- NaN is no key.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} t[0/0] = 1
    end
    return 0
end

function timer_event(ns) end
