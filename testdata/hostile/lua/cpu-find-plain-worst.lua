-- expect: instruction_limit
-- in: process
-- find plain worst, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local s = string.rep("a", 2e6)
local p = string.rep("a", 1000) .. "b"
function process_message() while true do string.find(s, p, 1, true) end return 0 end
