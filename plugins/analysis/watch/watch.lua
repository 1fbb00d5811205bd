-- Watches a number for every value that some fields of messages have, and raises an alert when it is unusual: within a minute beside the other values and the last minutes, and
-- every ten minutes beside the same hour of earlier weeks. It needs no threshold, and finds new values by itself. README.md says what the config can have.

require "circular_buffer"
require "math"
require "os"
require "string"
require "table"
local alert   = require "heka.alert"
local anomaly = require "anomaly"

local hierarchy = read_config("hierarchy")
local measure   = read_config("measure") or "count" -- "count", "sum", "mean" or "share"
local what      = read_config("what") or measure
local unit      = read_config("unit") or "count"
local weight    = read_config("weight")
local field, minus, scale = read_config("field"), read_config("minus"), read_config("scale") or 1
local whole     = measure == "count" or measure == "sum" -- what values are parts of
local parts     = {}
for _, t in ipairs(read_config("types") or {}) do parts[t] = true end
local tell_new, new_after = read_config("tell_new"), read_config("new_after") or 20
local silence   = read_config("silence")
local levels    = read_config("levels") ~= false
local max_values, max_shown = read_config("max_values") or 40, read_config("max_shown") or 15
local window, history = read_config("window") or 10, read_config("history") or 12
local minimum   = read_config("minimum") or 100 -- messages of a value in a window, below which chance rules
local interval, weeks = read_config("interval") or 600, read_config("weeks") or 5
local rows      = math.floor(weeks * 7 * 86400 / interval)
local learning  = (read_config("learning_hours") or 24) * 3600 * 1e9
local forgotten = (read_config("forget_days") or 7) * 86400 * 1e9
local OTHERS, ALL = "others", ""

_PRESERVATION_VERSION = 1
nodes   = {}  -- path → what is known of it
columns = {}  -- path → column of the graph
count, shown_count = 0, 0
newest, began, judged = 0, nil, 0
graph = circular_buffer.new(360, max_shown, window)
local arrived = 0

local function node_of(path, ns)
    local node = nodes[path]
    if node then return node end
    if count >= max_values and path ~= ALL and path ~= OTHERS then return nodes[OTHERS] or node_of(OTHERS, ns) end
    node = {fast = circular_buffer.new(history + 8, 2, window), slow = circular_buffer.new(rows, 1, interval), row = 0, n = 0, sum = 0, total = 0, odd = 0,
        told = not tell_new or ns - began < learning}
    nodes[path] = node
    count = count + 1
    if path ~= ALL and shown_count < max_shown then
        shown_count = shown_count + 1
        columns[path] = shown_count
        graph:set_header(shown_count, string.sub(path, -15), string.sub(unit, 1, 7), whole and "sum" or "none")
    end
    return node
end

-- What a row of ten minutes becomes: how many there were, how many of the types that are looked for, or the mean.
local function close(node)
    if node.n == 0 then return end
    local v = node.n
    if measure == "share" or measure == "sum" then v = node.sum
    elseif measure == "mean" then v = node.n >= minimum and node.sum / node.n or 0/0 end
    if v == v then node.slow:set(node.row, 1, v) end
    node.n, node.sum = 0, 0
end

local function note(path, ns, x, w)
    local node = node_of(path, ns)
    if ns >= (node.noted or 0) and (measure ~= "share" or x > 0) then -- some of each window are kept with its alerts
        alert.note(path == ALL and "all" or path)
        node.noted = ns + window / 3 * 1e9
    end
    node.seen  = ns
    node.total = node.total + 1
    node.fast:add(ns, 1, w)
    if x then node.fast:add(ns, 2, x) end
    local row = ns - ns % (interval * 1e9)
    if row > node.row then
        close(node)
        node.row = row
    end
    if row == node.row then
        node.n, node.sum = node.n + w, node.sum + (x or 0)
    end
end

