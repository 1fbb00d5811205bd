-- expect: instruction_limit
-- in: process
-- decode_message copies and reads 1 MB of rubbish before it charges.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local r = string.rep("\1", 1000000)
function process_message() while true do pcall(decode_message, r) end return 0 end
