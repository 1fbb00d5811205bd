-- expect: instruction_limit
-- in: process
-- sort of long strings that are equal: 64 bytes at most are charged for each.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local a = string.rep("x", 2^20) local b = string.rep("x", 2^20) local t = {}
function process_message() for i = 1, 20000 do t[i] = i % 3 == 0 and a or b end table.sort(t) return 0 end
