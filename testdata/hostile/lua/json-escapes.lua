-- expect: instruction_limit
-- in: process
-- A string of escapes that does not end.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local s = '"' .. ("\\n"):rep(1000000) while true do pcall(cjson.decode, s) end
    end
    return 0
end

function timer_event(ns) end
