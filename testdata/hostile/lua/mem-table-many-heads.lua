-- expect: ok or instruction_limit or memory_limit
-- in: process
-- table many heads, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
function process_message() local t = {} for i = 1, 100000 do t[i] = {a=1,b=2,c=3,d=4,e=5} end return 0 end
