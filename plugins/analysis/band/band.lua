-- Raises an alert when a document type's share of all documents leaves its usual band. The share does not
-- move with the time of day, as the rate does.

require "circular_buffer"
require "math"
require "string"
local alert = require "heka.alert"

local window, history = read_config("window"), read_config("history")
local width, least, minimum = read_config("width"), read_config("least"), read_config("minimum")
local rows, max_types, total = 600, 11, 12
types  = {}
count  = 0
counts = circular_buffer.new(rows, total, 1)
shares = circular_buffer.new(rows, max_types, 1)

local function column(doc_type)
    local col = types[doc_type]
    if col or count == max_types then return col end
    count = count + 1
    types[doc_type] = count
    shares:set_header(count, string.sub(doc_type, 1, 15), "percent", "none")
    return count
end

function process_message()
    local ns = read_message("Timestamp")
    local col = column(read_message("Fields[docType]") or "?")
    if col then counts:add(ns, col, 1) end
    counts:add(ns, total, 1)
    return 0
end

-- The sum of a column over the window that ends at ns.
local function sum(col, ns)
    local range = counts:get_range(col, ns - (window - 1) * 1e9, ns)
    local s = 0
    for _, v in ipairs(range or {}) do
        if v == v then s = s + v end
    end
    return s
end

-- Mean and standard deviation of the share over the windows before ns, or nil when there are too few.
local function usual(col, ns)
    local n, s, s2 = 0, 0, 0
    for i = 1, history do
        local all = sum(total, ns - i * window * 1e9)
        if all > 0 then
            local share = sum(col, ns - i * window * 1e9) / all
            n, s, s2 = n + 1, s + share, s2 + share * share
        end
    end
    if n < 3 then return nil end
    return s / n, math.sqrt(math.max(0, s2 / n - (s / n) * (s / n)))
end

local function check(doc_type, col, ns, all)
    local share = sum(col, ns) / all
    shares:set(ns, col, 100 * share)
    local mean, sd = usual(col, ns)
    if not mean or mean * all < minimum then return end
    local band = math.max(width * sd, least * mean)
    if math.abs(share - mean) <= band then return end
    local text = string.format("%s: %.1f %% of all documents, usually %.1f %% (%.1f to %.1f)", doc_type, 100 * share,
        100 * mean, 100 * math.max(0, mean - band), 100 * (mean + band))
    if alert.send(doc_type, "rate of " .. doc_type .. " left its usual band", text) then
        shares:annotate(ns, col, "alert", text)
    end
end

function timer_event(ns)
    local last = ns - 2e9 -- the newest second is not complete
    counts:add(ns, total, 0)
    shares:add(ns, 1, 0/0)
    local all = sum(total, last)
    if all > 0 then
        for doc_type, col in pairs(types) do check(doc_type, col, last, all) end
    end
    inject_payload("cbuf", "Share of documents by type", shares)
end
