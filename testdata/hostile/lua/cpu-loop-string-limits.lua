-- expect: instruction_limit
-- in: process
-- A numeric for whose limits are long strings.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local s = string.rep("0", 1000000) .. "1"
function process_message() while true do for i = s, s do end end return 0 end
