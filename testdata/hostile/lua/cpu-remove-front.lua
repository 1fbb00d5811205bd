-- expect: instruction_limit or memory_limit
-- in: process
-- remove front, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local t = {} for i = 1, 300000 do t[i] = i end
function process_message() while true do table.remove(t, 1) end return 0 end
