-- expect: error
-- in: process
-- gsub that is suspended in a coroutine holds its output in a Go closure.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
held = {}
local s = string.rep("a", 1e6) .. "b"
function process_message()
  local co = coroutine.wrap(function() string.gsub(s, "b", function() coroutine.yield() end) end)
  co() held[#held + 1] = co
  return 0
end
