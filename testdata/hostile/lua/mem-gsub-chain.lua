-- expect: memory_limit or instruction_limit or error
require "string"
require "coroutine"
-- Each coroutine waits within a gsub that has made a megabyte, and resumes the next.
local part = string.rep("x", 100000)
function process_message()
  local function level(n)
    if n == 0 then
      local t = {}
      for i = 1, 1000 do t[i] = {} end -- counts
      return
    end
    local co = coroutine.create(function()
      local calls = 0
      string.gsub("aaaaaaaaaab", ".", function(c)
        calls = calls + 1
        if c == "b" then level(n - 1) end
        return part
      end)
    end)
    coroutine.resume(co)
  end
  level(180)
  return 0
end
function timer_event() end
