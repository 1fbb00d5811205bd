-- expect: instruction_limit
-- in: process
-- rep small, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
function process_message() while true do string.rep("a", 1000000) end return 0 end
