-- expect: instruction_limit
-- in: process
-- A loop inside a metamethod.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = setmetatable({}, {__add = function() while true do end end}) return t + 1
    end
    return 0
end

function timer_event(ns) end
