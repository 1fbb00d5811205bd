-- expect: ok or instruction_limit or memory_limit
-- in: process
-- error strings, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local s = string.rep("x", 1000000)
function process_message() local t = {} for i = 1, 1000 do t[i] = select(2, pcall(error, s)) end return 0 end
