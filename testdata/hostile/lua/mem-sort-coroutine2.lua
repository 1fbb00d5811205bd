-- expect: error
-- in: process
-- The same with 100 000 numbers.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
held = {}
local t = {} for i = 1, 100000 do t[i] = i end
function process_message()
  local co = coroutine.wrap(function() table.sort(t, function(a, b) coroutine.yield() return a < b end) end)
  co() held[#held + 1] = co
  return 0
end
