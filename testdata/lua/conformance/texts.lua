--## split, with and without empty pieces
local function split(s, sep) local out, from = {}, 1 while true do local a, b = s:find(sep, from, true) if not a then out[#out + 1] = s:sub(from) return out end out[#out + 1] = s:sub(from, a - 1) from = b + 1 end end
for _, s in ipairs {"a,b,c", "", ",", "a,,b", ",a,", "abc"} do local t = split(s, ",") print(#t, table.concat(t, "|")) local u = {} for w in s:gmatch("[^,]+") do u[#u + 1] = w end print(#u, table.concat(u, "|")) end
--## trim in five ways
local ways = {function(s) return (s:gsub("^%s+", ""):gsub("%s+$", "")) end, function(s) return s:match("^%s*(.-)%s*$") end, function(s) return s:match("^()%s*$") and "" or s:match("^%s*(.*%S)") end, function(s) local from = s:match("^%s*()") return from > #s and "" or s:match(".*%S", from) end, function(s) return (s:gsub("^%s*(.-)%s*$", "%1")) end}
for _, s in ipairs {"  a b  ", "", "   ", "a", "\t\n x \r\n"} do for i, f in ipairs(ways) do io.write("[", f(s), "]") end print() end
--## join, pad and centre
local function left(s, n, c) return s .. (c or " "):rep(n - #s) end local function right(s, n, c) return (c or " "):rep(n - #s) .. s end local function centre(s, n) local k = n - #s return (" "):rep(math.floor(k / 2)) .. s .. (" "):rep(math.ceil(k / 2)) end
print(left("ab", 5) .. "|", right("ab", 5, "0"), centre("ab", 5) .. "|", left("abcdef", 3), right("7", 3, "0"))
--## wrap a paragraph
local text, line, out = "the quick brown fox jumps over the lazy dog and runs away from a very extraordinarily long word", "", {} for w in text:gmatch("%S+") do if #line + #w + 1 > 20 and line ~= "" then out[#out + 1] = line line = w else line = line == "" and w or line .. " " .. w end end out[#out + 1] = line for i, l in ipairs(out) do print(i, #l, l) end
--## cases of names
local function words(s) local out = {} for w in s:gsub("(%l)(%u)", "%1 %2"):gmatch("%w+") do out[#out + 1] = w:lower() end return out end local function cap(w) return (w:gsub("^%l", string.upper)) end
for _, s in ipairs {"helloWorldAgain", "snake_case_name", "Title Case", "kebab-case", "x"} do local w = words(s) local c = {} for i, v in ipairs(w) do c[i] = i == 1 and v or cap(v) end print(table.concat(w, "_"), table.concat(w, "-"), table.concat(c), (s:gsub("(%a)(%w*)", function(a, b) return a:upper() .. b:lower() end))) end
--## templates
local function fill(t, v) return (t:gsub("%${(%w+)}", v):gsub("{{%s*(.-)%s*}}", function(e) local a, b = e:match("^(%w+)|(%w+)$") if a then return string[b](tostring(v[a])) end return tostring(v[e]) end)) end
print(fill("Hello ${name}, you are ${age} and ${none}; {{ name|upper }} {{age}} {{x}}", {name = "Ann", age = 30}))
--## words by how often they come
local t, n = {}, {} for w in ("It was the best of times, it was the worst of times, it was the age of wisdom"):lower():gmatch("%a+") do if not t[w] then n[#n + 1] = w end t[w] = (t[w] or 0) + 1 end table.sort(n, function(a, b) return t[a] > t[b] or t[a] == t[b] and a < b end) for i = 1, 6 do io.write(n[i], "=", t[n[i]], " ") end print(#n)
--## anagrams
local groups, keys = {}, {} for w in ("listen silent enlist google elgoog abc cab bca xyz"):gmatch("%a+") do local c = {} for l in w:gmatch(".") do c[#c + 1] = l end table.sort(c) local k = table.concat(c) if not groups[k] then groups[k] = {} keys[#keys + 1] = k end table.insert(groups[k], w) end table.sort(keys) for _, k in ipairs(keys) do print(k, table.concat(groups[k], " ")) end
--## palindromes
for _, s in ipairs {"A man, a plan, a canal: Panama", "hello", "", "Was it a car or a cat I saw", "ab"} do local c = s:lower():gsub("%W", "") print(s, c == c:reverse(), #c) end
--## Caesar and rot13
local function shift(s, n) return (s:gsub("%a", function(c) local b = c:match("%l") and 97 or 65 return string.char((c:byte() - b + n) % 26 + b) end)) end print(shift("Hello, World!", 3), shift(shift("Hello, World!", 3), -3), shift("Why did the chicken?", 13))
--## Vigenere
local function vig(s, key, d) local i = 0 return (s:gsub("%u", function(c) i = i % #key + 1 return string.char((c:byte() - 65 + d * (key:byte(i) - 65)) % 26 + 65) end)) end local c = vig("ATTACK AT DAWN", "LEMON", 1) print(c, vig(c, "LEMON", -1))
--## run lengths
local function encode(s) local out = {} while #s > 0 do local c = s:sub(1, 1) local n = #s:match("^" .. c .. "+") out[#out + 1] = (n > 1 and n or "") .. c s = s:sub(n + 1) end return table.concat(out) end local function decode(s) return (s:gsub("(%d*)(%a)", function(n, c) return c:rep(tonumber(n) or 1) end)) end
for _, s in ipairs {"WWWWWWWWWWWWBWWWWBB", "ABC", "", "AAAAAAAAAA"} do local e = encode(s) print(e, decode(e) == s) end
--## base64
local b = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local function enc(s) return ((s:gsub(".", function(x) local r, c = "", x:byte() for i = 8, 1, -1 do r = r .. (c % 2 ^ i - c % 2 ^ (i - 1) > 0 and "1" or "0") end return r end) .. "0000"):gsub("%d%d%d?%d?%d?%d?", function(x) if #x < 6 then return "" end local c = 0 for i = 1, 6 do c = c + (x:sub(i, i) == "1" and 2 ^ (6 - i) or 0) end return b:sub(c + 1, c + 1) end) .. ({"", "==", "="})[#s % 3 + 1]) end
local function dec(s) s = s:gsub("[^" .. b .. "=]", "") return (s:gsub(".", function(x) if x == "=" then return "" end local r, f = "", b:find(x, 1, true) - 1 for i = 6, 1, -1 do r = r .. (f % 2 ^ i - f % 2 ^ (i - 1) > 0 and "1" or "0") end return r end):gsub("%d%d%d?%d?%d?%d?%d?%d?", function(x) if #x ~= 8 then return "" end local c = 0 for i = 1, 8 do c = c + (x:sub(i, i) == "1" and 2 ^ (8 - i) or 0) end return string.char(c) end)) end
for _, s in ipairs {"", "f", "fo", "foo", "foobar", "Man is distinguished", "\1\2\255"} do print(enc(s), dec(enc(s)) == s) end
--## hexadecimal there and back
local function hex(s) return (s:gsub(".", function(c) return string.format("%02x", c:byte()) end)) end local function unhex(s) return (s:gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end)) end print(hex("Lua 5.1"), unhex(hex("Lua 5.1")), hex("\1\254"), #unhex("00ff"))
--## URLs
local function esc(s) return (s:gsub("[^%w%-_%.~]", function(c) return string.format("%%%02X", c:byte()) end)) end local function unesc(s) return (s:gsub("+", " "):gsub("%%(%x%x)", function(h) return string.char(tonumber(h, 16)) end)) end print(esc("a b&c=d/e?f"), unesc("a%20b%26c+d%zz"), unesc(esc("100% sure")))
for _, u in ipairs {"http://user:pw@example.com:8080/a/b?x=1&y=2#frag", "https://example.org", "ftp://h/p", "nothing"} do print(u:match("^(%w+)://"), u:match("//([^/?#]*)"), u:match("//[^/]*(/[^?#]*)"), u:match("%?([^#]*)"), u:match("#(.*)$"), u:match(":(%d+)[/$]")) end
--## queries
local t, keys = {}, {} for k, v in ("a=1&b=two%20words&c&d=&a=3"):gmatch("([^&=]+)=?([^&]*)") do v = v:gsub("%%(%x%x)", function(h) return string.char(tonumber(h, 16)) end) if not t[k] then keys[#keys + 1] = k t[k] = {} end table.insert(t[k], v) end for _, k in ipairs(keys) do print(k, #t[k], table.concat(t[k], ",")) end
--## CSV with quotes
local function row(s) local out, i = {}, 1 s = s .. "," while i <= #s do if s:sub(i, i) == '"' then local v, j = "", i + 1 while true do local a = s:find('"', j, true) v = v .. s:sub(j, a - 1) if s:sub(a + 1, a + 1) ~= '"' then i = a + 2 break end v = v .. '"' j = a + 2 end out[#out + 1] = v else local a = s:find(",", i, true) out[#out + 1] = s:sub(i, a - 1) i = a + 1 end end return out end
for _, s in ipairs {'a,b,c', '"a,b",c', '"say ""hi""",2', ',,', '""', 'x,"",y'} do local r = row(s) print(#r, table.concat(r, "|")) end
--## INI files
local text, t, section = "top = 1\n[a]\nx = 1 ; remark\n; all\ny=two words\n\n[b.c]\nx= 'q'\n", {}, "" for line in text:gmatch("([^\n]*)\n") do line = line:gsub("%s*;.*$", "") local s = line:match("^%[(.-)%]$") local k, v = line:match("^%s*([%w_]+)%s*=%s*(.-)%s*$") if s then section = s .. "." elseif k then t[#t + 1] = section .. k .. "=" .. v end end print(table.concat(t, "|"))
--## pairs of key and value
local s = [[level=info msg="it \"works\"" took=12.5ms user=ann empty= flag]] local out = {} local i = 1 while i <= #s do local k, e = s:match("^%s*([%w_]+)()", i) if not k then break end local v if s:sub(e, e) == "=" then if s:sub(e + 1, e + 1) == '"' then local j = e + 2 while s:sub(j, j) ~= '"' do if s:sub(j, j) == "\\" then j = j + 1 end j = j + 1 end v = s:sub(e + 2, j - 1):gsub("\\(.)", "%1") i = j + 1 else v, i = s:match("^=(%S*)()", e) end else v, i = "true", e end out[#out + 1] = k .. ":" .. v end print(table.concat(out, "|"))
--## a line of a web server's log
local p = '^(%S+) %S+ (%S+) %[([^%]]+)%] "(%u+) (%S+) HTTP/([%d.]+)" (%d%d%d) (%S+) "([^"]*)" "([^"]*)"' for _, l in ipairs {'127.0.0.1 - ann [10/Oct/2000:13:55:36 -0700] "GET /a.gif?x=1 HTTP/1.0" 200 2326 "http://r/" "Mozilla/4.08"', '::1 - - [x] "POST / HTTP/1.1" 500 - "-" "curl"', 'broken'} do print(l:match(p)) end
--## a syslog line
for _, l in ipairs {"<34>Oct 11 22:14:15 host su[123]: 'su root' failed", "<13>Feb  5 17:32:18 10.0.0.99 app: x", "no priority"} do local pri, mon, day, time, host, app, pid, msg = l:match("^<(%d+)>(%a+)%s+(%d+) ([%d:]+) (%S+) ([^:%[]+)%[?(%d*)%]?: (.*)$") if pri then print(math.floor(pri / 8), pri % 8, mon, day, time, host, app, pid, msg) else print("none") end end
--## times of RFC 3339
for _, s in ipairs {"2024-02-29T12:30:45Z", "2024-02-29T12:30:45.123+01:30", "2024-2-29", "1970-01-01 00:00:00"} do local y, mo, d, h, mi, sec, zone = s:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)[T ](%d%d):(%d%d):(%d%d%.?%d*)(.*)$") if y then local t = os.time {year = y, month = mo, day = d, hour = h, min = mi, sec = math.floor(sec)} local sign, zh, zm = zone:match("([+-])(%d%d):(%d%d)") if sign then t = t - (sign .. 1) * (zh * 3600 + zm * 60) end print(t, sec % 1 > 0, zone) else print("none") end end
--## durations
local function show(s) local d = math.floor(s / 86400) local t = os.date("!*t", s % 86400) local out = {} for _, p in ipairs {{d, "d"}, {t.hour, "h"}, {t.min, "m"}, {t.sec, "s"}} do if p[1] > 0 then out[#out + 1] = p[1] .. p[2] end end return #out > 0 and table.concat(out) or "0s" end
local function read(s) local n = 0 for v, u in s:gmatch("(%d+)(%a)") do n = n + v * ({d = 86400, h = 3600, m = 60, s = 1})[u] end return n end for _, n in ipairs {0, 59, 60, 3661, 90061, 172800} do print(show(n), read(show(n)) == n) end
--## sizes for people
local function size(n) local units, i = {"B", "KiB", "MiB", "GiB"}, 1 while n >= 1024 and i < #units do n, i = n / 1024, i + 1 end return (i == 1 and "%d %s" or "%.1f %s"):format(n, units[i]) end for _, n in ipairs {0, 1, 1023, 1024, 1536, 1048576, 5e9, 1e15} do io.write(size(n), ", ") end print()
--## thousands
local function group(n) local s, k = string.format("%.2f", n) repeat s, k = s:gsub("^(-?%d+)(%d%d%d)", "%1,%2") until k == 0 return s end for _, n in ipairs {0, 12, 1234, -1234567.891, 1e9} do print(group(n)) end
--## ordinals and plurals
local function ordinal(n) local t = n % 100 return n .. ((t < 11 or t > 13) and ({"st", "nd", "rd"})[n % 10] or "th") end for _, n in ipairs {1, 2, 3, 4, 11, 12, 13, 21, 102, 113} do io.write(ordinal(n), " ") end print() local function plural(n, w) return n .. " " .. (n == 1 and w or (w:gsub("y$", "ie")) .. "s") end print(plural(1, "entry"), plural(2, "entry"), plural(0, "cat"))
--## versions
local function parts(v) local t = {} for n in v:gmatch("%d+") do t[#t + 1] = tonumber(n) end return t end local function less(a, b) a, b = parts(a), parts(b) for i = 1, math.max(#a, #b) do local x, y = a[i] or 0, b[i] or 0 if x ~= y then return x < y end end return false end local t = {"1.10", "1.9", "1.9.1", "2", "1.0.0", "10.0", "1"} table.sort(t, less) print(table.concat(t, " "))
--## addresses
local function number(ip) local a, b, c, d = ip:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$") if not a or a + 0 > 255 or b + 0 > 255 or c + 0 > 255 or d + 0 > 255 then return nil end return ((a * 256 + b) * 256 + c) * 256 + d end local function within(ip, net) local base, bits = net:match("^(.-)/(%d+)$") local s = 2 ^ (32 - bits) return math.floor(number(ip) / s) == math.floor(number(base) / s) end
print(number("10.0.0.1"), number("256.1.1.1"), number("1.2.3"), within("192.168.5.9", "192.168.0.0/16"), within("192.169.5.9", "192.168.0.0/16"), within("1.2.3.4", "0.0.0.0/0"))
--## browsers by what they say
local function browser(ua) return ua:match("Firefox/([%d.]+)") and "Firefox " .. ua:match("Firefox/(%d+)") or ua:find("Chrome/", 1, true) and not ua:find("Edg", 1, true) and "Chrome " .. ua:match("Chrome/(%d+)") or ua:match("Version/(%d+).*Safari") and "Safari " .. ua:match("Version/(%d+)") or "other" end
for _, ua in ipairs {"Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0", "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36", "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/17.1 Safari/605.1.15", "curl/8"} do print(browser(ua), ua:match("%((.-)[;)]")) end
--## UTF-8 by hand
local function codes(s) local out = {} for c in s:gmatch("[%z\1-\127\194-\244][\128-\191]*") do local b = c:byte() local n = b < 128 and b or b < 224 and b % 32 or b < 240 and b % 16 or b % 8 for i = 2, #c do n = n * 64 + c:byte(i) % 64 end out[#out + 1] = n end return out end
local function char(n) if n < 128 then return string.char(n) elseif n < 2048 then return string.char(192 + math.floor(n / 64), 128 + n % 64) elseif n < 65536 then return string.char(224 + math.floor(n / 4096), 128 + math.floor(n / 64) % 64, 128 + n % 64) end return string.char(240 + math.floor(n / 262144), 128 + math.floor(n / 4096) % 64, 128 + math.floor(n / 64) % 64, 128 + n % 64) end
local s = "a\195\169\226\130\172\240\159\152\128z" print(table.concat(codes(s), " "), #s) local back = "" for _, n in ipairs(codes(s)) do back = back .. char(n) end print(back == s)
--## JSON out
local function json(v) local t = type(v) if t == "table" then if #v > 0 or next(v) == nil then local o = {} for i, x in ipairs(v) do o[i] = json(x) end return "[" .. table.concat(o, ",") .. "]" end local k, o = {}, {} for n in pairs(v) do k[#k + 1] = n end table.sort(k) for i, n in ipairs(k) do o[i] = json(tostring(n)) .. ":" .. json(v[n]) end return "{" .. table.concat(o, ",") .. "}" elseif t == "string" then return '"' .. v:gsub('[%c"\\]', function(c) return ({["\n"] = "\\n", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\"})[c] or string.format("\\u%04x", c:byte()) end) .. '"' end return tostring(v) end
print(json {a = {1, 2, {b = true}}, s = 'q"\\\n\1', n = 1.5, e = {}})
--## JSON in
local function parse(s) local i, value = 1 local function ws() i = s:match("^%s*()", i) end local function fail(w) error(w .. " at " .. i, 0) end
  local function str() local out = {} i = i + 1 while true do local a, e = s:match('^([^"\\]*)()', i) out[#out + 1] = a i = e local c = s:sub(i, i) if c == '"' then i = i + 1 return table.concat(out) elseif c == "\\" then local x = s:sub(i + 1, i + 1) if x == "u" then out[#out + 1] = string.char(tonumber(s:sub(i + 2, i + 5), 16) % 256) i = i + 6 else out[#out + 1] = ({n = "\n", t = "\t", r = "\r", b = "\b", f = "\f"})[x] or x i = i + 2 end else fail "no end of a string" end end end
  function value() ws() local c = s:sub(i, i) if c == "{" then local t = {} i = i + 1 ws() if s:sub(i, i) == "}" then i = i + 1 return t end while true do ws() if s:sub(i, i) ~= '"' then fail "a name" end local k = str() ws() if s:sub(i, i) ~= ":" then fail "a colon" end i = i + 1 t[k] = value() ws() local d = s:sub(i, i) i = i + 1 if d == "}" then return t elseif d ~= "," then fail "a comma" end end
    elseif c == "[" then local t = {} i = i + 1 ws() if s:sub(i, i) == "]" then i = i + 1 return t end while true do t[#t + 1] = value() ws() local d = s:sub(i, i) i = i + 1 if d == "]" then return t elseif d ~= "," then fail "a comma" end end
    elseif c == '"' then return str() end for w, v in pairs {["true"] = true, ["false"] = false} do if s:sub(i, i + #w - 1) == w then i = i + #w return v end end if s:sub(i, i + 3) == "null" then i = i + 4 return nil end local n, e = s:match("^(-?%d+%.?%d*[eE]?[+-]?%d*)()", i) if not n then fail "a value" end i = e return tonumber(n) end
  local v = value() ws() if i <= #s then fail "the end" end return v end
local v = parse ' {"a": [1, 2.5, -3e2, {"b": "x\\n\\u0041"}], "t": true, "n": null} ' print(v.a[1], v.a[2], v.a[3], v.a[4].b, v.t, v.n) for _, s in ipairs {"", "{", '{"a" 1}', "[1 2]", '"x', "1 2", "[1,]", "{}", "[]"} do print(s, pcall(parse, s)) end
--## XML in a few lines
local s, stack, out = "<a x='1'><b>text</b><c/><b y=\"2\">more</b></a>", {}, {} for close, name, attrs, empty, text in s:gmatch("<(/?)(%w+)(.-)(/?)>([^<]*)") do if close == "" then local at = {} for k, q, v in attrs:gmatch("(%w+)=(['\"])(.-)%2") do at[#at + 1] = k .. "=" .. v end out[#out + 1] = ("."):rep(#stack) .. name .. "(" .. table.concat(at, ",") .. ")" .. text if empty == "" then stack[#stack + 1] = name end else assert(table.remove(stack) == name) end end print(table.concat(out, " "), #stack)
--## tokens of a small language
local s, out, i = "if x1 >= 10.5 then y = 'a b' .. z end -- rest", {}, 1 local kinds = {{"space", "^%s+"}, {"remark", "^%-%-[^\n]*"}, {"number", "^%d+%.?%d*"}, {"name", "^[%a_][%w_]*"}, {"text", "^'[^']*'"}, {"sign", "^[<>=~]=?"}, {"sign", "^%.%.?"}, {"other", "^."}} local words = {["if"] = 1, ["then"] = 1, ["end"] = 1}
while i <= #s do for _, k in ipairs(kinds) do local t = s:match(k[2], i) if t then i = i + #t if k[1] ~= "space" and k[1] ~= "remark" then out[#out + 1] = (words[t] and "word" or k[1]) .. ":" .. t end break end end end print(table.concat(out, " "))
--## wildcards
local function glob(p) return "^" .. p:gsub("[%^%$%(%)%%%.%[%]%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".") .. "$" end for _, c in ipairs {{"*.lua", "a.lua"}, {"*.lua", "alua"}, {"a?c", "abc"}, {"a?c", "ac"}, {"x-[1]*", "x-[1]yz"}} do print(c[1], glob(c[1]), c[2]:match(glob(c[1])) ~= nil) end
--## a small regular expression matcher
local function here(r, s) if r == "" then return true end if r:sub(2, 2) == "*" then local c, rest = r:sub(1, 1), r:sub(3) local i = 1 repeat if here(rest, s:sub(i)) then return true end local x = s:sub(i, i) i = i + 1 until x == "" or x ~= c and c ~= "." return false end if r == "$" then return s == "" end if s ~= "" and (r:sub(1, 1) == "." or r:sub(1, 1) == s:sub(1, 1)) then return here(r:sub(2), s:sub(2)) end return false end
local function match(r, s) if r:sub(1, 1) == "^" then return here(r:sub(2), s) end repeat if here(r, s) then return true end s = s:sub(2) until s == "" return here(r, s) end for _, c in ipairs {{"ab*c", "xabbbc"}, {"^b", "ab"}, {"c$", "abc"}, {"a.c", "abc"}, {".*", ""}, {"a*b", "c"}} do print(c[1], c[2], match(c[1], c[2])) end
--## search for all places
local function all(s, what) local out, i = {}, 1 while true do local a = s:find(what, i, true) if not a then return table.concat(out, " ") end out[#out + 1] = a i = a + 1 end end print(all("abababa", "aba"), all("aaaa", "aa"), all("abc", "x"), (select(2, ("abababa"):gsub("aba", ""))))
--## soundex
local codes = {b = 1, f = 1, p = 1, v = 1, c = 2, g = 2, j = 2, k = 2, q = 2, s = 2, x = 2, z = 2, d = 3, t = 3, l = 4, m = 5, n = 5, r = 6} local function soundex(w) local out, last = w:sub(1, 1):upper(), codes[w:sub(1, 1):lower()] for c in w:sub(2):lower():gmatch(".") do local k = codes[c] if k and k ~= last then out = out .. k end if c ~= "h" and c ~= "w" then last = k end end return (out .. "000"):sub(1, 4) end for w in ("Robert Rupert Rubin Ashcraft Tymczak Pfister"):gmatch("%a+") do io.write(soundex(w), " ") end print()
--## Morse
local m = {a = ".-", e = ".", s = "...", o = "---", l = ".-..", u = "..-", h = "...."} local back = {} for k, v in pairs(m) do back[v] = k end local function to(s) return (s:gsub("%a", function(c) return (m[c] or "?") .. " " end):gsub(" $", "")) end print(to("sos"), to("hello lua"), (to("lua"):gsub("[.-]+ ?", function(c) return back[c:gsub(" ", "")] end)))
--## numbers in words
local ones = {[0] = "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"} local tens = {"", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"}
local function say(n) if n < 20 then return ones[n] elseif n < 100 then return tens[math.floor(n / 10)] .. (n % 10 > 0 and "-" .. ones[n % 10] or "") elseif n < 1000 then return ones[math.floor(n / 100)] .. " hundred" .. (n % 100 > 0 and " and " .. say(n % 100) or "") end return say(math.floor(n / 1000)) .. " thousand" .. (n % 1000 > 0 and " " .. say(n % 1000) or "") end for _, n in ipairs {0, 13, 42, 100, 999, 1000, 12345} do print(n, say(n)) end
--## differences of two texts
local a, b = {}, {} for w in ("the cat sat on the mat"):gmatch("%a+") do a[#a + 1] = w end for w in ("the dog sat on a mat today"):gmatch("%a+") do b[#b + 1] = w end local n = {} for i = #a + 1, 1, -1 do n[i] = {} for j = #b + 1, 1, -1 do n[i][j] = (i > #a or j > #b) and 0 or a[i] == b[j] and n[i + 1][j + 1] + 1 or math.max(n[i + 1][j], n[i][j + 1]) end end
local i, j, out = 1, 1, {} while i <= #a or j <= #b do if i <= #a and j <= #b and a[i] == b[j] then out[#out + 1] = a[i] i, j = i + 1, j + 1 elseif j > #b or i <= #a and n[i + 1][j] >= n[i][j + 1] then out[#out + 1] = "-" .. a[i] i = i + 1 else out[#out + 1] = "+" .. b[j] j = j + 1 end end print(table.concat(out, " "))
--## Huffman codes
local s, freq = "abracadabra", {} for c in s:gmatch(".") do freq[c] = (freq[c] or 0) + 1 end local nodes = {} for c, n in pairs(freq) do nodes[#nodes + 1] = {n = n, c = c, key = c} end while #nodes > 1 do table.sort(nodes, function(a, b) return a.n > b.n or a.n == b.n and a.key > b.key end) local a, b = table.remove(nodes), table.remove(nodes) nodes[#nodes + 1] = {n = a.n + b.n, a = a, b = b, key = a.key .. b.key} end
local codes, bits = {}, 0 local function walk(n, p) if n.c then codes[n.c] = p bits = bits + #p * n.n else walk(n.a, p .. "0") walk(n.b, p .. "1") end end walk(nodes[1], "") print(bits, codes.a, #codes.b, #codes.c)
--## LZ in a table
local function compress(s) local dict, n, w, out = {}, 256, "", {} for i = 0, 255 do dict[string.char(i)] = i end for c in s:gmatch(".") do if dict[w .. c] then w = w .. c else out[#out + 1] = dict[w] dict[w .. c] = n n = n + 1 w = c end end if w ~= "" then out[#out + 1] = dict[w] end return out end
local function expand(t) local dict, n = {}, 256 for i = 0, 255 do dict[i] = string.char(i) end local w = dict[t[1]] local out = {w} for i = 2, #t do local e = dict[t[i]] or w .. w:sub(1, 1) out[#out + 1] = e dict[n] = w .. e:sub(1, 1) n = n + 1 w = e end return table.concat(out) end local s = ("TOBEORNOTTOBE"):rep(4) local c = compress(s) print(#s, #c, expand(c) == s)
--## conversions to text and back
for _, v in ipairs {0, -0.5, 1e15, 1e16, 123456789012, 2 ^ 53, 1 / 3, 1e-10, 1e300, -1e-300} do local s = tostring(v) print(s, tonumber(s) == v, s + 0 == v, #s) end for _, s in ipairs {"10", " 10 ", "0x10", "1e1", "10a", "", " ", "1 0", "0x", "1e", ".5", "5.", ".", "+1", "- 1", "1_0"} do print("[" .. s .. "]", tonumber(s)) end
--## bytes and characters
print(("Lua"):byte(1, -1)) print(("Lua"):byte(-1), ("Lua"):byte(10), ("Lua"):byte(0), ("Lua"):byte(2, 1)) print(string.char(76, 117, 97), string.char(), #string.char(0, 255)) print(pcall(string.char, 256), pcall(string.char, -1), pcall(string.char, "x"))
--## parts of strings
local s = "abcdef" for _, r in ipairs {{1, 3}, {2}, {-3}, {-3, -2}, {0}, {4, 2}, {-100, 2}, {3, 100}, {7}, {0, 0}, {-1, -1}, {2.7, 4.2}} do io.write("[", s:sub(unpack(r)), "] ") end print() print(s:upper(), s:len(), #s, s:rep(2), s:rep(0), s:rep(-1) == "", s:reverse(), ("aBc"):lower(), ("x"):rep(3, ","))
