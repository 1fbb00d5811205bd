-- expect: memory_limit or instruction_limit
-- in: process
-- Each letter becomes the whole string.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("x"):rep(1000) while true do s = s:gsub(".", s) end
    end
    return 0
end

function timer_event(ns) end
