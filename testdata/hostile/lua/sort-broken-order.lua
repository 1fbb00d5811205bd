-- expect: instruction_limit
-- in: process
-- A comparator that always says yes.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} for i = 1, 1e4 do t[i] = i end while true do pcall(table.sort, t, function() return true end) end
    end
    return 0
end

function timer_event(ns) end
