-- Counts messages and their bytes, as a graph and as a text.
require "circular_buffer"
require "string"

messages, bytes = 0, 0
series = circular_buffer.new(read_config("rows") or 60, 2, read_config("seconds_per_row") or 60)
series:set_header(1, "messages", "count", "sum")
series:set_header(2, "bytes", "B", "sum")
function process_message()
    local at, size = read_message("Timestamp"), read_message("size")
    messages = messages + 1
    bytes = bytes + size
    series:add(at, 1, 1)
    series:add(at, 2, size)
    return 0
end
function timer_event()
    inject_payload("cbuf", "messages", series:format("cbuf"))
    inject_payload("txt", "total", string.format("%d messages of %d bytes\n", messages, bytes))
end
