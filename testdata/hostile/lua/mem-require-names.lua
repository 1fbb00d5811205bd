-- expect: ok or instruction_limit or memory_limit
-- in: process
-- pcall(require, name) keeps every name for the life of the plugin.
require "string" require "table" require "math" require "coroutine" require "cjson" require "os" require "circular_buffer"
local i = 0
function process_message() for k = 1, 1000 do i = i + 1 pcall(require, string.rep("x", 1000) .. i) end return 0 end
