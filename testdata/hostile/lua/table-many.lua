-- expect: memory_limit or instruction_limit
-- in: process
-- Many small tables.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t, i = {}, 0 while true do i = i + 1 t[i] = {i} end
    end
    return 0
end

function timer_event(ns) end
