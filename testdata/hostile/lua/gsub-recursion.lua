-- expect: instruction_limit or error C stack overflow
-- in: process
-- The function of a gsub calls gsub.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local function f() return ("x"):gsub("x", f) end while true do pcall(f) end
    end
    return 0
end

function timer_event(ns) end
