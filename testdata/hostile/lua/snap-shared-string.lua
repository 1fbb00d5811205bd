-- expect: ok
-- in: process
-- preserve_data = true, SNAP=1. 1500 references to one string of 1 MB: counted 1.0 MB, Snapshot returns 1.5 GB in 10 s, RSS 3.7 GB.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
t = {}
local s = string.rep("x", 1e6)
function process_message() for i = 1, 1500 do t[i] = s end return 0 end
