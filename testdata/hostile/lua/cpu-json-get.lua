-- expect: instruction_limit
-- in: process
-- get of a document of 20 000 keys is a linear search that charges nothing.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local json = require "json"
local t = {} for i = 1, 20000 do t[i] = '"k' .. i .. '":1' end
local doc = json.parse("{" .. table.concat(t, ",") .. "}")
function process_message() while true do doc:get("k20000") end return 0 end