function process_message()
    local ns = read_message("Timestamp")
    if not began then began = ns end
    local x
    local w = weight and tonumber(read_message(weight)) or 1
    if measure == "share" and not field then
        x = parts[read_message("Type")] and w or 0
    elseif measure ~= "count" then
        x = field == "now" and os.time() * 1e9 or tonumber(read_message(field))
        if minus and x then
            local from = tonumber(read_message(minus))
            x = from and x - from
        end
        if not x then return 0 end
        x = x / scale
    end
    if x and measure == "mean" then x = x * w end
    arrived = arrived + 1
    if ns > newest then newest = ns end
    note(ALL, ns, x, w)
    local path
    for _, name in ipairs(hierarchy) do
        local v = tostring(read_message(name) or "?")
        path = path and path .. "/" .. v or v
        note(path, ns, x, w)
    end
    return 0
end

local function written(v)
    if measure == "share" then return string.format("%.2f %%", v) end
    if v >= 100 then return string.format("%.0f", v) end
    return string.format("%.4g", v)
end

-- What a value was and between what it was expected, in a graph of its own, which is shown while it alerts.
local shown_rows = 180
local function remember(node, name, step, ns, now, low, high, per)
    local graph = node[name]
    if not graph then
        graph = circular_buffer.new(shown_rows, 3, step)
        graph:set_header(1, string.sub(what, 1, 15), string.sub(unit, 1, 7), "none")
        graph:set_header(2, "low", string.sub(unit, 1, 7), "none")
        graph:set_header(3, "high", string.sub(unit, 1, 7), "none")
        node[name] = graph
    end
    graph:add(ns, 1, 0/0)
    graph:set(ns, 1, now / per)
    if low and low == low then -- there is enough to judge by
        graph:set(ns, 2, math.max(0, low / per))
        graph:set(ns, 3, high / per)
    end
end

local function show(path, node)
    local graph = node.alerting and (node.alerting == "window" and node.near or node.far)
    if graph then inject_payload("cbuf", path == ALL and "all" or path, graph) end
end

-- An alert. by is what judged: what raised it ends it.
local function say(path, node, by, ns, direction, text, kind)
    local name = path == ALL and "all" or path
    local way = direction < 0 and "low" or "high"
    if not kind then node.alerting, node.calm = by, 0 end
    if alert.send(name .. (kind or ""), string.format("%s of %s is %s", what, name, way), text) and columns[path] then
        graph:annotate(ns, columns[path], "alert", way)
    end
end

-- What is far within its bounds again, and stays so, is over.
local function calm(path, node, by, score, times)
    if node.alerting ~= by then return end
    node.calm = score < 0.5 and node.calm + 1 or 0
    if node.calm < times then return end
    node.alerting = nil
    alert.over(path == ALL and "all" or path, what .. " is as usual again")
end

-- The numbers of the windows up to that time, as counts: of how many there would be if all windows had as many messages.
local function windows(node, to)
    local from = to - history * window * 1e9
    local n, x = node.fast:get_range(1, from, to), node.fast:get_range(2, from, to)
    local of = n
    if whole then of = nodes[ALL].fast:get_range(measure == "sum" and 2 or 1, from, to) end
    if not n or not of then return nil end
    if measure == "mean" then
        for i = 1, #n do x[i] = n[i] >= minimum / 5 and x[i] / n[i] or 0/0 end
        return x, 1
    end
    local part, all, k = measure == "count" and n or x, 0, 0
    for i = 1, #of do
        if of[i] == of[i] then all, k = all + of[i], k + 1 end
    end
    local mean = all / k
    for i = 1, #of do
        if of[i] == of[i] and of[i] >= minimum / 5 then
            part[i] = (part[i] == part[i] and part[i] or 0) / of[i] * mean
        else
            part[i] = 0/0
        end
    end
    return part, mean
end

