-- expect: ok or instruction_limit or memory_limit
-- in: process
-- Documents of require "json" are counted at 2 to 14 %.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local json = require "json"
docs = {}
function process_message() for i = 1, 5 do docs[#docs + 1] = json.parse("[" .. string.rep("{},", 200000) .. "1]") end return 0 end
