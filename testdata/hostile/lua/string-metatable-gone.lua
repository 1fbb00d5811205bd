-- expect: ok
-- in: process
-- It loses its methods.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        getmetatable("").__index = nil
    end
    return 0
end

function timer_event(ns) end
