-- expect: error output_limit
-- in: process
-- add_to_payload without end.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        while true do add_to_payload(("x"):rep(1000)) end
    end
    return 0
end

function timer_event(ns) end
