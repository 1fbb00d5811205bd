-- expect: instruction_limit
-- in: process
-- insert far in front moves from there.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        table.insert({1}, -2^53, 1)
    end
    return 0
end

function timer_event(ns) end
