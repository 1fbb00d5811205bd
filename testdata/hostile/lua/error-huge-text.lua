-- expect: memory_limit or instruction_limit or error
-- in: process
-- An error text of a megabyte.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("x"):rep(1000000)
        error(s)
    end
    return 0
end

function timer_event(ns) end
