-- expect: ok or instruction_limit or memory_limit
-- in: process
-- get of an element that holds 300 001 numbers.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local json = require "json"
local d = json.parse("[[" .. string.rep("1,", 300000) .. "1]]")
function process_message() while true do d:get(1) end return 0 end
