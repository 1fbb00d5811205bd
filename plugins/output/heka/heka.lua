-- Every valid message as it is, framed, by document type and day: lake/heka/<namespace>/<docType>/<day>.

require "string"
local lake = require "lake"

function process_message()
    lake.heka(string.format("%s/%s/%s", read_message("Logger"), read_message("Fields[docType]") or "unknown",
        read_message("Fields[submissionDate]") or "unknown"))
    return 0
end

function timer_event() end
