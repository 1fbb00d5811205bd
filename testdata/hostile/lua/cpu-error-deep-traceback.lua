-- expect: instruction_limit
-- in: process
-- error deep traceback, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local function f(n) if n == 0 then error("x") end return 1 + f(n-1) end
function process_message() while true do pcall(f, 15000) end return 0 end
