-- expect: instruction_limit
-- in: process
-- The message is decoded again and again.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local r = read_message("raw") while true do decode_message(r) end
    end
    return 0
end

function timer_event(ns) end
