-- expect: memory_limit or instruction_limit
-- in: process
-- Far indices, many of them.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} for i = 1, 1e9 do t[i * 65537] = i end
    end
    return 0
end

function timer_event(ns) end
