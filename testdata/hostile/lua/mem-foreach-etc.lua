-- expect: ok or instruction_limit or memory_limit
-- in: process
-- foreach etc, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
held = {}
function process_message()
  for i = 1, 200 do
  local function deep(n) if n == 0 then coroutine.yield() else pcall(deep, n - 1) end end
  local co = coroutine.wrap(deep) co(150) held[#held+1] = co end
  return 0
end
