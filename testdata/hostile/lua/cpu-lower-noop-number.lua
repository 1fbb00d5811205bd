-- expect: instruction_limit
-- in: process
-- lower noop number, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local s = string.rep("a", 2000000)
function process_message() while true do s:lower() end return 0 end
