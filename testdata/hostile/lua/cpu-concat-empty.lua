-- expect: instruction_limit
-- in: process
-- table.concat of 100 000 empty strings: 8 units for 64 entries.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local t = {} for i = 1, 100000 do t[i] = "" end
function process_message() while true do table.concat(t) end return 0 end
