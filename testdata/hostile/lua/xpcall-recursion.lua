-- expect: error C stack overflow or instruction_limit
-- in: process
-- The handler calls xpcall.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local function h() xpcall(error, h) end xpcall(error, h) while true do xpcall(error, h) end
    end
    return 0
end

function timer_event(ns) end
