-- expect: ok
-- in: process
-- An honest plugin.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local t = {} for i = 1, 5000 do t["k" .. i] = i end
function process_message() local n = 0 for k, v in pairs(t) do n = n + v end return 0 end
