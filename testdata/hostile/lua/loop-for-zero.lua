-- expect: ok
-- in: process
-- A step of zero ends at once when the first number is below the limit.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        for i = 1, 2, 0 do end
    end
    return 0
end

function timer_event(ns) end
