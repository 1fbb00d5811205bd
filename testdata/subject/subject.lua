-- The subject of package sandboxtest in Lua; what it does is said there.
require "string"
local what, n, size = read_config("what") or "", read_config("n") or 0, read_config("size") or 0

count = 0
local kept = {}
local alert = what == "alert" and require "heka.alert"
local buffer
if what == "buffer" then
    require "circular_buffer"
    buffer = circular_buffer.new(3, 2, 60)
    buffer:set_header(1, "one")
end

local function flag(b) return b and 1 or 0 end

local function inject()
    for _ = 1, n do inject_message({Type = "made", Payload = string.rep("x", size)}) end
end

local does = {
    spin = function() while true do end end,
    grow = function() while true do kept[#kept + 1] = string.rep(tostring(#kept), 100) end end,
    raise = function() error("raised") end,
    inject = inject,
    headers = function()
        inject_message({Type = "made", Uuid = "0123456789abcdef", Timestamp = 5, Logger = "other", Hostname = "other", Pid = 1, Severity = 3, EnvVersion = "e"})
    end,
    fields = function()
        inject_message({Type = "made", Fields = {
            {name = "s", value = {"a", "b"}}, {name = "b", value = "\255", value_type = 1, representation = "json"},
            {name = "i", value = {1, -2}, value_type = 2}, {name = "d", value = 0.5}, {name = "t", value = {true, false}}}})
    end,
    read = function()
        local r = read_message
        local all = {r("Type"), r("Logger"), r("Hostname"), r("Payload"), r("Pid"), r("Timestamp") / 1e9, r("Severity"), r("size"),
            r("Fields[text]"), r("Fields[text]", 0, 1), r("Fields[text]", 1), r("Fields[whole]", 0, 1), r("Fields[real]"),
            flag(r("Fields[flag]")), r("Fields[odd.name-[x]]"), r("EnvVersion") or "", r("Fields[none]") or ""}
        for i = 1, #all do
            if i > 1 then add_to_payload("|") end
            add_to_payload(all[i])
        end
        inject_payload("txt", "read")
    end,
    payload = function()
        for _ = 1, n do add_to_payload(string.rep("x", size)) end
        inject_payload("txt", "p")
    end,
    print = function() for _ = 1, n do print("line") end end,
    alert = function()
        alert.send("x", "short", "long")
        alert.send("x", "short", "long")
        alert.send("y", "short", "long", 0)
    end,
    buffer = function()
        buffer:add(600e9, 1, n)
        inject_payload("cbuf", "g", buffer:format("cbuf"))
    end,
    config = function()
        inject_payload("txt", "c", read_config("text"), "|", read_config("number"), "|", flag(read_config("flag")))
    end,
    count = function() count = count + 1 end,
}

if what == "load" then does.spin() end

function process_message()
    if what == "status" then return n, n ~= 0 and "why" or nil end
    if does[what] then does[what]() end
    return 0
end

function timer_event()
    if what == "count" then
        inject_payload("txt", "count", count)
    elseif what == "inject" or what == "spin" then
        does[what]()
    end
end
