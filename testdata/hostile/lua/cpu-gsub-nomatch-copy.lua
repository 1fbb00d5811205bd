-- expect: instruction_limit
-- in: process
-- gsub without a match copies the subject.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local a = string.rep("x", 2^21)
function process_message() local gsub = string.gsub while true do gsub(a, "^y", "") end return 0 end
