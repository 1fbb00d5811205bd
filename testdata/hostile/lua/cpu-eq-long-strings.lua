-- expect: instruction_limit
-- in: process
-- == of two equal strings of 1 MiB that are not the same string.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local a = string.rep("x", 2^20) local b = string.rep("x", 2^20)
function process_message() local n = 0 while true do if a == b then n = n + 1 end end return 0 end
