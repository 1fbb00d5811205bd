-- expect: instruction_limit
-- in: process
-- gsub with limit 0 copies the subject.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local s = string.rep("a", 2000000)
function process_message() while true do s:gsub("a", "b", 0) end return 0 end
