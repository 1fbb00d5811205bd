-- expect: ok or instruction_limit or memory_limit
-- in: process
-- payload cbuf, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local cb = circular_buffer.new(400000, 1, 1)
for i = 1, 100000 do cb:set(i*1e9, 1, i/3) end
function process_message() pcall(add_to_payload, cb) return 0 end
