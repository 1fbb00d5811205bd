-- expect: instruction_limit
-- in: process
-- setmetatable index chain, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local t = {} for i = 1, 95 do t = setmetatable({}, {__index = t}) end
function process_message() while true do local x = t.nokey end return 0 end
