-- expect: instruction_limit
-- in: process
-- Long strings that differ only at their ends.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s, t = ("x"):rep(2000), {} for i = 1, 2000 do t[i] = s .. i end while true do table.sort(t) end
    end
    return 0
end

function timer_event(ns) end
