-- expect: instruction_limit
-- in: process
-- pcall around an endless loop must not come back.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        pcall(function() while true do end end) while true do pcall(function() while true do end end) end
    end
    return 0
end

function timer_event(ns) end
