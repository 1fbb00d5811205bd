-- expect: error
-- in: process
-- Brackets that close, more than captures there may be.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        ("x"):match(("("):rep(1000) .. (")"):rep(1000))
    end
    return 0
end

function timer_event(ns) end
