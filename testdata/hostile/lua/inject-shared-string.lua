-- expect: error limit exceeded
-- in: process
-- 1500 references to one string of 1 MB in a field: 6 to 9 s and RSS 3.7 GB before output_limit is found.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local s = string.rep("x", 1e6)
function process_message() local v = {} for i = 1, 1500 do v[i] = s end inject_message({Type="x", Fields={a=v}}) return 0 end
