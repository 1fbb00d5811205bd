-- expect: error loop in gettable
-- in: process
-- A table is its own metatable and __index.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} t.__index = t setmetatable(t, t) t.__index = setmetatable({}, {__index = t}) return t.x
    end
    return 0
end

function timer_event(ns) end
