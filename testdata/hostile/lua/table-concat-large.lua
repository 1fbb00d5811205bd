-- expect: memory_limit
-- in: process
-- A gigabyte out of references to one string.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("x"):rep(1000000)
        local t = {} for i = 1, 1000 do t[i] = s end table.concat(t)
    end
    return 0
end

function timer_event(ns) end
