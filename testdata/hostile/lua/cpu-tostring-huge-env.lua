-- expect: instruction_limit
-- in: process
-- tostring huge env, again and again.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local date = os.date
function process_message() local f = string.rep("%c", 5000) while true do date(f, 1e9) end return 0 end
