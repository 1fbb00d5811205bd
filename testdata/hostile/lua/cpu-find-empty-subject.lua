-- expect: instruction_limit
-- in: process
-- A pattern of 1 MB in an empty subject: find spends for the subject only.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local a = string.rep("x", 2^20)
function process_message() local n = 0 local find = string.find while true do find("", a) end return 0 end
