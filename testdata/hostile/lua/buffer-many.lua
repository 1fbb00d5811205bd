-- expect: memory_limit
-- in: process
-- Many buffers.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} for i = 1, 1000 do t[i] = circular_buffer.new(100000, 10, 1) end
    end
    return 0
end

function timer_event(ns) end
