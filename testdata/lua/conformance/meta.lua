--## index and newindex
local log = {}
local t = setmetatable({}, {__index = function(t, k) log[#log + 1] = "get " .. k return k .. "!" end,
  __newindex = function(t, k, v) log[#log + 1] = "set " .. k rawset(t, k, v) end})
print(t.a, t.b) t.c = 1 t.c = 2 print(t.c, rawget(t, "a"), table.concat(log, ","))
--## index chains of tables
local a = {x = 1} local b = setmetatable({y = 2}, {__index = a}) local c = setmetatable({z = 3}, {__index = b})
print(c.x, c.y, c.z, c.w) a.w = 4 print(c.w) b.x = 10 print(c.x) rawset(b, "x", nil) print(c.x)
--## newindex into another table
local store = {} local p = setmetatable({}, {__newindex = store, __index = store})
p.a = 1 print(rawget(p, "a"), store.a, p.a)
--## arithmetic events
local m = {} for _, e in ipairs{"add", "sub", "mul", "div", "mod", "pow"} do
  m["__" .. e] = function(a, b) return e .. ":" .. (type(a) == "table" and "t" or a) .. ":" .. (type(b) == "table" and "t" or b) end end
m.__unm = function(a, b) return "unm" .. tostring(rawequal(a, b)) end
local t = setmetatable({}, m)
print(t + 1, 1 + t, t - t, "2" * t, t / 2, 2 % t, t ^ 2, -t)
print(pcall(function() return {} + 1 end)) print(pcall(function() return 1 + nil end)) print(pcall(function() return "x" + 1 end))
--## concat
local t = setmetatable({}, {__concat = function(a, b) return (type(a) == "table" and "T" or a) .. "|" .. (type(b) == "table" and "T" or b) end})
print(t .. "x", "x" .. t, 1 .. t, t .. t, "a" .. "b" .. t, t .. "a" .. "b", "a" .. t .. "b")
print(pcall(function() return "a" .. nil end)) print(pcall(function() local x = {} return x .. "a" end))
--## equality
local m = {__eq = function(a, b) return a.v == b.v end}
local a, b, c = setmetatable({v = 1}, m), setmetatable({v = 1}, m), setmetatable({v = 2}, m)
print(a == b, a == c, a ~= b, a == 1, rawequal(a, b), a == setmetatable({v = 1}, {__eq = m.__eq}), a == setmetatable({v = 1}, {}))
--## order
local m = {__lt = function(a, b) return a.v < b.v end, __le = function(a, b) return a.v <= b.v end}
local function n(v) return setmetatable({v = v}, m) end
print(n(1) < n(2), n(2) < n(1), n(1) <= n(1), n(1) > n(2), n(2) >= n(1))
local half = {__lt = function(a, b) return a.v < b.v end}
local x, y = setmetatable({v = 1}, half), setmetatable({v = 2}, half) print(x <= y, y <= x, x >= y)
print(pcall(function() return n(1) < 2 end)) print(pcall(function() return n(1) < setmetatable({}, {__lt = function() end}) end))
--## results of comparison events become booleans
local m = {__lt = function() return "yes" end, __le = function() return nil end, __eq = function() return 1 end}
local a, b = setmetatable({}, m), setmetatable({}, m) print(a < b, a <= b, a == b, not (a < b))
if a < b then print("then") end while a <= b do print("never") end
--## call
local t = setmetatable({}, {__call = function(self, ...) return select("#", ...), ... end})
print(t(), t(1, nil), (t(5)))
print(pcall(t, 1, 2)) print(pcall(function() local x = 5 x() end)) print(pcall(function() ({})() end))
local function tail() return t(9) end print(tail())
--## tostring and metatable fields
local t = setmetatable({}, {__tostring = function() return "I" end, __metatable = "locked"})
print(tostring(t), getmetatable(t), pcall(setmetatable, t, {})) print(getmetatable("").__index == string)
print(t)
--## metamethods that are not functions
local c = setmetatable({}, {__call = function(_, a, b) return "called", b end})
local t = setmetatable({}, {__index = c, __add = c}) print(pcall(function() return t + 1 end)) print(t.x)
--## metamethods with several results keep the first
local t = setmetatable({}, {__index = function() return 1, 2 end, __add = function() return 3, 4 end, __len = function() return 9 end})
print(t.x, (t + t), #t)
--## string methods
local s = "Hello" print(s:upper(), s:len(), ("x"):rep(3), #s:sub(2), type(s.len), pcall(function() return s.nope.x end))
--## events inside events
local t = setmetatable({}, {__index = function(t, k) return setmetatable({}, {__index = function(_, j) return k .. j end})[1] end})
print(t.a, t.b .. t.c)
--## next index with inheritance of classes
local Base = {} Base.__index = Base function Base.new(c, ...) local o = setmetatable({}, c) o:init(...) return o end function Base:init(n) self.n = n end
local Sub = setmetatable({}, {__index = Base}) Sub.__index = Sub Sub.__tostring = function(s) return "Sub(" .. s.n .. ")" end
function Sub:init(n, m) Base.init(self, n) self.m = m end
local o = Sub:new(1, 2) print(o.n, o.m, tostring(o), getmetatable(o) == Sub, rawget(o, "new"))
