-- expect: instruction_limit
-- in: process
-- format float, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local format = string.format
function process_message() while true do format("%99.99f", 1.7976931348623157e308) end return 0 end
