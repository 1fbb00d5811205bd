-- expect: error stack overflow
-- in: process
-- __call calls itself.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t t = setmetatable({}, {__call = function(self) return 1 + t() end}) t()
    end
    return 0
end

function timer_event(ns) end
