-- expect: instruction_limit
-- in: process
-- A loop in a coroutine, which stock engines do not count.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        coroutine.wrap(function() while true do end end)()
    end
    return 0
end

function timer_event(ns) end
