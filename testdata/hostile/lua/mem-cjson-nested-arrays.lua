-- expect: ok or instruction_limit or memory_limit
-- in: process
-- The tree that cjson.decode builds is not seen by a recount while it is built.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local row = "[" .. string.rep("[],", 900) .. "[]],"
local s = "[" .. string.rep(row, 1000) .. "[]]"
function process_message() local t = cjson.decode(s) return 0 end
