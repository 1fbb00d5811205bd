-- expect: instruction_limit or error
-- in: process
-- The same, caught on each level.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local function f() pcall(coroutine.wrap(f)) end while true do f() end
    end
    return 0
end

function timer_event(ns) end
