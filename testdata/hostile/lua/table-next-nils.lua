-- expect: instruction_limit
-- in: process
-- next over an array of nils.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} for i = 1, 100000 do t[i] = 1 end for i = 1, 99999 do t[i] = nil end t.a = 1 while true do next(t) end
    end
    return 0
end

function timer_event(ns) end
