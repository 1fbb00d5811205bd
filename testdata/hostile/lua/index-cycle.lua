-- expect: error loop in gettable
-- in: process
-- Two tables name each other as __index.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local a, b = {}, {} setmetatable(a, {__index = b}) setmetatable(b, {__index = a}) return a.x
    end
    return 0
end

function timer_event(ns) end
