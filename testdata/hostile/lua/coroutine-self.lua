-- expect: error cannot resume
-- in: process
-- A coroutine resumes itself.
require "string" require "table" require "math" require "os" require "cjson"
require "circular_buffer" require "cuckoo_filter_expire"
local coroutine = require "coroutine"

function process_message()
    do
        local co co = coroutine.create(function() local ok, err = coroutine.resume(co) error(err) end) local ok, err = coroutine.resume(co) error(err)
    end
    return 0
end

function timer_event(ns) end
