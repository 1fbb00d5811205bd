-- expect: instruction_limit
-- in: process
-- The metatable of all strings gets an endless __index.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        getmetatable("").__index = function() while true do end end local x = ("a").b
    end
    return 0
end

function timer_event(ns) end
