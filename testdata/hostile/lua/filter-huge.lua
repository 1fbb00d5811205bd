-- expect: memory_limit or error
-- in: process
-- A filter for a billion items.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        cuckoo_filter_expire.new(1e9, 1)
    end
    return 0
end

function timer_event(ns) end
