// Plugins to start from. fields are asked for and put into the texts.

const quote = (s) => JSON.stringify(s); // every Lua string can be written so, as far as a line of input goes

const COUNT_CONFIG = (v) => `filename        = ${quote(v.name + ".lua")}
message_matcher = ${quote(v.matcher)}
ticker_interval = 2
preserve_data   = true

field       = ${quote(v.field)}
rows        = 600 -- ten minutes of
sec_per_row = 1
max_values  = 11  -- further values are counted together
`;

const COUNT_SOURCE = `-- How many messages arrive, by the value of a field.

require "circular_buffer"
require "string"

local field      = read_config("field")
local max_values = read_config("max_values")

columns = {} -- value → column; a global, kept over restarts like the buffer
count   = 0
graph   = circular_buffer.new(read_config("rows"), max_values + 1, read_config("sec_per_row"))
graph:set_header(max_values + 1, "other", "count")

local function column(value)
    local col = columns[value]
    if col then return col end
    if count == max_values then return max_values + 1 end
    count = count + 1
    columns[value] = count
    -- a header is at most 15 letters, digits or _
    graph:set_header(count, string.sub(string.gsub(value, "[^%w_]", "_"), 1, 15), "count")
    return count
end

function process_message()
    local value = read_message(field)
    if value == nil then value = "none" end
    graph:add(read_message("Timestamp"), column(tostring(value)), 1)
    return 0
end

function timer_event(ns)
    graph:add(ns, 1, 0/0) -- time goes on without messages too
    inject_payload("cbuf", "Messages by " .. field, graph)
end
`;

const ALERT_CONFIG = (v) => `filename        = ${quote(v.name + ".lua")}
message_matcher = ${quote(v.matcher)}
ticker_interval = 5

least  = ${Number(v.least) || 1} -- messages that are expected in a window
window = 60 -- seconds

-- No way to send it is named: the alert is shown on the page. At most one in five minutes.
alert = {throttle = 5, modules = {page = {}}}
`;

const ALERT_SOURCE = `-- Raises an alert when fewer messages arrive than expected.

require "circular_buffer"
require "string"
local alert = require "heka.alert"

local least, window = read_config("least"), read_config("window")
local began = nil
graph = circular_buffer.new(600, 1, 1)
graph:set_header(1, "messages", "count")

function process_message()
    graph:add(read_message("Timestamp"), 1, 1)
    return 0
end

function timer_event(ns)
    graph:add(ns, 1, 0)
    began = began or ns
    if ns - began >= window * 1e9 then
        local sum = 0
        for _, v in ipairs(graph:get_range(1, ns - (window - 1) * 1e9, ns) or {}) do
            if v == v then sum = sum + v end
        end
        if sum < least then
            local text = string.format("%d messages in %d s, expected at least %d", sum, window, least)
            if alert.send("messages", "few messages", text) then
                graph:annotate(ns, 1, "alert", text)
            end
        end
    end
    inject_payload("cbuf", "Messages", graph)
end
`;

const BLANK_CONFIG = (v) => `filename        = ${quote(v.name + ".lua")}
message_matcher = "TRUE"
ticker_interval = 10
`;

const BLANK_SOURCE = `function process_message()
    return 0
end

function timer_event(ns)
end
`;

const MATCHER = { name: "matcher", label: "Of messages that match", value: "Type == 'telemetry' || Type == 'validated'", wide: true };

export const starters = [
  {
    id: "count",
    title: "Count by a field",
    about: "A graph with one line for each value of a field",
    name: "by_version",
    fields: [{ name: "field", label: "Field", value: "Fields[docVersion]" }, MATCHER],
    config: COUNT_CONFIG,
    source: COUNT_SOURCE,
  },
  {
    id: "alert",
    title: "Alert when few arrive",
    about: "A graph, and an alert below a number of messages a minute",
    name: "few_messages",
    fields: [{ name: "least", label: "At least, in a minute", value: "60" }, MATCHER],
    config: ALERT_CONFIG,
    source: ALERT_SOURCE,
  },
  {
    id: "blank",
    title: "Blank",
    about: "The two functions that the host calls",
    name: "",
    fields: [],
    config: BLANK_CONFIG,
    source: BLANK_SOURCE,
  },
];
