-- Tells when the disk of a host will be full, by how it filled in the last hours, and when little room is left.

require "circular_buffer"
require "string"
local alert = require "heka.alert"

local max_hosts, hours = read_config("max_hosts"), read_config("hours")
local least, soon = read_config("least"), read_config("soon")
hosts = {} -- host → column
rooms = {} -- column → bytes in all
count = 0
free  = circular_buffer.new(hours * 60, max_hosts, 60)

function process_message()
    local bytes, all = read_message("Fields[free]"), read_message("Fields[room]")
    if not bytes or not all then return 0 end
    local host = read_message("Hostname") or "?"
    local col = hosts[host]
    if not col then
        if count == max_hosts then return -2, "more hosts than max_hosts" end
        count = count + 1
        col, hosts[host] = count, count
        free:set_header(col, string.sub(host, 1, 15), "B", "none")
    end
    rooms[col] = all
    free:set(read_message("Timestamp"), col, bytes)
    return 0
end

-- How many bytes a second are lost, by least squares; nil while there is less than an hour.
local function slope(col)
    local values = free:get_range(col)
    local n, sx, sy, sxx, sxy = 0, 0, 0, 0, 0
    for i, v in ipairs(values) do
        if v == v then
            local x = i * 60
            n, sx, sy, sxx, sxy = n + 1, sx + x, sy + v, sxx + x * x, sxy + x * v
        end
    end
    if n < 60 then return nil end
    return -(n * sxy - sx * sy) / (n * sxx - sx * sx)
end

local function last(col, ns)
    for back = 0, 10 do
        local v = free:get(ns - back * 60e9, col)
        if v and v == v then return v end
    end
end

function timer_event(ns)
    free:add(ns, 1, 0/0)
    for host, col in pairs(hosts) do
        local left, all = last(col, ns), rooms[col]
        local lost = left and slope(col)
        if left and left < least * all then
            alert.send(host, "the disk of " .. host .. " is nearly full", string.format("%.1f of %.1f GB are free", left / 1e9, all / 1e9))
        elseif lost and lost > 0 and left / lost < soon * 3600 then
            alert.send(host, string.format("the disk of %s is full in %.0f h", host, left / lost / 3600),
                string.format("%.1f of %.1f GB are free, and %.1f GB an hour go", left / 1e9, all / 1e9, lost * 3600 / 1e9))
        elseif lost and left > 2 * least * all and (lost <= 0 or left / lost > 2 * soon * 3600) then
            alert.over(host, string.format("%.1f of %.1f GB are free", left / 1e9, all / 1e9))
        end
    end
    inject_payload("cbuf", "Free on disk", free)
end
