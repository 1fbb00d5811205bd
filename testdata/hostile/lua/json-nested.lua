-- expect: error too many nested
-- in: process
-- Brackets a million deep.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        cjson.decode(("["):rep(1000000))
    end
    return 0
end

function timer_event(ns) end
