-- Finds histograms of documents whose shape changes: from one interval to those before, and from one build to the build before. How much they differ by chance is measured, not set. README.md has the details.

local cjson   = require "cjson"
require "math"
require "string"
require "table"
local alert   = require "heka.alert"
local anomaly = require "anomaly"

local field, build_field = read_config("field"), read_config("build")
local every, interval    = read_config("every") or 1, read_config("interval") * 1e9
local minimum, samples   = read_config("minimum"), read_config("samples")
local submissions, max_builds = read_config("submissions"), read_config("max_builds")
local max_histograms, max_buckets, drawn = read_config("max_histograms"), read_config("max_buckets"), read_config("drawn")
local KEEP, TIMES, LEAST = 0.9, 3, 0.3 -- of the reference at each interval; as far as ever; bins

_PRESERVATION_VERSION = 1
seen, row, newest = 0, 0, 0
now       = {} -- histogram → {n =, counts = {bucket → count}} of this interval
reference = {} -- histogram → counts of those before, the older the less
usual     = {} -- histogram → distances of the newest intervals from the reference
known     = 0
builds    = {} -- build → {n =, told =, [1] and [2] = histogram → counts of every other document}
changed   = {} -- the newest changes, to be drawn: {title =, before =, now =}

local function add(to, values, weight)
    local size = 0
    for _ in pairs(to) do size = size + 1 end
    for bucket, n in pairs(values) do
        if type(n) == "number" and n > 0 and n < 1e15 then
            if to[bucket] or size < max_buckets then
                if not to[bucket] then size = size + 1 end
                to[bucket] = (to[bucket] or 0) + n * weight
            end
        end
    end
end

