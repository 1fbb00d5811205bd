-- expect: error
-- in: process
-- A comparator that changes what is sorted.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} for i = 1, 1000 do t[i] = i end while true do table.sort(t, function(a, b) t[#t + 1] = nil t[1] = nil return a > b end) for i = 1, 1000 do t[i] = i end end
    end
    return 0
end

function timer_event(ns) end
