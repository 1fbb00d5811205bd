-- expect: ok
-- in: process
-- All globals are deleted; the next message must find an error, not a panic.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local g = _G for k in pairs(g) do g[k] = nil end
    end
    return 0
end

function timer_event(ns) end
