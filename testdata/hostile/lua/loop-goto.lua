-- expect: load error
-- in: process
-- goto, which 5.1 has not and gopher-lua's parser has.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        ::a:: goto a
    end
    return 0
end

function timer_event(ns) end
