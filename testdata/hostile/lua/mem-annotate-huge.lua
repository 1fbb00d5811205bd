-- expect: ok or instruction_limit or memory_limit
-- in: process
-- annotate huge, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local cb = circular_buffer.new(100, 1, 1)
local s = string.rep("x", 1000000)
function process_message() for i = 1, 50 do pcall(cb.annotate, cb, i * 1e9, 1, "info", s, true) end return 0 end
