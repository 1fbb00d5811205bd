-- expect: instruction_limit
-- in: process
-- set_header works on names of 1 MB before it checks their length.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local cb = circular_buffer.new(100, 1, 1)
local s = string.rep("x", 1000000)
function process_message() while true do pcall(cb.set_header, cb, 1, s, s, s) end return 0 end
