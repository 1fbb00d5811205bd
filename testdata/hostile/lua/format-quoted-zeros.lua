-- expect: memory_limit or instruction_limit
-- in: process
-- %q makes four bytes of one, and again of those.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("\0"):rep(1e6) while true do s = ("%q"):format(s) end
    end
    return 0
end

function timer_event(ns) end
