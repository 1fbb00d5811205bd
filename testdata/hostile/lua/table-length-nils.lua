-- expect: instruction_limit
-- in: process
-- # of an array whose end was emptied.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} for i = 1, 30000 do t[i] = i end for i = 2, 29999 do t[i] = nil end while true do local n = #t end
    end
    return 0
end

function timer_event(ns) end
