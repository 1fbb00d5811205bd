-- expect: instruction_limit
-- in: process
-- The handler of an error fails, too.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        while true do xpcall(error, function() error("again") end) end
    end
    return 0
end

function timer_event(ns) end
