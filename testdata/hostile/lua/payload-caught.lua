-- expect: instruction_limit
-- in: process
-- The same, caught each time.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        while true do pcall(add_to_payload, ("x"):rep(1000)) end
    end
    return 0
end

function timer_event(ns) end
