-- expect: instruction_limit
-- in: load
-- A loop while the source is loaded.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

while true do end
function process_message()
    do
    
    end
    return 0
end

function timer_event(ns) end
