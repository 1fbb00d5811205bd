-- expect: ok
-- in: process
-- A state too deep to be kept; saving it must give an error and no stack overflow.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        deep = {} local t = deep for i = 1, 10000 do t.t = {} t = t.t end
    end
    return 0
end

function timer_event(ns) end
