-- expect: ok
-- in: process
-- Dates far out.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        for _, n in ipairs({1e300, -1e300, 2^31, -2^31}) do os.time({year = n, month = n, day = n, hour = n, min = n, sec = n}) end
    end
    return 0
end

function timer_event(ns) end
