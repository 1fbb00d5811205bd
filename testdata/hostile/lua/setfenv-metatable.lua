-- expect: instruction_limit
-- in: process
-- Each global is found by an endless function.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        setfenv(1, setmetatable({}, {__index = function() while true do end end})) return anything
    end
    return 0
end

function timer_event(ns) end
