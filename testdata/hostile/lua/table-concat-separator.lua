-- expect: memory_limit
-- in: process
-- The separator is a megabyte.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("x"):rep(1000000)
        local t = {} for i = 1, 50 do t[i] = i end table.concat(t, s)
    end
    return 0
end

function timer_event(ns) end
