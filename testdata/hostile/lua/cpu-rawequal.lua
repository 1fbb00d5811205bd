-- expect: instruction_limit
-- in: process
-- rawequal of two equal long strings.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local a = string.rep("x", 2^20) local b = string.rep("x", 2^20)
function process_message() local rawequal = rawequal while true do rawequal(a, b) end return 0 end
