-- expect: instruction_limit
-- in: process
-- A hundred thousand numbers, again and again.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} for i = 1, 1e5 do t[i] = i * 7919 % 100003 end while true do table.sort(t) end
    end
    return 0
end

function timer_event(ns) end
