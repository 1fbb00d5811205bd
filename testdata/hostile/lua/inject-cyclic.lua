-- expect: error
-- in: timer
-- A field that is a table that holds itself.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message() return 0 end

function timer_event(ns)
    local t = {} t[1] = t inject_message({Fields = {a = t}})
end
