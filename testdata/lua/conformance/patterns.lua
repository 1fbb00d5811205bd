--## pattern %a and its complement
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
print((s:gsub("%a", "#"):gsub("%z", "0")), (s:gsub("%A+", "<%0>"):gsub("%z", "0")))
print(s:find("%a"), s:find("%A+"), s:match("^%a*"), (s:match("%A-$"):gsub("%z", "0")))
local n = 0 for i = 0, 255 do if string.char(i):find("%a") then n = n + i end end print(n)
--## pattern %c and its complement
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
print((s:gsub("%c", "#"):gsub("%z", "0")), (s:gsub("%C+", "<%0>"):gsub("%z", "0")))
print(s:find("%c"), s:find("%C+"), s:match("^%c*"), (s:match("%C-$"):gsub("%z", "0")))
local n = 0 for i = 0, 255 do if string.char(i):find("%c") then n = n + i end end print(n)
--## pattern %d and its complement
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
print((s:gsub("%d", "#"):gsub("%z", "0")), (s:gsub("%D+", "<%0>"):gsub("%z", "0")))
print(s:find("%d"), s:find("%D+"), s:match("^%d*"), (s:match("%D-$"):gsub("%z", "0")))
local n = 0 for i = 0, 255 do if string.char(i):find("%d") then n = n + i end end print(n)
--## pattern %l and its complement
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
print((s:gsub("%l", "#"):gsub("%z", "0")), (s:gsub("%L+", "<%0>"):gsub("%z", "0")))
print(s:find("%l"), s:find("%L+"), s:match("^%l*"), (s:match("%L-$"):gsub("%z", "0")))
local n = 0 for i = 0, 255 do if string.char(i):find("%l") then n = n + i end end print(n)
--## pattern %p and its complement
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
print((s:gsub("%p", "#"):gsub("%z", "0")), (s:gsub("%P+", "<%0>"):gsub("%z", "0")))
print(s:find("%p"), s:find("%P+"), s:match("^%p*"), (s:match("%P-$"):gsub("%z", "0")))
local n = 0 for i = 0, 255 do if string.char(i):find("%p") then n = n + i end end print(n)
--## pattern %s and its complement
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
print((s:gsub("%s", "#"):gsub("%z", "0")), (s:gsub("%S+", "<%0>"):gsub("%z", "0")))
print(s:find("%s"), s:find("%S+"), s:match("^%s*"), (s:match("%S-$"):gsub("%z", "0")))
local n = 0 for i = 0, 255 do if string.char(i):find("%s") then n = n + i end end print(n)
--## pattern %u and its complement
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
print((s:gsub("%u", "#"):gsub("%z", "0")), (s:gsub("%U+", "<%0>"):gsub("%z", "0")))
print(s:find("%u"), s:find("%U+"), s:match("^%u*"), (s:match("%U-$"):gsub("%z", "0")))
local n = 0 for i = 0, 255 do if string.char(i):find("%u") then n = n + i end end print(n)
--## pattern %w and its complement
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
print((s:gsub("%w", "#"):gsub("%z", "0")), (s:gsub("%W+", "<%0>"):gsub("%z", "0")))
print(s:find("%w"), s:find("%W+"), s:match("^%w*"), (s:match("%W-$"):gsub("%z", "0")))
local n = 0 for i = 0, 255 do if string.char(i):find("%w") then n = n + i end end print(n)
--## pattern %x and its complement
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
print((s:gsub("%x", "#"):gsub("%z", "0")), (s:gsub("%X+", "<%0>"):gsub("%z", "0")))
print(s:find("%x"), s:find("%X+"), s:match("^%x*"), (s:match("%X-$"):gsub("%z", "0")))
local n = 0 for i = 0, 255 do if string.char(i):find("%x") then n = n + i end end print(n)
--## pattern %z and its complement
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
print((s:gsub("%z", "#"):gsub("%z", "0")), (s:gsub("%Z+", "<%0>"):gsub("%z", "0")))
print(s:find("%z"), s:find("%Z+"), s:match("^%z*"), (s:match("%Z-$"):gsub("%z", "0")))
local n = 0 for i = 0, 255 do if string.char(i):find("%z") then n = n + i end end print(n)
--## single characters and any
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
local function clean(...) local t = {...} for i = 1, select("#", ...) do t[i] = tostring(t[i]):gsub("%z", "0") end return table.concat(t, "|") end
for _, p in ipairs {"q", ".", "T.e", "%.", "%%", "q.i", "...", "x", "%-", ""} do
  print(p, clean(pcall(s.find, s, p)))
  print("", clean(pcall(s.match, s, p)), clean(pcall(s.match, s, p, 11)), clean(pcall(s.match, s, p, -5)))
  print("", clean(pcall(s.gsub, s, p, "<%0>")), clean(pcall(s.gsub, s, p, "", 2)))
  local all = {} for a, b in s:gmatch(p) do all[#all + 1] = clean(a, b) if #all > 30 then break end end
  print("", table.concat(all, " "))
end
--## repetition *
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
local function clean(...) local t = {...} for i = 1, select("#", ...) do t[i] = tostring(t[i]):gsub("%z", "0") end return table.concat(t, "|") end
for _, p in ipairs {"a*", ".*", "o*w", "%d*", "b*r", "x*", "[aeiou]*", ".*o", "%w*%s", "(.*)"} do
  print(p, clean(pcall(s.find, s, p)))
  print("", clean(pcall(s.match, s, p)), clean(pcall(s.match, s, p, 11)), clean(pcall(s.match, s, p, -5)))
  print("", clean(pcall(s.gsub, s, p, "<%0>")), clean(pcall(s.gsub, s, p, "", 2)))
  local all = {} for a, b in s:gmatch(p) do all[#all + 1] = clean(a, b) if #all > 30 then break end end
  print("", table.concat(all, " "))
end
--## repetition +
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
local function clean(...) local t = {...} for i = 1, select("#", ...) do t[i] = tostring(t[i]):gsub("%z", "0") end return table.concat(t, "|") end
for _, p in ipairs {"a+", ".+", "o+w", "%d+", "%w+", "x+", "[aeiou]+", ".+o", "%a+%s%d+", "(%w+)-(%w+)"} do
  print(p, clean(pcall(s.find, s, p)))
  print("", clean(pcall(s.match, s, p)), clean(pcall(s.match, s, p, 11)), clean(pcall(s.match, s, p, -5)))
  print("", clean(pcall(s.gsub, s, p, "<%0>")), clean(pcall(s.gsub, s, p, "", 2)))
  local all = {} for a, b in s:gmatch(p) do all[#all + 1] = clean(a, b) if #all > 30 then break end end
  print("", table.concat(all, " "))
end
--## repetition -
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
local function clean(...) local t = {...} for i = 1, select("#", ...) do t[i] = tostring(t[i]):gsub("%z", "0") end return table.concat(t, "|") end
for _, p in ipairs {"a-", ".-", ".-o", "%d-%s", "^.-$", "T.-k", ".-%d", "(.-)%s", "x-y", "%(.-%)"} do
  print(p, clean(pcall(s.find, s, p)))
  print("", clean(pcall(s.match, s, p)), clean(pcall(s.match, s, p, 11)), clean(pcall(s.match, s, p, -5)))
  print("", clean(pcall(s.gsub, s, p, "<%0>")), clean(pcall(s.gsub, s, p, "", 2)))
  local all = {} for a, b in s:gmatch(p) do all[#all + 1] = clean(a, b) if #all > 30 then break end end
  print("", table.concat(all, " "))
end
--## repetition ?
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
local function clean(...) local t = {...} for i = 1, select("#", ...) do t[i] = tostring(t[i]):gsub("%z", "0") end return table.concat(t, "|") end
for _, p in ipairs {"a?", "q?u", "x?q", "%d?", "bro?w", "n?-?f", "(x?)q", "T?h?e?", ".?k", "^.?h"} do
  print(p, clean(pcall(s.find, s, p)))
  print("", clean(pcall(s.match, s, p)), clean(pcall(s.match, s, p, 11)), clean(pcall(s.match, s, p, -5)))
  print("", clean(pcall(s.gsub, s, p, "<%0>")), clean(pcall(s.gsub, s, p, "", 2)))
  local all = {} for a, b in s:gmatch(p) do all[#all + 1] = clean(a, b) if #all > 30 then break end end
  print("", table.concat(all, " "))
end
--## anchors
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
local function clean(...) local t = {...} for i = 1, select("#", ...) do t[i] = tostring(t[i]):gsub("%z", "0") end return table.concat(t, "|") end
for _, p in ipairs {"^The", "^the", "end.$", "end$", "^", "$", "^.*$", "^T", "a^", "a$b"} do
  print(p, clean(pcall(s.find, s, p)))
  print("", clean(pcall(s.match, s, p)), clean(pcall(s.match, s, p, 11)), clean(pcall(s.match, s, p, -5)))
  print("", clean(pcall(s.gsub, s, p, "<%0>")), clean(pcall(s.gsub, s, p, "", 2)))
  local all = {} for a, b in s:gmatch(p) do all[#all + 1] = clean(a, b) if #all > 30 then break end end
  print("", table.concat(all, " "))
end
--## sets
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
local function clean(...) local t = {...} for i = 1, select("#", ...) do t[i] = tostring(t[i]):gsub("%z", "0") end return table.concat(t, "|") end
for _, p in ipairs {"[a-f]+", "[^a-z]+", "[%a_]+", "[]]", "[^]]+", "[a%-z]", "[-a]", "[a-]", "[%]]", "[^%s]+", "[+-/]", "[0-9.]+"} do
  print(p, clean(pcall(s.find, s, p)))
  print("", clean(pcall(s.match, s, p)), clean(pcall(s.match, s, p, 11)), clean(pcall(s.match, s, p, -5)))
  print("", clean(pcall(s.gsub, s, p, "<%0>")), clean(pcall(s.gsub, s, p, "", 2)))
  local all = {} for a, b in s:gmatch(p) do all[#all + 1] = clean(a, b) if #all > 30 then break end end
  print("", table.concat(all, " "))
end
--## captures of positions
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
local function clean(...) local t = {...} for i = 1, select("#", ...) do t[i] = tostring(t[i]):gsub("%z", "0") end return table.concat(t, "|") end
for _, p in ipairs {"()q()", "(()%d())", "()", "()$", "^()", "%s()%w", "(%d)()", "()(%a+)()"} do
  print(p, clean(pcall(s.find, s, p)))
  print("", clean(pcall(s.match, s, p)), clean(pcall(s.match, s, p, 11)), clean(pcall(s.match, s, p, -5)))
  print("", clean(pcall(s.gsub, s, p, "<%0>")), clean(pcall(s.gsub, s, p, "", 2)))
  local all = {} for a, b in s:gmatch(p) do all[#all + 1] = clean(a, b) if #all > 30 then break end end
  print("", table.concat(all, " "))
end
--## captures in captures
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
local function clean(...) local t = {...} for i = 1, select("#", ...) do t[i] = tostring(t[i]):gsub("%z", "0") end return table.concat(t, "|") end
for _, p in ipairs {"((%a+)%s(%d+))", "(((.)))", "(%a(%a(%a)))", "((%d)%d)", "(%a+)%s((%d)%d)"} do
  print(p, clean(pcall(s.find, s, p)))
  print("", clean(pcall(s.match, s, p)), clean(pcall(s.match, s, p, 11)), clean(pcall(s.match, s, p, -5)))
  print("", clean(pcall(s.gsub, s, p, "<%0>")), clean(pcall(s.gsub, s, p, "", 2)))
  local all = {} for a, b in s:gmatch(p) do all[#all + 1] = clean(a, b) if #all > 30 then break end end
  print("", table.concat(all, " "))
end
--## back references
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
local function clean(...) local t = {...} for i = 1, select("#", ...) do t[i] = tostring(t[i]):gsub("%z", "0") end return table.concat(t, "|") end
for _, p in ipairs {"(.)%1", "(%a)(%a)%2", "(o)(.-)%1", "([\"'])(.-)%1", "(%w)%w*%1"} do
  print(p, clean(pcall(s.find, s, p)))
  print("", clean(pcall(s.match, s, p)), clean(pcall(s.match, s, p, 11)), clean(pcall(s.match, s, p, -5)))
  print("", clean(pcall(s.gsub, s, p, "<%0>")), clean(pcall(s.gsub, s, p, "", 2)))
  local all = {} for a, b in s:gmatch(p) do all[#all + 1] = clean(a, b) if #all > 30 then break end end
  print("", table.concat(all, " "))
end
--## balance
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
local function clean(...) local t = {...} for i = 1, select("#", ...) do t[i] = tostring(t[i]):gsub("%z", "0") end return table.concat(t, "|") end
for _, p in ipairs {"%b()", "%b[]", "%b{}", "%b\"\"", "%bTe", "(%b())", "%b()%s", "%bxx"} do
  print(p, clean(pcall(s.find, s, p)))
  print("", clean(pcall(s.match, s, p)), clean(pcall(s.match, s, p, 11)), clean(pcall(s.match, s, p, -5)))
  print("", clean(pcall(s.gsub, s, p, "<%0>")), clean(pcall(s.gsub, s, p, "", 2)))
  local all = {} for a, b in s:gmatch(p) do all[#all + 1] = clean(a, b) if #all > 30 then break end end
  print("", table.concat(all, " "))
end
--## frontier
local s = "The quick 42 brown-fox_jumps\tover (the [lazy] dog) 3.14 \0 end."
local function clean(...) local t = {...} for i = 1, select("#", ...) do t[i] = tostring(t[i]):gsub("%z", "0") end return table.concat(t, "|") end
for _, p in ipairs {"%f[%w]%w+", "%f[%d]%d+", "%f[%s]", "%f[%z]", "%f[%W]", "()%f[%p]", "%f[^%w]", "%f[T]The"} do
  print(p, clean(pcall(s.find, s, p)))
  print("", clean(pcall(s.match, s, p)), clean(pcall(s.match, s, p, 11)), clean(pcall(s.match, s, p, -5)))
  print("", clean(pcall(s.gsub, s, p, "<%0>")), clean(pcall(s.gsub, s, p, "", 2)))
  local all = {} for a, b in s:gmatch(p) do all[#all + 1] = clean(a, b) if #all > 30 then break end end
  print("", table.concat(all, " "))
end
--## malformed patterns
for _, p in ipairs {"%", "[", "[a", "[^", "[%", "(", ")", "(()", "%1", "%b", "%bx", "%f", "%fx", "(a)%2", "a)", "[]", "[^]", "[a-", "(a", "%0"} do
  print(p, pcall(string.find, "aab", p)) print(p, pcall(string.gsub, "aab", p, "x")) end
--## find with a start and plain
local s = "a.b.a.b"
for _, i in ipairs {0, 1, 2, 7, 8, 9, 100, -1, -3, -7, -8, -100} do print(i, s:find(".", i, true), s:find("b", i), s:find("", i), s:find("", i, true), s:match("()", i)) end
print(s:find(".b", 1, true), s:find(".b", 1, false), s:find(".b", 1, nil), s:find("", 10), ("").find("", ""), (""):find("", 1), (""):find("", 2), (""):match(".*"), (""):match(".+"))
