-- expect: ok or instruction_limit or memory_limit
-- in: process
-- gsub nested, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local s = string.rep("a", 1e6) .. "b"
local depth = 0
local function down() depth = depth + 1 if depth < 190 then string.gsub(s, "b", down) end end
function process_message() down() return 0 end
