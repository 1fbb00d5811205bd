-- expect: error stack overflow
-- in: process
-- __newindex calls itself.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = setmetatable({}, {__newindex = function(t, k, v) t[k + 1] = v return 1 end}) t[1] = 1
    end
    return 0
end

function timer_event(ns) end
