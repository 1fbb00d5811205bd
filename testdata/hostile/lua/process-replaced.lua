-- expect: instruction_limit
-- in: process
-- process_message replaces itself by something endless.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        process_message = function() while true do end end process_message()
    end
    return 0
end

function timer_event(ns) end
