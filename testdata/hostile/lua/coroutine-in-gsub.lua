-- expect: error
-- in: process
-- A gsub whose function yields, resumed without end.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        while true do local co = coroutine.wrap(function() ("xxx"):gsub("x", function() coroutine.yield() end) end) co() co() co() end
    end
    return 0
end

function timer_event(ns) end