-- Both as arrays over all buckets of either, in order.
local function arrays(a, b)
    local buckets, order = {}, {}
    for k in pairs(a) do buckets[k] = true end
    for k in pairs(b) do buckets[k] = true end
    for k in pairs(buckets) do order[#order + 1] = k end
    table.sort(order, function (x, y)
        local p, q = tonumber(x), tonumber(y)
        if p and q then return p < q end
        if p or q then return p ~= nil end
        return x < y
    end)
    local x, y = {}, {}
    for i, k in ipairs(order) do x[i], y[i] = a[k] or 0, b[k] or 0 end
    return x, y, order
end

local function build_of(id)
    local b = builds[id]
    if b then return b end
    local oldest, n = nil, 0
    for known_id in pairs(builds) do
        n = n + 1
        if not oldest or known_id < oldest then oldest = known_id end
    end
    if n >= max_builds then
        if id < oldest then return nil end
        builds[oldest] = nil
    end
    b = {{}, {}, n = 0}
    builds[id] = b
    return b
end

function process_message()
    local ns = read_message("Timestamp")
    if ns > newest then newest = ns end
    seen = seen + 1
    if seen % every ~= 0 then return 0 end
    local ok, all = pcall(cjson.decode, read_message(field) or "null")
    if not ok or type(all) ~= "table" then return 0 end
    local id = build_field and read_message(build_field)
    local build = id and build_of(tostring(id))
    local half = seen / every % 2 + 1
    if build then build.n = build.n + 1 end
    for name, h in pairs(all) do
        local values = type(h) == "table" and h.values
        if type(name) == "string" and type(values) == "table" then
            local of = now[name]
            if not of and known < max_histograms then
                of = {n = 0, counts = {}}
                now[name], known = of, known + 1
            end
            if of then
                of.n = of.n + 1
                add(of.counts, values, 1)
                if build then
                    local counts = build[half][name]
                    if not counts then
                        counts = {}
                        build[half][name] = counts
                    end
                    add(counts, values, 1)
                end
            end
        end
    end
    return 0
end

local function remember(title, before, counts)
    table.insert(changed, 1, {title = title, before = before, now = counts})
    changed[drawn + 1] = nil
end

local function largest(list)
    local most = 0
    for _, v in ipairs(list) do most = math.max(most, v) end
    return most
end

-- Ends an interval: each histogram is held against those before it.
local function close()
    for name, of in pairs(now) do
        if of.n >= minimum then
            local ref = reference[name]
            if ref then
                local a, b = arrays(of.counts, ref)
                local distance = anomaly.earth_mover(a, b)
                if distance then
                    local list = usual[name] or {}
                    local _, _, p = anomaly.chi_square(a, b)
                    if #list >= 5 and distance > TIMES * largest(list) and distance > LEAST and p and p < 1e-6 then
                        remember(name .. ", with the time", ref, of.counts)
                        alert.send(name, "histogram " .. name .. " has another shape", string.format("its counts moved by %.2f buckets on average, and by %.2f at most in the %d intervals before; Pearson's correlation is %.2f",
                            distance, largest(list), #list, anomaly.pearson(a, b) or 0))
                    end
                    table.insert(list, 1, distance)
                    list[samples + 1] = nil
                    usual[name] = list
                end
                local kept = {}
                add(kept, ref, KEEP)
                add(kept, of.counts, 1)
                reference[name] = kept
            else
                reference[name] = of.counts
            end
            now[name] = {n = 0, counts = {}}
        end
    end
end

local function both(build, name)
    local sum = {}
    add(sum, build[1][name] or {}, 1)
    add(sum, build[2][name] or {}, 1)
    return sum
end

-- Holds a build that is complete against the one before it. How far both halves of a build are apart is chance.
local function compare(id, build)
    local before, before_id
    for other, b in pairs(builds) do
        if other < id and b.n >= submissions and (not before_id or other > before_id) then before, before_id = b, other end
    end
    build.told = true
    if not before then return end
    local names = {}
    for name in pairs(build[1]) do
        local x, y = arrays(both(build, name), both(before, name))
        local distance = anomaly.earth_mover(x, y)
        local chance = math.max(anomaly.earth_mover(arrays(build[1][name] or {}, build[2][name] or {})) or 0, anomaly.earth_mover(arrays(before[1][name] or {}, before[2][name] or {})) or 0)
        local _, _, p = anomaly.chi_square(x, y)
        if distance and distance > TIMES * chance and distance > LEAST and p and p < 1e-9 then
            names[#names + 1] = name
            remember(name .. ", build " .. id .. " after " .. before_id, both(before, name), both(build, name))
        end
    end
    if #names == 0 then return end
    table.sort(names)
    alert.send("build " .. id, string.format("build %s differs from %s in %d histograms", id, before_id, #names), table.concat(names, "\n"))
end

local function escaped(s) return (string.gsub(s, "[&<>\"]", {["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;"})) end

local function draw(c)
    local a, b, order = arrays(c.before, c.now)
    local n, m, top = 0, 0, 0
    for i = 1, #a do n, m = n + a[i], m + b[i] end
    if n == 0 or m == 0 then return end
    for i = 1, #a do top = math.max(top, a[i] / n, b[i] / m) end
    add_to_payload("<figure><figcaption>", escaped(c.title), "</figcaption><svg viewBox='0 0 400 120' width='400' height='120' role='img' aria-label='", escaped(c.title), "'>")
    local w = 400 / #a
    for i = 1, #a do
        local p, q = 100 * a[i] / n / top, 100 * b[i] / m / top
        add_to_payload(string.format("<rect class='b' x='%.1f' y='%.1f' width='%.1f' height='%.1f'/><rect class='n' x='%.1f' y='%.1f' width='%.1f' height='%.1f'/>",
            (i - 1) * w, 100 - p, w * 0.45, p, (i - 0.5) * w, 100 - q, w * 0.45, q))
    end
    add_to_payload("<text x='0' y='115'>", escaped(order[1]), "</text><text x='400' y='115' text-anchor='end'>", escaped(order[#order]), "</text></svg></figure>")
end

function timer_event(ns)
    local r = newest - newest % interval
    if r > row then
        if row > 0 then close() end
        row = r
    end
    for id, build in pairs(builds) do
        if not build.told and build.n >= submissions then compare(id, build) end
    end
    local list, shown = {}, changed
    if #changed == 0 then -- how they are, beside how they were
        local names = {}
        for name in pairs(reference) do names[#names + 1] = name end
        table.sort(names)
        shown = {}
        for i = 1, math.min(drawn, #names) do shown[i] = {title = names[i], before = reference[names[i]], now = now[names[i]] and now[names[i]].counts or {}} end
    end
    if #shown == 0 then return end
    add_to_payload("<style>body{font:13px sans-serif;display:flex;flex-wrap:wrap;gap:1em}figure{margin:0}.b{fill:#9aa5b1}.n{fill:#d9480f}text{font-size:11px;fill:#667}</style>",
        "<p style='width:100%'>", #changed == 0 and "No histogram has changed. " or "The newest changes. ", "Grey is before, orange now.</p>")
    for _, c in ipairs(shown) do draw(c) end
    inject_payload("html", "Histograms")
end
