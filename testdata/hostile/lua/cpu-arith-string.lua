-- expect: instruction_limit
-- in: process
-- Arithmetic on a long string of digits.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local a = string.rep("0", 2^20) .. "1"
function process_message() local n = 0 while true do n = n + a end return 0 end
