--## error values
print(pcall(error)) print(pcall(error, nil)) print(pcall(error, "m")) print(pcall(error, "m", 0)) print(pcall(error, 5))
print(select(2, pcall(error, setmetatable({}, {__tostring = function() return "obj" end}))))
print(pcall(function() error("here") end)) print(pcall(function() error("lvl2", 2) end)) print(pcall(function() error("no", 0) end)) print(pcall(function() error(true) end))
--## error levels through functions
local function a() error("one", 1) end
local function b() error("two", 2) end
local function c() b() end
print(pcall(a))
print(pcall(c))
--## names in messages
local t = {}
print(pcall(function() t.x.y = 1 end))
print(pcall(function() return t.x.y end))
print(pcall(function() undef() end))
print(pcall(function() t.nope() end))
print(pcall(function() t:nope() end))
print(pcall(function() local u u.x = 1 end))
print(pcall(function() local u return u[1] end))
print(pcall(function() return undef + 1 end))
print(pcall(function() return t.x + 1 end))
print(pcall(function() return -t end))
print(pcall(function() return #nil end))
print(pcall(function() local s = "x" return s < 1 end))
print(pcall(function() return t .. "x" end))
print(pcall(function() t[nil] = 1 end))
--## upvalue names
local up
print(pcall(function() return up.x end))
print(pcall(function() up() end))
print(pcall(function() return up + 1 end))
print(pcall(function() return up .. "x" end))
--## pcall nests and returns
print(pcall(pcall, error, "x")) print(pcall(pcall)) print(pcall(function() return 1, nil, 3, nil end)) print(select("#", pcall(function() return 1, nil, nil end)))
print(pcall(function() local ok, e = pcall(error, "in") error(e .. " out", 0) end))
--## xpcall
print(xpcall(function() error("x") end, function(m) return "handled " .. m end))
print(xpcall(function() return 1, 2 end, print))
print(xpcall(function() error({code = 7}) end, function(e) return e.code end))
print(xpcall(function() local x = nil; x() end, function(m) return (m:gsub("^.-:%d+: ", "")) end))
--## assert
print(pcall(assert, false)) print(pcall(assert, nil, "why")) print(pcall(assert, 1, 2, 3)) print(pcall(assert)) print(select("#", assert(1, nil, 3)))
--## errors in iterators and metamethods
print(pcall(function() for x in function() error("iter") end do end end))
print(pcall(function() return setmetatable({}, {__index = function(_, k) error("idx " .. k, 0) end}).foo end))
print(pcall(function() return setmetatable({}, {__add = function() error("add", 0) end}) + 1 end))
print(pcall(string.rep)) print(pcall(string.rep, "x", {})) print(pcall(("x").rep, "x", "y")) print(pcall(setmetatable, 1, {})) print(pcall(ipairs)) print(pcall(next, {}, "no"))
--## errors close upvalues
local f
print(pcall(function() local x = 1 f = function() x = x + 1 return x end error("e", 0) end)) print(f(), f())
--## tostring of numbers in messages
print(pcall(error, 12.5)) print(pcall(function() error(12) end)) print(pcall(function() local a = {} a[1.5].x = 1 end))
