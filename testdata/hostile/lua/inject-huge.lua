-- expect: error output_limit or error injection limit
-- in: timer
-- A payload of a megabyte in a timer.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message() return 0 end

function timer_event(ns)
    inject_message({Payload = ("x"):rep(1000000)})
end
