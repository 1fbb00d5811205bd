-- expect: instruction_limit
-- in: process
-- pattern long set, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local s = string.rep("a", 1e5)
local p = "[" .. string.rep("b", 1e5) .. "]"
function process_message() while true do string.find(s, p) end return 0 end
