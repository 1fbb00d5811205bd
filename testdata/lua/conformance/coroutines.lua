--## values go both ways
local co = coroutine.create(function(a, b) print("start", a, b) local c = coroutine.yield(a + b) print("got", c) local d, e = coroutine.yield(c * 2) print("got", d, e) return d + e, "end" end)
print(coroutine.resume(co, 1, 2)) print(coroutine.status(co)) print(coroutine.resume(co, 10)) print(coroutine.resume(co, 3, 4)) print(coroutine.status(co)) print(coroutine.resume(co))
--## wrap as a generator
local function gen(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end
local s = 0 for v in gen(5) do s = s + v end print(s)
local g = gen(1) print(g(), g(), pcall(g))
--## producer and filter
local function producer() return coroutine.create(function() for _, w in ipairs{"a", "b", "c"} do coroutine.yield(w) end end) end
local function filter(p) return coroutine.create(function() local n = 1 while true do local ok, v = coroutine.resume(p) if not v then return end coroutine.yield(n .. v) n = n + 1 end end) end
local f = filter(producer()) while true do local ok, v = coroutine.resume(f) if not v then break end print(v) end
--## errors inside
local co = coroutine.create(function() local x = nil; x() end) print(coroutine.resume(co)) print(coroutine.status(co), coroutine.resume(co))
local co = coroutine.create(function() error({1}) end) local ok, e = coroutine.resume(co) print(ok, type(e), e[1])
print(pcall(coroutine.wrap(function() error("w", 0) end)))
--## status and running
print(coroutine.running())
local co co = coroutine.create(function() print(coroutine.status(co), coroutine.running() == co) local inner = coroutine.create(function() print(coroutine.status(co)) end) coroutine.resume(inner) print(coroutine.status(inner)) end)
print(coroutine.status(co)) coroutine.resume(co) print(coroutine.status(co))
--## resume of what cannot be resumed
local co co = coroutine.create(function() print(coroutine.resume(co)) end) coroutine.resume(co)
print(pcall(coroutine.resume, 1)) print(pcall(coroutine.create, 1)) print(pcall(coroutine.create, print))
--## yield in nested calls and loops
local function inner(n) for i = 1, n do coroutine.yield(n .. ":" .. i) end return "ret" .. n end
local co = coroutine.wrap(function() for n = 1, 3 do coroutine.yield(inner(n)) end return "fin" end)
for i = 1, 10 do io.write(tostring(co()), " ") end print()
--## closures and upvalues survive
local function counter() local n = 0 local co = coroutine.wrap(function() while true do n = n + 1 coroutine.yield(n) end end) return co, function() return n end end
local step, get = counter() step() step() print(get(), step(), get())
--## many values and none
local co = coroutine.wrap(function(...) local n = select("#", ...) while true do n = select("#", coroutine.yield(n)) end end)
print(co(), co(1), co(nil, nil), co(1, 2, 3))
local co = coroutine.create(function() return end) print(coroutine.resume(co)) print(select("#", coroutine.resume(coroutine.create(function() return nil, nil end))))
--## recursion through coroutines
local function tree(t) if t then tree(t[1]) coroutine.yield(t.v) tree(t[2]) end end
local t = {{nil, nil, v = 1}, {{v = 3}, nil, v = 4}, v = 2} local out = {}
for v in coroutine.wrap(function() tree(t) end) do out[#out + 1] = v end print(table.concat(out, " "))
--## permutations
local function permgen(a, n) n = n or #a if n <= 1 then coroutine.yield(a) else for i = 1, n do a[n], a[i] = a[i], a[n] permgen(a, n - 1) a[n], a[i] = a[i], a[n] end end end
for p in coroutine.wrap(function() permgen{1, 2, 3} end) do print(table.concat(p, " ")) end
