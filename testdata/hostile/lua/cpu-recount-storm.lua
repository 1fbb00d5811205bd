-- expect: instruction_limit
-- in: process
-- recount storm, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
keep = {} for i = 1, 60000 do keep[i] = {i} end
function process_message() local s while true do s = {1,2,3,4} end return 0 end
