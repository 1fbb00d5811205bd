-- expect: ok
-- in: process
-- One far index must not allocate what lies before it.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} t[67108863] = 1 t[2^53] = 2 t[-2^31] = 3
    end
    return 0
end

function timer_event(ns) end
