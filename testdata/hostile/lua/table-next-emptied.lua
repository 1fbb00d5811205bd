-- expect: instruction_limit
-- in: process
-- next over twenty thousand keys that went.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} for i = 1, 20000 do t["k" .. i] = i end for i = 1, 20000 do t["k" .. i] = nil end while true do next(t) end
    end
    return 0
end

function timer_event(ns) end
