-- expect: ok
-- in: process
-- Times that no calendar has.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        for _, at in ipairs({1e300, -1e300, 0/0, 1/0, 2^63, -2^63}) do os.date("%c", at) os.date("*t", at) end
    end
    return 0
end

function timer_event(ns) end
