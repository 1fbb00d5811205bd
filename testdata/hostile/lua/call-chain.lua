-- expect: error
-- in: process
-- A table whose __call is a table whose __call is it.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local a, b = {}, {} setmetatable(a, {__call = b}) setmetatable(b, {__call = a}) a()
    end
    return 0
end

function timer_event(ns) end
