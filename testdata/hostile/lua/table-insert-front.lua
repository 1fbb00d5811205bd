-- expect: memory_limit or instruction_limit
-- in: process
-- Each insert moves all.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} while true do table.insert(t, 1, 1) end
    end
    return 0
end

function timer_event(ns) end
