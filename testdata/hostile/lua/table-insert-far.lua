-- expect: instruction_limit or memory_limit
-- in: process
-- insert far behind the end.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        while true do table.insert({}, 1e7, 1) end
    end
    return 0
end

function timer_event(ns) end
