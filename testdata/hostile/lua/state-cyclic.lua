-- expect: ok
-- in: process
-- A state that holds itself.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        me = {} me.me = me me[me] = me
    end
    return 0
end

function timer_event(ns) end
