-- expect: instruction_limit
-- in: process
-- read message raw, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
function process_message() while true do read_message("framed") end return 0 end
