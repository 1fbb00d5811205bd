-- expect: ok or instruction_limit or memory_limit
-- in: process
-- snapshot cycle, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
t = {} t.t = t for i = 1, 1000 do t[i] = {t, t} end
function process_message() return 0 end
