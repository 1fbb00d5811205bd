-- expect: error malformed pattern
-- in: process
-- A set that does not end.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        ("x"):find("[a")
    end
    return 0
end

function timer_event(ns) end
