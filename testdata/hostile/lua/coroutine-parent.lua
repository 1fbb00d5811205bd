-- expect: error cannot resume
-- in: process
-- A coroutine resumes who resumed it.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local a a = coroutine.create(function() local b = coroutine.create(function() local ok, err = coroutine.resume(a) error(err, 0) end) local ok, err = coroutine.resume(b) error(err, 0) end) local ok, err = coroutine.resume(a) error(err, 0)
    end
    return 0
end

function timer_event(ns) end
