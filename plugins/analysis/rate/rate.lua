-- How many documents arrive, by document type.

require "circular_buffer"
require "string"

local max_types = read_config("max_types")
types = {} -- document type → column; a global, kept over restarts like the buffer
count = 0
rate  = circular_buffer.new(read_config("rows"), max_types + 1, read_config("sec_per_row"))
rate:set_header(max_types + 1, "other", "docs")

local function column(doc_type)
    local col = types[doc_type]
    if col then return col end
    if count == max_types then return max_types + 1 end
    count = count + 1
    types[doc_type] = count
    rate:set_header(count, string.sub(doc_type, 1, 15), "docs")
    return count
end

function process_message()
    rate:add(read_message("Timestamp"), column(read_message("Fields[docType]") or "?"), 1)
    return 0
end

function timer_event(ns)
    rate:add(ns, 1, 0/0) -- time goes on without documents too
    inject_payload("cbuf", "Documents by type", rate)
end
