-- expect: instruction_limit
-- in: process
-- Thousands of results, again and again.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        while true do pcall(unpack, {}, -2^53, 2^53) unpack({}, 1, 4096) end
    end
    return 0
end

function timer_event(ns) end
