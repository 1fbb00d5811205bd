-- expect: instruction_limit
-- in: process
-- The handler never ends.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        xpcall(error, function() while true do end end)
    end
    return 0
end

function timer_event(ns) end
