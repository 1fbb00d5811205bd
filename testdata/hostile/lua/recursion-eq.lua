-- expect: error stack overflow
-- in: process
-- __eq calls itself.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local m = {} m.__eq = function(a, b) return not (a == b) end local a, b = setmetatable({}, m), setmetatable({}, m) return a == b
    end
    return 0
end

function timer_event(ns) end