-- Beside the last minutes: unusual twice in a row. Of a share of all a few values have to be left, so that there is something to compare with.
local function judge_window(path, node, to)
    if path == ALL and measure ~= "share" then return end -- what it is made of changes
    local values, mean = windows(node, to)
    if not values then return end
    if node.odd ~= 0 then values[#values - 1] = 0/0 end -- what waits to be told is not what is usual
    local counts = measure ~= "mean"
    local score, direction, expected, low, high = anomaly.jump(values, {history = history, far = 5, error = 0.08, counts = counts and 1 or 0})
    local now, per = values[#values], 1
    if measure == "share" then per = mean / 100 end
    remember(node, "near", window, to, now, low, high, per)
    if score < 1 or counts and expected < (measure == "share" and 0 or minimum) then
        node.odd = 0
        return calm(path, node, "window", score, 3)
    end
    if node.odd ~= direction then
        node.odd = direction
        return
    end
    say(path, node, "window", to, direction, string.format("%s in the last %d s, usually %s (%s to %s)%s", written(now / per), window, written(expected / per), written(math.max(0, low / per)), written(high / per),
        whole and ", as a part of all" or ""))
end

-- Silence that is longer than any before.
local function silent(path, node, row)
    if silence and path ~= ALL and anomaly.deadman(node.slow, {at = row, history = rows - 1, least = 6}) >= 1 then
        say(path, node, "row", row, -1, string.format("nothing for %d min or more, longer than ever before", 6 * interval / 60))
    end
end

-- Beside earlier weeks.
local function judge_row(path, node, row)
    if measure == "mean" and path == ALL then return end
    local now = node.slow:get(row, 1) or 0
    if now ~= now then now = 0 end
    if not levels then
        if now > 0 then calm(path, node, "row", 0, 1) end
        return silent(path, node, row)
    end
    local score, direction, expected, low, high = anomaly.seasonal(node.slow, {at = row, gaps = measure == "mean" and 1 or 0})
    remember(node, "far", interval, row, now, low, high, 1)
    if score >= 1 then
        return say(path, node, "row", row, direction, string.format("%s in %d min, usually %s at this time (%s to %s)", written(now), interval / 60, written(expected), written(math.max(0, low)), written(high)))
    end
    if now > 0 then calm(path, node, "row", score, 1) end
    score, direction = anomaly.drift(node.slow, {at = row})
    if score >= 1 then return say(path, node, "drift", row, direction, "it changed over days, and not as in earlier weeks", " slowly") end
    silent(path, node, row)
end

local function draw(path, node, to)
    local col = columns[path]
    if not col then return end
    local n, x = node.fast:get(to, 1), node.fast:get(to, 2)
    if not n or n ~= n then
        if whole then graph:set(to, col, 0) end
        return
    end
    local v = n
    if measure == "sum" then v = x elseif measure == "mean" then v = x / n elseif measure == "share" then v = 100 * (x == x and x or 0) / n end
    graph:set(to, col, v)
end

local function forget(path, node, now)
    if path == ALL or not node.seen or now - node.seen < forgotten then return end
    nodes[path] = nil
    count = count - 1
end

function timer_event(ns)
    if not began then return end
    -- While there is more to read, time is what is read; when nothing comes, it goes on.
    local now = arrived > 0 and newest or ns
    arrived = 0
    local to = math.floor((now / 1e9 - 2) / window) * window * 1e9 - window * 1e9 -- the newest window that is complete
    if to > judged then
        local row = to - to % (interval * 1e9)
        local before = judged - judged % (interval * 1e9)
        judged = to
        for path, node in pairs(nodes) do
            node.fast:add(to, 1, 0/0)
            draw(path, node, to)
        end
        for path, node in pairs(nodes) do
            if levels then judge_window(path, node, to) end
            if row > before and before > 0 then
                if node.row < row then close(node) end
                node.slow:add(row, 1, 0/0)
                judge_row(path, node, row - interval * 1e9)
                forget(path, node, now)
            end
            if not node.told and node.total >= new_after then
                node.told = true
                alert.send("new " .. path, what .. " of " .. path .. " is new", string.format("%d messages so far; it was not there in the %d hours before", node.total, learning / 3600e9))
            end
        end
    end
    graph:add(now, 1, 0/0)
    inject_payload("cbuf", what, graph)
    for path, node in pairs(nodes) do show(path, node) end
end
