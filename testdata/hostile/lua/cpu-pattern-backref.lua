-- expect: ok or instruction_limit or memory_limit
-- in: process
-- pattern backref, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local s = string.rep("a", 2e6)
function process_message() string.find(s, "^(a+)%1b") return 0 end
