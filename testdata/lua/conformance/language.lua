--## operators and precedence
print(2 + 3 * 4 ^ 2 / 2, -2 ^ 2, not nil == true, 1 .. 2 .. 3, "a" < "b", 7 % -3, -7 % 3, 5.5 % 2)
print(2 ^ 3 ^ 2, (2 ^ 3) ^ 2, -3 % 5, 1 / 0, -1 / 0, 0 / 0 ~= 0 / 0, 10 / 4, 1e15, 1e16, 123456789012345)
print("10" + 5, "3" * "4", 10 .. "", -"2", "0x10" + 0, " 7 " + 0)
print(1 and 2, nil and 1, false or "x", nil or false, 1 or error("no"), not 0)
--## comparison of strings and numbers
print("a" < "B", "abc" < "abd", "" < "a", "Z" < "a", "a\0b" < "a\0c", 1 < 2, 2 <= 2, 3 > 4, "10" == 10)
print(pcall(function() return 1 < "2" end))
print(pcall(function() return {} < {} end))
print(pcall(function() return nil > 1 end))
--## numeric for
for i = 1, 3 do io.write(i, " ") end print()
for i = 3, 1, -1 do io.write(i, " ") end print()
for i = 1, 2, 0.25 do io.write(i, " ") end print()
for i = 1, 0 do print("never") end
for i = 0.1, 0.35, 0.1 do io.write(i, " ") end print()
for i = "1", "3" do io.write(i, " ") end print()
print(pcall(function() for i = 1, "x" do end end))
print(pcall(function() for i = {}, 1 do end end))
print(pcall(function() for i = 1, 2, {} do end end))
--## loops with break
local n = 0
while true do n = n + 1 if n > 5 then break end end
repeat local done = n > 8 n = n + 1 until done
for i = 1, 10 do for j = 1, 10 do if j > i then break end n = n + 1 end end
print(n)
--## closures over loop variables
local fs = {}
for i = 1, 3 do fs[#fs + 1] = function() i = i + 10 return i end end
print(fs[1](), fs[1](), fs[2](), fs[3]())
local k = 0
while k < 3 do k = k + 1 local c = k fs[k] = function() c = c + 1 return c end end
print(fs[1](), fs[1](), fs[2](), fs[3]())
repeat local x = 5 fs[1] = function() x = x + 1 return x end until x == 5
print(fs[1](), fs[1]())
--## closures that share a variable
local function pair() local n = 0 return function() n = n + 1 return n end, function(v) n = v end end
local get, set = pair()
print(get(), get()) set(10) print(get())
local get2 = pair() print(get2(), get())
--## nested closures
local function a(x) return function(y) return function(z) x = x + 1 return x + y + z end end end
local f = a(1)(2) print(f(3), f(3), a(1)(2)(3))
--## varargs
local function count(...) return select("#", ...) end
print(count(), count(nil), count(nil, nil), count(1, nil, 3))
local function pass(...) return ... end
print(pass(1, 2, 3), (pass(1, 2, 3)), pass(), (pass()))
local function rest(a, ...) local b, c = ... return a, b, c, select("#", ...) end
print(rest(1), rest(1, 2), rest(1, 2, 3, 4))
print((function(...) local t = {...} return #t, t[1], t[3] end)(7, 8, 9))
print((function(...) local t = {n = 0, ..., ...} return #t end)(1, 2, 3))
--## arg table of 5.1
local function old(...) return arg and arg.n end
print(type(old(1, 2)))
--## multiple assignment
local a, b, c = 1, 2 print(a, b, c)
a, b = b, a print(a, b)
local t = {1, 2} local i = 1
i, t[i] = i + 1, 20 print(i, t[1], t[2])
local function two() return 1, 2 end
local x, y, z = two(), two() print(x, y, z)
x, y, z = (two()) print(x, y, z)
x, y, z = 0, two() print(x, y, z)
--## table constructors
local t = {10, 20, x = 1, ["y z"] = 2, [30] = 3, 30; 40, (function() return 50, 60 end)()}
print(#t, t[1], t[4], t[5], t[6], t.x, t["y z"], t[30])
local u = {(function() return 1, 2 end)(), (function() return 1, 2 end)()} print(#u)
local v = {f = function(self) return self.g end, g = "G"} print(v:f(), v.f(v))
local big = {1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60}
print(#big, big[50], big[51], big[60])
--## strings and escapes
print("a\tb\\n\065\10x", #"\0\0", "\"q\"", '\'')
--## strings and long brackets
print([[
first]], [==[a]]b]==], #[[

x]])
-- [[ no long comment
--[[ a long
comment ]] print("after")
--[==[ another ]] ]==] print("too")
--## method calls and chains
local Account = {} Account.__index = Account
function Account.new(b) return setmetatable({balance = b}, Account) end
function Account:deposit(v) self.balance = self.balance + v return self end
function Account:get() return self.balance end
print(Account.new(10):deposit(5):deposit(7):get())
local Special = setmetatable({}, {__index = Account}) Special.__index = Special
function Special:get() return "special " .. Account.get(self) end
print(setmetatable({balance = 1}, Special):deposit(1):get())
--## length operator
print(#{}, #{1, 2, 3}, #"abc", #{n = 1}, #{1, 2, nil}, pcall(function() return #5 end))
local t = {} for i = 1, 10 do t[i] = i end t[10] = nil print(#t) t[11] = 1 t[10] = 1 print(#t)
--## integer keys of several kinds
local t = {} t[1] = "a" t["1"] = "b" t[1.0] = "c" t[2^53] = "d" print(t[1], t["1"], t[2^53], #t)
t[-0] = "zero" print(t[0], t[-0])
print(pcall(function() t[nil] = 1 end)) print(pcall(function() t[0/0] = 1 end)) print(t[nil], t[0/0])
--## tail calls
local function loop(n, acc) if n == 0 then return acc end return loop(n - 1, acc + n) end
print(loop(50000, 0))
local function even(n) if n == 0 then return true end return odd(n - 1) end
function odd(n) if n == 0 then return false end return even(n - 1) end
print(even(10001))
print((function() return select("#", (function() return 1, 2, 3 end)()) end)())
print((function(...) return ... end)(1, nil, nil))
--## recursion of a local function
local function fact(n) return n <= 1 and 1 or n * fact(n - 1) end
print(fact(10), fact(20), fact(25))
--## deep recursion is an error
local function f() return 1 + f() end
local ok, err = pcall(f) print(ok, (err:gsub("stack overflow.*", "stack overflow")))
--## shadowing and scope
local x = 1 do local x = 2 do local x = x + 1 print(x) end print(x) end print(x)
local y = y print(y)
if true then local x = "inner" end print(x)
for x = 1, 1 do local x = x + 5 print(x) end
--## many locals
local a1,a2,a3,a4,a5,a6,a7,a8,a9,a10,a11,a12,a13,a14,a15,a16,a17,a18,a19,a20,a21,a22,a23,a24,a25,a26,a27,a28,a29,a30 = 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
print(a1 + a15 + a30, (function() return a2 + a29 end)())
--## global functions and tables of functions
function glob(a) return a and a + 1 end
local m = {sub = {}} function m.sub.f(a) return a * 2 end function m.sub:g(a) return self == m.sub, a end
print(glob(1), glob(), m.sub.f(4), m.sub:g(3))
--## statements with semicolons and calls without parentheses
local t = {}; t.f = function(x) return type(x) == "table" and x[1] or x end;
print(t.f"s", t.f{"t"}, t.f[[l]], #t.f"abc");
--## and or with side effects
local log = {} local function l(v, n) log[#log + 1] = n return v end
local _ = l(nil, "a") and l(1, "b") or l(2, "c") print(_, table.concat(log))
local r = (l(false, "d") or l(nil, "e")) == nil print(r, table.concat(log))
--## generic for with closures and state
local function range(n) local i = 0 return function() i = i + 1 if i <= n then return i, i * i end end end
for a, b in range(3) do io.write(a, "=", b, " ") end print()
for k, v in next, {5} do print(k, v) end
for a, b, c in function(s, c) if c < s then return c + 1, s end end, 3, 0 do io.write(a, ":", b, ":", tostring(c), " ") end print()
print(pcall(function() for a in 5 do end end))
print(pcall(function() for a in nil do end end))
