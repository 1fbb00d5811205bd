-- expect: error C stack overflow
-- in: process
-- __tostring calls tostring.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t t = setmetatable({}, {__tostring = function() return tostring(t) .. "x" end}) tostring(t)
    end
    return 0
end

function timer_event(ns) end
