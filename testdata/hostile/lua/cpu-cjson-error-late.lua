-- expect: instruction_limit
-- in: process
-- cjson error late, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local s = "[" .. string.rep(" ", 1000000) .. "}"
function process_message() while true do pcall(cjson.decode, s) end return 0 end
