-- expect: instruction_limit
-- in: process
-- pattern nomatch prefix, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local s = string.rep("a", 4e6)
function process_message() while true do string.find(s, "b.-c") end return 0 end
