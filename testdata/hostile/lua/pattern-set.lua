-- expect: instruction_limit
-- in: process
-- A long set for each character.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("a"):rep(100000) local set = "[" .. ("bcdef"):rep(200) .. "]" while true do s:find(set) end
    end
    return 0
end

function timer_event(ns) end
