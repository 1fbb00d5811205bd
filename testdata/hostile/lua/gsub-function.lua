-- expect: memory_limit or instruction_limit
-- in: process
-- A function gives a megabyte for each letter.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("x"):rep(1000000)
        s:gsub("", function() return s end)
    end
    return 0
end

function timer_event(ns) end
