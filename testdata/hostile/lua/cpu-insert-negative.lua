-- expect: instruction_limit or ok
-- in: process
-- table.insert at -1.5e7: 1 unit for 16 probes of the hash part.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local t = {}
function process_message() table.insert(t, -1.5e7, 1) return 0 end
