-- expect: error
-- in: process
-- sort that is suspended holds its values in a Go closure.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
held = {}
function process_message()
  local t = {string.rep("a", 2e6), string.rep("b", 2e6)}
  local co = coroutine.wrap(function() table.sort(t, function(a, b) coroutine.yield() return a < b end) end)
  co() held[#held + 1] = co
  t[1] = nil t[2] = nil
  return 0
end
