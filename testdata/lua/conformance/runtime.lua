--## sort is C's
local function show(t) print(table.concat(t, " ")) end
local t = {} for i = 1, 40 do t[i] = (i * 37) % 11 end table.sort(t) show(t)
local function pairsOf(n, m) local t = {} for i = 1, n do t[i] = {k = (i * 7919) % m, i = i} end return t end
for _, n in ipairs{0, 1, 2, 3, 4, 5, 10, 33, 100} do for _, m in ipairs{1, 2, 3, 7} do
local t = pairsOf(n, m) table.sort(t, function(a, b) return a.k < b.k end)
local s = {} for i = 1, #t do s[i] = t[i].k .. ":" .. t[i].i end show(s) end end
--## how often sort asks
local n = 0
local t = {} for i = 1, 100 do t[i] = (i * 31) % 101 end
table.sort(t, function(a, b) n = n + 1 return a < b end) print(n)
n = 0 table.sort(t, function(a, b) n = n + 1 return a < b end) print(n)
n = 0 table.sort(t, function(a, b) n = n + 1 return a > b end) print(n)
--## sort with functions that contradict themselves
print(pcall(table.sort, {3, 1, 2, 5, 4}, function() return true end))
local t = {5, 4, 3, 2, 1, 9, 8} print(pcall(table.sort, t, function() return false end)) print(table.concat(t, " "))
print(pcall(table.sort, {1, 2, 3, 4, 5, 6}, function(a, b) return a <= b end))
print(pcall(table.sort, {1, 1, 1, 1}, function(a, b) return a <= b end))
local nan = 0/0
local t = {3, nan, 1, nan, 2, 5, nan, 4} print(pcall(table.sort, t)) for i = 1, #t do io.write(tostring(t[i]):gsub("-", ""), " ") end print()
--## sort of strings and mixed values
local t = {"b", "a", "B", "", "aa", "\0", "a\0b", "z"} table.sort(t) for i = 1, #t do io.write(string.format("%q ", t[i])) end print()
print(pcall(table.sort, {1, "x"})) print(pcall(table.sort, {{}, {}})) print(pcall(table.sort, {1, nil, 3}))
print(pcall(table.sort, {true, false}))
local mt = {__lt = function(a, b) return a.n < b.n end}
local t = {} for i = 1, 10 do t[i] = setmetatable({n = (i * 3) % 10}, mt) end table.sort(t) for i = 1, 10 do io.write(t[i].n, " ") end print()
--## sort leaves what was done when it fails
local t = {5, 3, 4, 1, 2, 8, 7} local n = 0
print(pcall(table.sort, t, function(a, b) n = n + 1 if n == 9 then error("stop") end return a < b end)) print(table.concat(t, " "))
--## positions of errors that functions of C raise
print(pcall(function() table.sort({1, {}}) end))
print(pcall(function() next({}, "nokey") end))
print(pcall(function() rawset({}, nil, 1) end))
print(pcall(function() local t = {} t[nil] = 1 end))
print(pcall(function() local t = {} t[0/0] = 1 end))
print(pcall(function() setmetatable({}, {__metatable = 1}) setmetatable(setmetatable({}, {__metatable = 1}), {}) end))
print(pcall(function() return tostring(setmetatable({}, {__tostring = function() return 5 end})) end))
print(pcall(function() ("x"):rep(1, 2, {}) end))
print(pcall(function() return table.concat({1, {}, 3}) end))
print(pcall(function() return ("%d"):format("x") end))
print(pcall(function() return unpack({}, 1, 1e8) end))
--## names of functions in errors of arguments
local function try(f, ...) print(select(2, pcall(f, ...))) end
try(function() string.rep() end)
try(function() ("x"):rep({}) end)
try(function() ("x").rep({}, 1) end)
try(function() string.rep({}, 1) end)
try(function() local r = string.rep r() end)
try(function() local t = {f = string.rep} t.f() end)
try(function() local t = {f = string.rep} t:f(1) end)
try(function() local t = {string.rep} t[1]() end)
try(string.rep) try(pcall, string.rep) try(xpcall) try(pcall)
try(function() return string.rep() end)
try(function() setmetatable(1, 2) end) try(function() setmetatable({}) end)
try(function() for i in ipairs() do end end) try(function() for k in pairs(nil) do end end)
try(function() for x in string.rep do end end)
try(function() tonumber() end) try(function() tonumber("1", 99) end) try(function() select(0) end) try(function() rawget(1) end)
try(function() math.floor({}) end) try(function() math.floor("x") end) try(function() math.max() end)
try(function() return setmetatable({}, {__index = string.rep}).x end)
try(function() return setmetatable({}, {__add = string.rep}) + 1 end)
try(function() local co = coroutine.wrap(string.rep) end)
--## errors in handlers of xpcall
print(xpcall(function() error("a") end, function() error("b") end))
print(xpcall(function() error("a") end, nil))
print(xpcall(function() error("a") end, 5))
print(xpcall(function() error("a") end, setmetatable({}, {__call = function() return "called" end})))
local first = true
print(xpcall(function() error("a") end, function(e) if first then first = false error("b") end return "handled " .. e end))
print(xpcall(function() return 1, 2, 3 end, print))
print(xpcall(function() error({}) end, function(e) return type(e) end))
print(xpcall(function() local x = nil + 1 end, function(e) return e, 2 end))
print(xpcall(error, function(e) return e end))
--## errors of coroutines
local w = coroutine.wrap(function() error("e") end) print(pcall(function() w() end))
local w = coroutine.wrap(function() error("e", 0) end) print(pcall(function() w() end)) 
local w = coroutine.wrap(function() error({}) end) print(pcall(function() return type(select(2, pcall(w))) end))
local w = coroutine.wrap(function() error(5) end) print(pcall(function() w() end))
local w = coroutine.wrap(function() coroutine.yield(1) error("later") end) print(w(), pcall(w))
local w = coroutine.wrap(function() return 1 end) w() print(pcall(w)) print(pcall(function() w() end))
local co = coroutine.create(function() error("e") end) print(coroutine.resume(co)) print(coroutine.resume(co)) print(coroutine.status(co))
local co = coroutine.create(function(...) local a = coroutine.yield(...) return a end) print(coroutine.resume(co, 1, 2)) print(coroutine.resume(co, 3)) print(coroutine.status(co))
local inner = coroutine.wrap(function() error("deep") end)
local outer = coroutine.wrap(function() inner() end) print(pcall(function() outer() end))
--## __call
print(pcall(setmetatable({}, {__call = setmetatable({}, {__call = function() return 1 end})})))
print(setmetatable({}, {__call = function(self, a, b) return a + b end})(1, 2))
print(pcall(setmetatable({}, {__call = 5})))
print(pcall(function() local t = setmetatable({}, {__call = {}}) t() end))
local obj = setmetatable({}, {__call = function(self, ...) return select("#", ...) end}) print(obj(), obj(nil), obj(1, 2, nil))
--## levels of getfenv and setfenv
print(type(getfenv(0)), type(getfenv(1)), getfenv(1) == _G, getfenv() == _G)
print(pcall(getfenv, 0)) 
print(type(select(2, pcall(getfenv, 1))), pcall(getfenv, -1))
print(pcall(getfenv, 100))
print(pcall(setfenv, 1, {}))
local function f() return x end setfenv(f, {x = 5}) print(f(), getfenv(f).x)
print(pcall(setfenv, print, {})) print(pcall(getfenv, "x"))
print(getfenv(print) == _G)
--## levels of error
local function l1() error("1", 1) end local function l2() error("2", 2) end local function l3() error("3", 3) end local function l0() error("0", 0) end
print(pcall(l0)) print(pcall(l1)) print(pcall(l2)) print(pcall(function() l2() end)) print(pcall(function() l3() end)) print(pcall(function() (function() l3() end)() end))
print(pcall(error)) print(pcall(error, nil)) print(pcall(error, "x", 1)) print(pcall(error, "x", 2)) print(pcall(error, 5, 1))
print(pcall(function() error(5) end)) print(pcall(function() error(true) end)) print(pcall(function() error() end))
print(pcall(function() assert(false) end)) print(pcall(function() assert(nil, "m") end)) print(pcall(function() assert(false, 5) end)) print(pcall(assert)) print(assert(1, 2, 3))
--## os.time and os.date
print(os.time{year = 2000, month = 1, day = 1, hour = 12, isdst = true}, os.time{year = 2000, month = 1, day = 1, hour = 12, isdst = false}, os.time{year = 2000, month = 1, day = 1})
for c = 58, 126 do local ch = string.char(c) print(ch, os.date("!%" .. ch, 1e9), os.date("!%" .. ch, 0)) end
print(os.date("!%", 0), os.date("!x%", 0), os.date("!%Ey %Od", 0), os.date("!%%", 0), os.date("!", 0))
print(os.date("!*t", 86399).hour, os.date("*t", 0).isdst, os.date("!%c", -1))
print(pcall(os.time, {year = 2000})) print(pcall(os.time, {year = "x", month = 1, day = 1})) print(os.time{year = "2000", month = "2", day = "3", hour = "0"})
print(os.time{year = 2000, month = 14, day = -3, hour = 25, min = -1, sec = 3600})
--## format and characters of value 0
print(#string.format("%5s", "a\0b"), #string.format("%s", "a\0b"), #string.format("%.5s", "a\0b"), #string.format("%-5s|", "a\0b"), #string.format("%s", ("x\0"):rep(60)), #string.format("%.99s", ("x\0"):rep(60)))
print(#string.format("%c", 0), #string.format("%c%c", 65, 0), string.format("%q", "a\0b\n\r\"\\"))
print(string.format("%5.1f|%-8d|%+d|% d|%05d|%x|%X|%#x|%o|%e|%g|%G|%i|%u", 3.14159, 42, 5, 5, 42, 255, 255, 255, 8, 12345.678, 0.0001, 1e20, 3.9, 7))
print(pcall(string.format, "%y", 1)) print(pcall(string.format, "%", 1)) print(pcall(string.format, "%d")) print(pcall(string.format, "%123d", 1)) print(pcall(string.format, "%.123d", 1)) print(pcall(string.format, "%-#0+ 5d", 1)) print(pcall(string.format, "%--------d", 1))
--## gfind and gcinfo
print(string.gfind == string.gmatch, type(gcinfo()))
for a in string.gfind("a b", "%a") do io.write(a) end print()
--## unpack and lists with holes
print(unpack({true, nil, "err"})) print(unpack({1, 2, 3}, 2)) print(unpack({1, 2, 3}, 2, 5)) print(unpack({}, 1, 3)) print((unpack({1, 2})))
local function f() return nil, "msg" end local r = {f()} print(#r, unpack(r))
print(#{nil, 2}, #{1, nil, 3}, #{nil, nil, 3}, #{nil}, #{nil, nil}, #{1, nil}, #{n = 1, nil, 2})
local t = {pcall(function() return nil, 2 end)} print(#t, t[3])
local t = {1, 2, 3} t[3] = nil print(#t) t[2] = nil print(#t) t[5] = 1 print(#t)
local t = {} t[1] = 1 t[2] = 2 t[3] = 3 print(#t)
--## select
print(select(2, "a", "b", "c")) print(select(-1, "a", "b", "c")) print(select("#")) print(select("#", nil)) print(select(5, 1)) print(pcall(select, -5, 1)) print(pcall(select, 0, 1)) print(pcall(select))
--## tostring and tonumber
print(tostring(nil), tostring(true), tostring(1), tostring(1.5), tostring("x"), tostring(1e15), tostring(1e14), tostring(-0), tostring(2^53), tostring(1e100), tostring(0.1), tostring(1/3))
print(tonumber("10"), tonumber(" 10 "), tonumber("0x10"), tonumber("1e2"), tonumber(""), tonumber(" "), tonumber("1 2"), tonumber("10", 2), tonumber("zz", 36), tonumber("8", 8), tonumber("ff", 16), tonumber("0xff", 16), tonumber({}), tonumber("1e"), tonumber("."), tonumber("5."), tonumber(".5"), tonumber("0x"), tonumber("1_000"))
print(tonumber("-0x10"), tonumber("- 1"), tonumber("+5"), tonumber("inf") == math.huge, tonumber("nan") ~= tonumber("nan"), tonumber("1e400"), tonumber("-ff", 16), tonumber(12, 8), tonumber("7.5", 10))
print(tostring(print):match("^function: 0x%x+$") ~= nil, tostring({}):match("^table: 0x%x+$") ~= nil, tostring(function() end):match("^function: 0x%x+$") ~= nil)
--## concat, insert, remove, maxn, getn, foreach
local t = {1, 2, 3} table.insert(t, 4) table.insert(t, 1, 0) print(table.concat(t, ","), table.remove(t), table.remove(t, 1), table.concat(t, "-", 2, 3), table.remove({}), table.maxn({1, 2, [10] = 1, x = 1}))
print(pcall(table.insert, {}, 1, 2, 3)) print(pcall(table.insert, {})) print(pcall(table.insert, nil, 1)) print(table.concat({}), table.concat({1}, ","), table.concat({1, "a", 2.5}, ", "), pcall(table.concat, {1, true}))
print(table.getn({1, 2}), pcall(table.setn, {}, 1)) table.foreach({10}, print) table.foreachi({10, 20}, print) print(table.foreachi({1, 2, 3}, function(i, v) if i == 2 then return v end end))
local t = {} table.insert(t, 5, "x") print(t[5], #t) print(table.remove({1, 2, 3}, 7), table.remove({n = 1}, 1))
--## math
print(math.floor(-1.5), math.ceil(-1.5), math.abs(-3), math.max(1, 5, 3), math.min(2, 0), math.fmod(7, 3), math.fmod(-7, 3), math.mod == nil, math.sqrt(16), math.pi, math.huge, -math.huge, math.modf(3.7), math.modf(-3.7))
print(math.pow(2, 10), math.exp(0), math.log(1), math.log10(1000), math.sin(0), math.cos(0), math.tan(0), math.asin(1), math.acos(1), math.atan(1), math.atan2(1, 1), math.sinh(0), math.cosh(0), math.tanh(0), math.deg(math.pi), math.rad(180), math.ldexp(1, 10), math.frexp(1024))
print(pcall(math.random, 0)) print(pcall(math.random, 2, 1)) print(pcall(math.random, 1, 2, 3)) print(math.random(1), math.random(5, 5))
print(math.floor(2^31), math.floor(1e300), math.fmod(1e300, 3), math.fmod(5, math.huge), math.huge % 2 ~= math.huge % 2)
--## strings
print(("hello"):sub(2, 3), ("hello"):sub(-3), ("hello"):sub(2), ("hello"):sub(0), ("hello"):sub(10), ("hello"):sub(-100, 2), ("hello"):sub(3, 2), ("x"):rep(0), ("x"):rep(-1), ("ab"):rep(3), ("abc"):reverse(), ("aBc"):upper(), ("aBc"):lower(), ("abc"):len(), #"")
print(("abc"):byte(), ("abc"):byte(2), ("abc"):byte(-1), ("abc"):byte(1, -1), ("abc"):byte(10), string.char(), string.char(72, 105)) print(pcall(string.char, 256)) print(pcall(string.char, -1)) print(pcall(string.char, "x"))
print(("hello world"):find("o w"), ("hello"):find("l"), ("hello"):find("xyz"), ("hello"):find(""), ("hello"):find("", 10), ("hello"):find("", 6), ("a.b"):find(".", 1, true), ("a.b"):find("%."), ("hello"):find("l", -2), ("hello"):find("(l)(l)"))
print(("key = value"):match("^(%w+)%s*=%s*(%w+)$"), ("2024-01-02"):match("(%d+)-(%d+)-(%d+)"), ("abc"):match("()b()"), ("abc"):match(".-"), ("[[x]]"):match("%[%[(.-)%]%]"), ("f(a(b)c)"):match("%b()"), ("THE (quick) fox"):find("%((%a+)%)"))
print(("hello"):gsub("l", "L"), ("hello"):gsub("l", "L", 1), ("hello"):gsub("", "-"), ("hello"):gsub("(h)(e)", "%2%1"), ("hello"):gsub("%w", "%0%0"), ("hello"):gsub("l", {l = "1"}), ("hello"):gsub("l", function() end), ("hello"):gsub("l", function(c) return c:upper() end), ("a b"):gsub("%s", "%%"))
print(pcall(string.gsub, "x", "x", "%2")) print(pcall(string.gsub, "x", "(", "")) print(pcall(string.gsub, "x", "%", "")) print(pcall(string.gsub, "x", "[a", "")) print(pcall(string.gsub, "x", "x", true)) print(pcall(string.gsub, "x", "x", function() return {} end)) print(pcall(string.find, "x", "%f")) print(pcall(string.find, "x", "%b"))
for k, v in ("a=1, b=2"):gmatch("(%w+)=(%w+)") do io.write(k, v, ";") end for w in ("one two"):gmatch("%a+") do io.write(w, ";") end for p in ("abc"):gmatch("()") do io.write(p, ";") end print()
print(("%a"):rep(2), ("x"):find("[%a-z]"), ("-"):find("[a%-z]"), ("]"):find("[]]"), ("^"):find("[%^]"), ("a"):find("[^%s]"), ("\0a"):find("%z"), ("THE"):find("%f[%a]%a+%f[%A]"))
--## metamethods
local mt = {} mt.__index = function(t, k) return k .. "!" end mt.__newindex = function(t, k, v) rawset(t, k, v * 2) end mt.__len = function() return 42 end mt.__unm = function() return "neg" end mt.__eq = function() return true end mt.__lt = function() return true end mt.__le = function() return false end mt.__tostring = function() return "obj" end
for _, op in ipairs{"add", "sub", "mul", "div", "mod", "pow"} do mt["__" .. op] = function(a, b) return op end end
local a, b = setmetatable({}, mt), setmetatable({}, mt) a.x = 5
print(a.x, a.y, #a, -a, a == b, a < b, a <= b, a > b, a >= b, a ~= b, tostring(a), a + 1, 1 - a, a * a, a / 2, a % 3, 2 ^ a, rawequal(a, b), rawget(a, "q"))
print(pcall(function() return a < 1 end)) print(pcall(function() return {} < a end)) print(a == 1, a == {}) print(pcall(function() return a .. "x" end))
local p = setmetatable({}, {__index = setmetatable({deep = 1}, {__index = {deeper = 2}})}) print(p.deep, p.deeper, p.none)
local ro = setmetatable({}, {__newindex = {}}) ro.x = 1 print(ro.x) print(getmetatable("").__index == string, getmetatable(setmetatable({}, {__metatable = "locked"})))
local le = setmetatable({}, {__lt = function(x, y) return "yes" end}) print(le <= le, le < le)
--## weak tables
local t = setmetatable({}, {__mode = "k"}) t[{}] = 1 print(type(next(t)), getmetatable(t).__mode)
--## tail of pairs while it changes
local t = {a = 1, b = 2, c = 3} for k in pairs(t) do t[k] = nil end print(next(t)) local t = {} for i = 1, 10 do t[i] = i end for k, v in pairs(t) do t[k] = v * 2 end print(t[10]) for i, v in ipairs({1, 2, nil, 4}) do io.write(i, " ") end print()
--## deep recursion ends
local function f(n) return 1 + f(n + 1) end local ok, e = pcall(f, 1) print(ok, e:match("stack overflow") ~= nil)
--## numbers in for loops
for i = 1, 3 do io.write(i, " ") end for i = 3, 1, -1 do io.write(i, " ") end for i = 0.1, 0.35, 0.1 do io.write(i, " ") end for i = "1", "3" do io.write(i, " ") end for i = 1, 0 do io.write("no") end for i = 1, 2, 5 do io.write(i, " ") end print()
print(pcall(function() for i = 1, 10, 0 do error("step 0 loops") end end))
--## levels that tail calls lost
local function where(level) error("here", level) end
local function one(level) where(level) end
local function two(level) return one(level) end
local function three(level) return two(level) end
local function outer(level) three(level) end
for level = 1, 8 do print(level, pcall(outer, level)) end
local function direct(level) return where(level) end
for level = 1, 5 do print(level, pcall(direct, level)) end
local function env(level) return (pcall(getfenv, level)) end
local function f(level) return env(level) end
for level = 1, 4 do print(level, (f(level))) end
local function real(level) local e = getfenv(level) return e == _G end
local function tail(level) return real(level) end
for level = 0, 5 do print(level, pcall(function() local e = tail(level) return e end)) end
local function count(n, level) if n > 0 then return count(n - 1, level) end error("deep", level) end
for level = 1, 14 do print(level, pcall(function() count(10, level) end)) end
