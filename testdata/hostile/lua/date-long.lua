-- expect: memory_limit or instruction_limit
-- in: process
-- A format of a hundred thousand conversions.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("%c"):rep(100000) while true do os.date(s) end
    end
    return 0
end

function timer_event(ns) end
