-- expect: instruction_limit
-- in: process
-- math.fmod of numbers whose exponents are far apart.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
function process_message() local fmod = math.fmod while true do fmod(1.7e308, 3e-308) end return 0 end
