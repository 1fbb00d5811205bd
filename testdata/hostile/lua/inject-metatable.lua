-- expect: error injection limit or error
-- in: timer
-- Fields that are found by an endless function must be read raw.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message() return 0 end

function timer_event(ns)
    for i = 1, 20 do inject_message(setmetatable({}, {__index = function() while true do end end})) end
end
