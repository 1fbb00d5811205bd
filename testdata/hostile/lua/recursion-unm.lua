-- expect: error stack overflow
-- in: process
-- __unm calls itself.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local m = {} m.__unm = function(a) return -a + 1 end return -setmetatable({}, m)
    end
    return 0
end

function timer_event(ns) end
