--## holes of constructors
print(#{nil,nil,3}, #{1,nil,3}, #{1,nil}, #{1,nil,3,nil}, #{nil}, #{[2]=5,1,nil,7})
local function f(...) local t={...} return #t, unpack(t) end
print(f(nil,2,3)) print(f(nil,nil)) print(f(1,nil,3)) print(f(1,2,3,nil,5,nil,nil))
local t={1,nil,3} t[3]=nil print(#t) t[2]=2 print(#t)
for k,v in pairs({nil,2,nil,4,x=1}) do io.write(k,"=",v," ") end print()
print(unpack({[3]=3,1,2}))
print(#{[3]=3,1,2}, #{[1]=1,[2]=2,nil,3})
--## yields that cannot pass
local function try(f) local co = coroutine.create(f) print(coroutine.resume(co)) print(coroutine.status(co)) end
try(function() pcall(coroutine.yield, 1) print(pcall(coroutine.yield, 1)) end)
try(function() return setmetatable({}, {__index = coroutine.yield}).x end)
try(function() return setmetatable({}, {__add = function() coroutine.yield() end}) + 1 end)
try(function() for x in coroutine.yield, 1 do end end)
try(function() for x in coroutine.wrap(function() coroutine.yield(5) end) do print(x) coroutine.yield(x) end end)
try(function() print(("x"):gsub("x", coroutine.yield)) end)
try(function() table.sort({3, 2, 1}, function(a, b) coroutine.yield() end) end)
try(function() return coroutine.yield(1) end)
try(function() local t = setmetatable({}, {__call = coroutine.yield, __tostring = function() return "t" end}) return t(7) end)
try(function() local t = setmetatable({}, {__call = function(_, x) return coroutine.yield(x) end}) return t(7) end)
try(function() return tostring(setmetatable({}, {__tostring = coroutine.yield})) end)
try(function() return setmetatable({}, {__lt = coroutine.yield}) < 1 end)
print(pcall(coroutine.yield))
