-- expect: instruction_limit
-- in: timer
-- A loop in timer_event.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message() return 0 end

function timer_event(ns)
    while true do end
end
