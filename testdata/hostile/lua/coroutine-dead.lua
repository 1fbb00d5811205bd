-- expect: error dead
-- in: process
-- A coroutine that has ended is resumed.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local co = coroutine.wrap(function() end) co() co()
    end
    return 0
end

function timer_event(ns) end
