-- expect: instruction_limit
-- in: process
-- lt strings, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local a = string.rep("x", 2^20) local b = string.rep("x", 2^20)
function process_message() while true do local c = a < b end return 0 end
