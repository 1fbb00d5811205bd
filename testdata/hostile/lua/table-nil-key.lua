-- expect: error table index is nil
-- in: process
-- nil is no key.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local t = {} t[nil] = 1
    end
    return 0
end

function timer_event(ns) end
