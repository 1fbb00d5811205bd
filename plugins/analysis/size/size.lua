-- The mean size of the messages that documents became, by document type.

require "circular_buffer"
require "string"

local rows, sec, max_types = read_config("rows"), read_config("sec_per_row"), read_config("max_types")
types  = {}
count  = 0
bytes  = circular_buffer.new(rows, max_types, sec)
number = circular_buffer.new(rows, max_types, sec)
mean   = circular_buffer.new(rows, max_types, sec)

local function column(doc_type)
    local col = types[doc_type]
    if col then return col end
    if count == max_types then return nil end
    count = count + 1
    types[doc_type] = count
    mean:set_header(count, string.sub(doc_type, 1, 15), "B", "none")
    return count
end

function process_message()
    local col = column(read_message("Fields[docType]") or "?")
    if not col then return -2 end
    local ns = read_message("Timestamp")
    local total = bytes:add(ns, col, read_message("size"))
    local n = number:add(ns, col, 1)
    if n then mean:set(ns, col, total / n) end
    return 0
end

function timer_event(ns)
    mean:add(ns, max_types, 0/0)
    inject_payload("cbuf", "Mean size by type", mean)
end
