-- expect: memory_limit or instruction_limit
-- in: process
-- Four million numbers.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        cjson.decode("[" .. ("1,"):rep(3500000) .. "1]")
    end
    return 0
end

function timer_event(ns) end
