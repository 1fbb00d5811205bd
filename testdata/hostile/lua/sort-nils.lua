-- expect: error
-- in: process
-- A table with a hole is no sequence, but must not end in a panic.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {3, 1, nil, 2} t[10] = "x" table.sort({3, "x"})
    end
    return 0
end

function timer_event(ns) end
