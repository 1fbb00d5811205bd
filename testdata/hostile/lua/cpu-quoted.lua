-- expect: instruction_limit
-- in: process
-- quoted, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local s = string.rep("\0", 500000)
function process_message() while true do string.format("%q", s) end return 0 end
