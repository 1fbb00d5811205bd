-- expect: instruction_limit
-- in: process
-- coroutine create die, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local function f() end local wrap = coroutine.wrap
function process_message() while true do wrap(f)() end return 0 end
