--## local function and local = function
local function f(n) if n == 0 then return "end" end return f(n - 1) end
print(f(3))
g = "global"
local g = function() return g end
print(g())
--## assignment takes all values before it stores
local a, b, c = 1, 2, 3
a, b, c = c, a, b
print(a, b, c)
local i, t = 1, {10, 20}
i, t[i] = 2, "x"
print(i, t[1], t[2])
local x = {1} local y = x
x[1], x = 5, {7}
print(y[1], x[1])
local k = "k" local o = {}
o[k], k = 1, "other"
print(o.k, o.other, k)
--## more and fewer values
local a, b, c = (function() return 1, 2 end)()
print(a, b, c)
local d, e = 1, 2, 3
print(d, e)
local p, q, r, s = 0, (function() return 1, 2, 3 end)()
print(p, q, r, s)
local u, v = ((function() return 1, 2 end)())
print(u, v)
a, b = 1
print(a, b)
a, b, c = 9, (function() end)()
print(a, b, c)
--## and, or, not as values and conditions
local function tf(...) for i = 1, select("#", ...) do io.write(tostring((select(i, ...))), " ") end print() end
for _, a in ipairs{true, false, 1} do for _, b in ipairs{true, false, "x"} do
tf(a and b, a or b, not a, not (a and b), not a or not b, a and b or 3, (a or b) and 4, a == b, not (a == b), a ~= b and 1 or 2)
if a and b then io.write("1") end if a or b then io.write("2") end if not (a and not b) then io.write("3") end
if (a == b) == true then io.write("4") end if not a == b then io.write("5") end print()
end end
print(nil and 1, false or nil, nil or false, 1 and nil, not nil, not 0)
local n
print(n == nil, nil == n, n ~= nil, n == false, (n == nil) and "nil" or "some")
--## comparisons of all kinds of operands
local x, s = 5, "m"
print(x < 7, 7 < x, x <= 5, 5 <= x, x > 3, 3 > x, x >= 5, 5 >= x, 1 < 2, 2 <= 1, "a" < s, s < "a", "z" >= s)
print(x == 5, 5 == x, x ~= 5, "m" == s, x == "5", 1 == 1, "a" == "b")
local t = x > 3
local u = not (x > 3)
print(t, u, (x > 3) == true, x > 3 and "more" or "less")
--## constants
print(2^10, 2^-1, -2^2, 7 % 3, -7 % 3, 7 % -3, 1/0, -1/0, 10/4, 3 - -3, 2 + 3 * 4)
print(#"abc", -"2" + 1, "10" * 2, 1 .. 2, "a" .. 1 .. "b" .. 2.5)
print(0x10, 0xA, 0Xff, 1e2, .5, 5., 3e-2, 0x1p4, 1E+2)
print(5 % math.huge, -5 % math.huge, 3.5 % 1e-7, 0 % 5, -0 % 5)
--## a constant that is divided by 0 or makes NaN
print(pcall(function() return 1 / 0, 0 / 0 ~= 0 / 0, 1 % 0 ~= 1 % 0 end))
--## concatenation from the right
local m = setmetatable({}, {__concat = function(a, b) return (type(a) == "table" and "T" or a) .. "+" .. (type(b) == "table" and "T" or b) end})
print("a" .. "b" .. m, m .. "a" .. "b", "a" .. m .. "b" .. "c", 1 .. m .. 2)
--## loops and what they leave
for i = 3, 1 do print("never") end
for i = 1, 3 do local j = i i = 10 io.write(j, " ") end print()
for i = 10, 1, -4 do io.write(i, " ") end print()
for i = 1, 2, 0.5 do io.write(i, " ") end print()
local i = 1 while true do i = i + 1 if i > 5 then break end end print(i)
repeat local z = i i = i - 1 until z < 3 print(i)
for k, v in next, {a = 1} do print(k, v) end
for a, b, c, d in (function(s, c) if c < 2 then return c + 1, s end end), "s", 0 do print(a, b, c, d) end
while false do print("never") end
repeat until true
for i = 1, 2 do for j = 1, 2 do if j == 2 then break end io.write(i, j, " ") end end print()
--## every turn of a loop has variables of its own
local fs = {}
for i = 1, 3 do fs[#fs + 1] = function() i = i + 1 return i end end
print(fs[1](), fs[1](), fs[2](), fs[3]())
local gs = {}
for _, v in ipairs{"a", "b"} do local w = v gs[#gs + 1] = function() return w end end
print(gs[1](), gs[2]())
local hs, n = {}, 0
repeat local v = n hs[#hs + 1] = function() v = v + 1 return v end n = n + 1 until v == 2 or n > 5
print(hs[1](), hs[1](), hs[2](), hs[3](), n)
local ws, n = {}, 0
while n < 3 do n = n + 1 local v = n ws[n] = function() return v end if n == 2 then break end end
print(ws[1](), ws[2](), ws[3])
--## upvalues shared and of functions of functions
local function counter() local n = 0 return function() n = n + 1 return n end, function() return n end end
local inc, get = counter() inc() inc()
print(get(), select("#", counter()))
local function deep(a) return function(b) return function(c) a = a + 1 return a + b + c end end end
local d = deep(1)(10) print(d(100), d(100))
do local x = 1 function setx(v) x = v end function getx() return x end end
setx(5) print(getx())
--## scope ends with its block
local x = 1
do local x = 2 print(x) do local x = x + 1 print(x) end print(x) end
print(x)
local x = x + 10 print(x)
if true then local x = 5 else x = 6 end print(x)
--## tables
local t = {1, 2, x = 3, [10] = 4, "c", ["y z"] = 5; 6, [1] = "lost"}
print(#t, t[1], t[3], t.x, t[10], t["y z"], t[4])
local function f() return 7, 8, 9 end
print(#{f()}, #{f(), f()}, #{(f())}, #{f(), nil}, select("#", unpack{f(), 1}))
local n = {{{{}}}} print(#n[1][1])
local big = {1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63,64,65,66,67,68,69,70,71,72,73,74,75,76,77,78,79,80,81,82,83,84,85,86,87,88,89,90,91,92,93,94,95,96,97,98,99,100,101,102,f()}
print(#big, big[50], big[51], big[101], big[105])
--## methods
local o = {n = 1}
function o:add(k) self.n = self.n + k return self end
function o.static(k) return k end
print(o:add(2):add(3).n, o.static(4), o:add(1) == o)
o.inner = {} function o.inner.f(x) return x end function o.inner:g(x) return self == o.inner, x end
print(o.inner.f(1), o.inner:g(2))
print(("x"):rep(3), ("%d"):format(7), #("abc"):upper())
--## calls without parentheses
local function id(...) return ... end
print(id"a", id[[b]], id{1}[1], id"%d":format(3), type(id{}))
--## varargs
local function f(...) return select("#", ...), ... end
print(f(), (f(1, 2)), f(nil, nil))
local function g(a, ...) local b, c = ... return a, b, c, ... end
print(g(1, 2, 3, 4)) print(g())
local function h(...) local t = {n = select("#", ...), ...} return t.n, #t end
print(h(1, 2, 3))
local function last(...) return (...) end print(last(5, 6), (last()))
print((function(...) return ... end)(1, nil, 3))
--## the variable arg
local function f(a, ...) return arg.n, arg[1], a end
print(f(1, 2, 3))
local function g(...) local x = {...} return arg end
print(g(1, 2))
local function h(...) local function inner() return arg end return inner() end
print(type(h(1)), h(1, 2).n)
local function i(arg, ...) return arg end print(type(i(1)))
--## tail calls
local function loop(n) if n == 0 then return "done", n end return loop(n - 1) end
print(loop(100000))
local function v(...) return select("#", ...) end
local function w(...) return v(...) end print(w(1, nil, nil))
print((function() return pcall(error, "x") end)())
print((function() return (loop(3)) end)())
--## goto is a name
local goto = 1
local t = {goto = 2} t.goto = t.goto + goto
function t:goto2() return self.goto end
print(goto, t.goto, t["goto"], t:goto2())
goto = nil print(pcall(function() return goto.x end))
--## comments and strings
--[= no long comment
print(1) --[==[ long
]] still ]==] print(2)
--[[x]] print([[
first line]], [==[a]]b]==], "a\
b", 'q"', "\65\066\x", "\0z" == "\000z", #"\z")
print("tab\tnl\nend\\", '\'', "\"")
--## names in errors: variables
local function try(f) print(select(2, pcall(f))) end
try(function() do local a = 1 end local b = {} local c = nil c.x = 1 end)
try(function() for i = 1, 2 do local q = i end local z z() end)
try(function() local a, b, c = 1, {}, nil if a then local d = 1 end return b + 1, c end)
try(function() local a = {} return a % 2 end)
try(function() local a = {} return 2 - a end)
try(function() return undefinedglobal.x end)
try(function() undefinedglobal() end)
try(function() local t = {} t.a.b = 1 end)
try(function() local t = {} t.x.y.z = 1 end)
try(function() local t = {} t:nomethod() end)
try(function() local t = {} t.f() end)
try(function() local t = {} t[1]() end)
try(function() return #nil end)
try(function() local n return #n end)
try(function() return -{} end)
try(function() return {} .. "x" end)
try(function() local x return "a" .. "b" .. x end)
try(function() local x = {} return "a" .. x .. "b" end)
try(function() return 1 < "2" end)
try(function() return {} < {} end)
try(function() return nil > 1 end)
try(function() local u = {} do local a, b, c = 1, 2, 3 end local s = u.x.y end)
local up
try(function() return up.x end)
try(function() return up() end)
try(function() up.x = 1 end)
try(function() for i = "x", 2 do end end)
try(function() for i = 1, {} do end end)
try(function() for i = 1, 2, {} do end end)
try(function() for x in 5 do end end)
try(function() for k, v in nil do end end)
try(function() local a = nil; (function() a.b = 1 end)() end)
try(function() ("x").y.z = 1 end)
try(function() local s = "x" return s.y.z end)
try(function() local a = 1 a.b.c = 2 end)
try(function() return math.nofunction(1) end)
--## lines of errors
local function try(f) print(select(2, pcall(f))) end
try(function()
local x = 1 +
nil
end)
try(function()
local t = {
1,
2 .. {},
}
end)
try(function() local a
a
.b
.c = 1 end)
try(function() local o = {f = function(self) return self end}
o
:f()
:g()
end)
try(function() print(
1,
nofunction(
2)
) end)
try(function() nofunction
"x"
end)
try(function() return [[
a
]] + 1
end)
try(function() if 1 <
{} then end end)
try(function() for i = 1,
{} do
end end)
try(function()
error("here",
1) end)
try(function()
error("above", 2) end)
--## 200 local variables
local s = {} for i = 1, 200 do s[i] = "v" .. i end
local ok = loadstring or function() end
print(#s)
local a1,a2,a3,a4,a5,a6,a7,a8,a9,a10,a11,a12,a13,a14,a15,a16,a17,a18,a19,a20,a21,a22,a23,a24,a25,a26,a27,a28,a29,a30,a31,a32,a33,a34,a35,a36,a37,a38,a39,a40,a41,a42,a43,a44,a45,a46,a47,a48,a49,a50,a51,a52,a53,a54,a55,a56,a57,a58,a59,a60,a61,a62,a63,a64,a65,a66,a67,a68,a69,a70,a71,a72,a73,a74,a75,a76,a77,a78,a79,a80,a81,a82,a83,a84,a85,a86,a87,a88,a89,a90,a91,a92,a93,a94,a95,a96,a97,a98,a99,a100,b1,b2,b3,b4,b5,b6,b7,b8,b9,b10,b11,b12,b13,b14,b15,b16,b17,b18,b19,b20,b21,b22,b23,b24,b25,b26,b27,b28,b29,b30,b31,b32,b33,b34,b35,b36,b37,b38,b39,b40,b41,b42,b43,b44,b45,b46,b47,b48,b49,b50,b51,b52,b53,b54,b55,b56,b57,b58,b59,b60,b61,b62,b63,b64,b65,b66,b67,b68,b69,b70,b71,b72,b73,b74,b75,b76,b77,b78,b79,b80,b81,b82,b83,b84,b85,b86,b87,b88,b89,b90,b91,b92,b93,b94,b95,b96,b97,b98 = unpack(s)
print(a1, a100, b1, b98)
--## 100 targets
local t = {}
t.a1,t.a2,t.a3,t.a4,t.a5,t.a6,t.a7,t.a8,t.a9,t.a10,t.a11,t.a12,t.a13,t.a14,t.a15,t.a16,t.a17,t.a18,t.a19,t.a20,t.a21,t.a22,t.a23,t.a24,t.a25,t.a26,t.a27,t.a28,t.a29,t.a30,t.a31,t.a32,t.a33,t.a34,t.a35,t.a36,t.a37,t.a38,t.a39,t.a40,t.a41,t.a42,t.a43,t.a44,t.a45,t.a46,t.a47,t.a48,t.a49,t.a50,t.a51,t.a52,t.a53,t.a54,t.a55,t.a56,t.a57,t.a58,t.a59,t.a60,t.a61,t.a62,t.a63,t.a64,t.a65,t.a66,t.a67,t.a68,t.a69,t.a70,y = (function() local r = {} for i = 1, 71 do r[i] = i end return unpack(r) end)()
print(t.a1, t.a70, y)
--## semicolons
local x = 1; x = 2;
do x = 3; end;
if x then return print(x); end
