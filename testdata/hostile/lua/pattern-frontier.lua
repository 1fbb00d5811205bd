-- expect: instruction_limit
-- in: process
-- %f at each place of a long string.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = ("ab "):rep(100000) while true do s:find("%f[%z]x") end
    end
    return 0
end

function timer_event(ns) end
