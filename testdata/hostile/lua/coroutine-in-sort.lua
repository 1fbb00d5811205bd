-- expect: error
-- in: process
-- A sort that is left in the middle, and kept.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t, i = {}, 0 while true do i = i + 1 t[i] = coroutine.wrap(function() table.sort({3, 2, 1}, function(a, b) coroutine.yield() return a < b end) end) t[i]() end
    end
    return 0
end

function timer_event(ns) end
