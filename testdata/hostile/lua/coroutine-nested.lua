-- expect: error C stack overflow
-- in: process
-- A coroutine resumes one that resumes one.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local function f() coroutine.wrap(f)() end f()
    end
    return 0
end

function timer_event(ns) end
