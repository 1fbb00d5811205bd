-- How many submissions are refused, by namespace and cause.

require "circular_buffer"
require "string"

local max_kinds = read_config("max_kinds")
kinds    = {}
count    = 0
failures = circular_buffer.new(read_config("rows"), max_kinds + 1, read_config("sec_per_row"))
failures:set_header(max_kinds + 1, "other", "errors")

local function column(kind)
    local col = kinds[kind]
    if col then return col end
    if count == max_kinds then return max_kinds + 1 end
    count = count + 1
    kinds[kind] = count
    failures:set_header(count, string.sub(kind, 1, 15), "errors")
    return count
end

function process_message()
    local kind = (read_message("Logger") or "?") .. " " .. (read_message("Fields[DecodeErrorType]") or "?")
    failures:add(read_message("Timestamp"), column(kind), 1)
    return 0
end

function timer_event(ns)
    failures:add(ns, 1, 0/0)
    inject_payload("cbuf", "Refused by cause", failures)
end
