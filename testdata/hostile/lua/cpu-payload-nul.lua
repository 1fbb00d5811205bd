-- expect: instruction_limit or error output_limit
-- in: process
-- payload nul, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local s = string.rep("x", 60000)
function process_message() while true do add_to_payload(s) pcall(inject_payload, "t", "n") end return 0 end
