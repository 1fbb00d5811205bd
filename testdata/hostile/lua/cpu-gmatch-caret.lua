-- expect: instruction_limit
-- in: process
-- gmatch copies a pattern that begins with ^.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local s = string.rep("a", 2e6)
local p = "^" .. string.rep("a", 1e6)
function process_message() while true do string.gmatch(s, p) end return 0 end
