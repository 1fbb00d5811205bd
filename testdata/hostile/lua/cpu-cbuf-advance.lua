-- expect: instruction_limit
-- in: process
-- add with a time far ahead clears all rows and charges nothing.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local cb = circular_buffer.new(400000, 1, 1)
local ts = 0
function process_message() while true do ts = ts + 1e9 * 500000 cb:add(ts, 1, 1) end return 0 end
