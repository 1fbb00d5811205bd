--## environments
local function f() return x end
x = "global" print(f()) setfenv(f, {x = "env"}) print(f(), getfenv(f).x, getfenv(1) == _G)
local function g() setfenv(1, {print = print}) y = 1 print(y, x) end g() print(y)
local env = setmetatable({}, {__index = _G}) local function h() z = 5 return print ~= nil end setfenv(h, env) print(h(), env.z, z)
print(getfenv(0) == _G, pcall(setfenv, print, {}) )
--## module idiom
local M = {} local print = print
local function def() setfenv(1, M) function hello() return "hi" end value = 3 end def()
print(M.hello(), M.value, hello)
--## select and unpack
print(select(2, "a", "b", "c"), select(-1, "a", "b"), select("#")) print(pcall(select, 0)) print(unpack({1, 2, 3}), unpack({1, 2}, 2), unpack({}, 1, 3)) print((unpack({1, 2})))
--## tostring and tonumber
print(tostring(nil), tostring(true), tostring(1), tostring(-0.5), tostring(1e100), tostring(2^63), 1e300 * 1e10, -1e300 * 1e10)
print(tonumber("10"), tonumber(" 0x1F "), tonumber("1e2"), tonumber("abc"), tonumber("10", 2), tonumber("zz", 36), tonumber(""), tonumber("1 2"), tonumber(nil))
--## type and rawequal
print(type(nil), type(1), type("s"), type({}), type(print), type(coroutine.create(function() end)), pcall(type)) print(rawequal("a", "a"), rawequal({}, {}), rawequal(1, 1.0))
--## next and pairs
local t = {a = 1, b = 2, c = 3, 10, 20} local keys = {} for k in pairs(t) do keys[#keys + 1] = tostring(k) end table.sort(keys) print(table.concat(keys, " "))
for k in pairs(t) do t[k] = nil end print(next(t)) print(next({}), next({5}))
local n = 0 for i, v in ipairs({1, 2, nil, 4}) do n = n + v end print(n)
--## sort with comparators
local t = {5, 2, 8, 1, 9, 3} table.sort(t) print(table.concat(t, " ")) table.sort(t, function(a, b) return a > b end) print(table.concat(t, " "))
local w = {"pear", "fig", "apple"} table.sort(w, function(a, b) return #a < #b end) print(table.concat(w, " "))
print(pcall(table.sort, {1, "x"})) print(pcall(table.sort, {3, 2, 1}, function(a, b) error("cmp", 0) end))
local objs = {} local m = {__lt = function(a, b) return a.k < b.k end} for i = 5, 1, -1 do objs[#objs + 1] = setmetatable({k = i}, m) end table.sort(objs) for _, o in ipairs(objs) do io.write(o.k, " ") end print()
--## gsub with all kinds of replacements
print(("hello world"):gsub("o", "0"), ("hello"):gsub("l", {l = "L"}), ("hello"):gsub("(l)(l)", "%2-%1-%0"), ("abc"):gsub("%w", function(c) return c:upper() .. "." end))
print(("abc"):gsub("", "-"), ("abc"):gsub("b", function() end), ("abc"):gsub("b", function() return false end), ("a b c"):gsub(" ", "%%"), ("x"):gsub("x", "%%1"))
print(pcall(string.gsub, "x", "x", function() return {} end)) print(pcall(string.gsub, "x", "(", "")) print(("abcabc"):gsub("a", "z", 1))
print(("hello world"):gsub("(%w+) (%w+)", function(a, b) return b .. " " .. a end)) print(("$name is $age"):gsub("%$(%w+)", setmetatable({}, {__index = function(_, k) return k:upper() end})))
--## gmatch
for k, v in ("a=1, b=2"):gmatch("(%w+)=(%w+)") do io.write(k, v, ";") end print() for w in ("one two"):gmatch("%a+") do io.write(w, ".") end print()
for p in ("abc"):gmatch("()") do io.write(p, " ") end print()
--## string.format
print(string.format("%d %5d %-5d| %05d %+d %x %X %o %c %e %E %.3f %g %G %s %q %% %10s|%-10s|", 42, 42, 42, 42, 42, 255, 255, 8, 65, 12345.678, 0.00012, 1/3, 1e20, 1e-10, "str", 'q"\n\0', "r", "l"))
print(pcall(string.format, "%d", "x")) print(pcall(string.format, "%y", 1)) print(string.format("%s %s", 1, true and "t")) print(pcall(string.format, "%s")) print(string.format("%.3s|%5.1s|", "abcdef", "xyz"))
--## table functions
local t = {1, 2, 3} table.insert(t, 4) table.insert(t, 1, 0) print(table.concat(t, ","), table.remove(t), table.remove(t, 1), table.concat(t, ",")) print(table.remove({}), #t, table.maxn({1, 2, [10] = 3}), table.getn(t))
print(pcall(table.insert, t)) print(pcall(table.concat, {1, {}, 3})) print(table.concat({}, ","), table.concat({1, 2, 3}, "-", 2, 3), table.concat({1, 2}, ", "))
table.foreach({5}, print) print(table.foreachi({1, 2, 3}, function(i, v) if v == 2 then return "found" end end))
--## math
print(math.floor(-1.5), math.ceil(-1.5), math.abs(-3), math.max(1, 3, 2), math.min(1, -3), math.sqrt(16), math.fmod(-7, 3), math.modf(3.7), math.huge, -math.huge, math.pi) print(math.frexp(8), math.ldexp(0.5, 4), math.log(1), math.exp(0), math.pow(2, 8), math.deg(math.pi), math.rad(180)) print(pcall(math.floor, "x"), pcall(math.max), math.floor("3.7"))
--## dates
print(os.date("!%Y-%m-%d %H:%M:%S", 0), os.date("!%A %B %j %p", 86400 * 200), os.time({year = 2020, month = 1, day = 1, hour = 0}), os.date("!*t", 3600).hour, os.difftime(5, 3))
--## string functions
print(("abc"):byte(1, -1), string.char(72, 105), ("abc"):reverse(), ("AbC"):lower(), ("abcdef"):sub(-3, -2), ("abc"):sub(0), ("abc"):sub(5), ("abc"):sub(2, 1), ("x"):rep(0), ("ab"):rep(2)) print(("hello"):find("l"), ("hello"):find("l", 1, true), ("hello"):find("xyz"), ("hello"):find(""), ("hello"):find("", 10), ("a.b"):find(".", 1, true), ("a+b"):find("+", 1, true)) print(("key = value"):match("^(%w+)%s*=%s*(%w+)$"), ("2024-01-02"):match("(%d+)-(%d+)-(%d+)"), ("x"):match("()"), ("[[x]]"):match("%[%[(.-)%]%]"), ("f(a(b)c)d"):match("%b()"), ("THE (quick) fox"):find("%((%a+)%)"))
