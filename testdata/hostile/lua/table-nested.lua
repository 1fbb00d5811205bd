-- expect: memory_limit or instruction_limit
-- in: process
-- Tables in tables, deeper and deeper; a recursive walk would follow.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} while true do t = {t} end
    end
    return 0
end

function timer_event(ns) end
