-- expect: memory_limit
-- in: process
-- Many filters.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} for i = 1, 1000 do t[i] = cuckoo_filter_expire.new(1e6, 1) end
    end
    return 0
end

function timer_event(ns) end
