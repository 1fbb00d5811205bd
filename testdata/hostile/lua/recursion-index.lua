-- expect: error stack overflow
-- in: process
-- __index calls itself.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = setmetatable({}, {__index = function(t, k) return t[k + 1] + 1 end}) return t[1]
    end
    return 0
end

function timer_event(ns) end
