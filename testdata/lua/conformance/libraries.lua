--## math.abs
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 0.5, -0.5, 2, 10, 100.25, -3.75, 1e10, 1/0, -1/0} do local a, b = math.abs(x) io.write(show(a), b and "," .. show(b) or "", " ") end print()
print(pcall(math.abs), pcall(math.abs, "x"), pcall(math.abs, {}), show((math.abs("0.25"))))
--## math.ceil
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 0.5, -0.5, 2, 10, 100.25, -3.75, 1e10, 1/0, -1/0} do local a, b = math.ceil(x) io.write(show(a), b and "," .. show(b) or "", " ") end print()
print(pcall(math.ceil), pcall(math.ceil, "x"), pcall(math.ceil, {}), show((math.ceil("0.25"))))
--## math.floor
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 0.5, -0.5, 2, 10, 100.25, -3.75, 1e10, 1/0, -1/0} do local a, b = math.floor(x) io.write(show(a), b and "," .. show(b) or "", " ") end print()
print(pcall(math.floor), pcall(math.floor, "x"), pcall(math.floor, {}), show((math.floor("0.25"))))
--## math.sqrt
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 0.5, -0.5, 2, 10, 100.25, -3.75, 1e10, 1/0, -1/0} do local a, b = math.sqrt(x) io.write(show(a), b and "," .. show(b) or "", " ") end print()
print(pcall(math.sqrt), pcall(math.sqrt, "x"), pcall(math.sqrt, {}), show((math.sqrt("0.25"))))
--## math.exp
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 0.5, -0.5, 2, 10, 100.25, -3.75, 1e10, 1/0, -1/0} do local a, b = math.exp(x) io.write(show(a), b and "," .. show(b) or "", " ") end print()
print(pcall(math.exp), pcall(math.exp, "x"), pcall(math.exp, {}), show((math.exp("0.25"))))
--## math.log
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 0.5, -0.5, 2, 10, 100.25, -3.75, 1e10, 1/0, -1/0} do local a, b = math.log(x) io.write(show(a), b and "," .. show(b) or "", " ") end print()
print(pcall(math.log), pcall(math.log, "x"), pcall(math.log, {}), show((math.log("0.25"))))
--## math.log10
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 0.5, -0.5, 2, 10, 100.25, -3.75, 1e10, 1/0, -1/0} do local a, b = math.log10(x) io.write(show(a), b and "," .. show(b) or "", " ") end print()
print(pcall(math.log10), pcall(math.log10, "x"), pcall(math.log10, {}), show((math.log10("0.25"))))
--## math.sin
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 0.5, -0.5, 2, 10, 100.25, -3.75, 1e10, 1/0, -1/0} do local a, b = math.sin(x) io.write(show(a), b and "," .. show(b) or "", " ") end print()
print(pcall(math.sin), pcall(math.sin, "x"), pcall(math.sin, {}), show((math.sin("0.25"))))
--## math.cos
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 0.5, -0.5, 2, 10, 100.25, -3.75, 1e10, 1/0, -1/0} do local a, b = math.cos(x) io.write(show(a), b and "," .. show(b) or "", " ") end print()
print(pcall(math.cos), pcall(math.cos, "x"), pcall(math.cos, {}), show((math.cos("0.25"))))
--## math.tan
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 0.5, -0.5, 2, 10, 100.25, -3.75, 1e10, 1/0, -1/0} do local a, b = math.tan(x) io.write(show(a), b and "," .. show(b) or "", " ") end print()
print(pcall(math.tan), pcall(math.tan, "x"), pcall(math.tan, {}), show((math.tan("0.25"))))
--## math.asin
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 0.5, -0.5, 2, 10, 100.25, -3.75, 1e10, 1/0, -1/0} do local a, b = math.asin(x) io.write(show(a), b and "," .. show(b) or "", " ") end print()
print(pcall(math.asin), pcall(math.asin, "x"), pcall(math.asin, {}), show((math.asin("0.25"))))
--## math.acos
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 0.5, -0.5, 2, 10, 100.25, -3.75, 1e10, 1/0, -1/0} do local a, b = math.acos(x) io.write(show(a), b and "," .. show(b) or "", " ") end print()
print(pcall(math.acos), pcall(math.acos, "x"), pcall(math.acos, {}), show((math.acos("0.25"))))
--## math.atan
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 0.5, -0.5, 2, 10, 100.25, -3.75, 1e10, 1/0, -1/0} do local a, b = math.atan(x) io.write(show(a), b and "," .. show(b) or "", " ") end print()
print(pcall(math.atan), pcall(math.atan, "x"), pcall(math.atan, {}), show((math.atan("0.25"))))
--## math.sinh
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 0.5, -0.5, 2, 10, 100.25, -3.75, 1e10, 1/0, -1/0} do local a, b = math.sinh(x) io.write(show(a), b and "," .. show(b) or "", " ") end print()
print(pcall(math.sinh), pcall(math.sinh, "x"), pcall(math.sinh, {}), show((math.sinh("0.25"))))
--## math.cosh
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 0.5, -0.5, 2, 10, 100.25, -3.75, 1e10, 1/0, -1/0} do local a, b = math.cosh(x) io.write(show(a), b and "," .. show(b) or "", " ") end print()
print(pcall(math.cosh), pcall(math.cosh, "x"), pcall(math.cosh, {}), show((math.cosh("0.25"))))
--## math.tanh
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 0.5, -0.5, 2, 10, 100.25, -3.75, 1e10, 1/0, -1/0} do local a, b = math.tanh(x) io.write(show(a), b and "," .. show(b) or "", " ") end print()
print(pcall(math.tanh), pcall(math.tanh, "x"), pcall(math.tanh, {}), show((math.tanh("0.25"))))
--## math.deg
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 0.5, -0.5, 2, 10, 100.25, -3.75, 1e10, 1/0, -1/0} do local a, b = math.deg(x) io.write(show(a), b and "," .. show(b) or "", " ") end print()
print(pcall(math.deg), pcall(math.deg, "x"), pcall(math.deg, {}), show((math.deg("0.25"))))
--## math.rad
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 0.5, -0.5, 2, 10, 100.25, -3.75, 1e10, 1/0, -1/0} do local a, b = math.rad(x) io.write(show(a), b and "," .. show(b) or "", " ") end print()
print(pcall(math.rad), pcall(math.rad, "x"), pcall(math.rad, {}), show((math.rad("0.25"))))
--## math.frexp
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 0.5, -0.5, 2, 10, 100.25, -3.75, 1e10, 1/0, -1/0} do local a, b = math.frexp(x) io.write(show(a), b and "," .. show(b) or "", " ") end print()
print(pcall(math.frexp), pcall(math.frexp, "x"), pcall(math.frexp, {}), show((math.frexp("0.25"))))
--## math.modf
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 0.5, -0.5, 2, 10, 100.25, -3.75, 1e10, 1/0, -1/0} do local a, b = math.modf(x) io.write(show(a), b and "," .. show(b) or "", " ") end print()
print(pcall(math.modf), pcall(math.modf, "x"), pcall(math.modf, {}), show((math.modf("0.25"))))
--## math.fmod
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 7.5, -7.5, 100} do for _, y in ipairs {1, 2, -2, 0.5, 3} do io.write(show(math.fmod(x, y)), " ") end print() end
print(pcall(math.fmod, 1), pcall(math.fmod, "x", 1), pcall(math.fmod, 1, {}))
--## math.mod
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 7.5, -7.5, 100} do for _, y in ipairs {1, 2, -2, 0.5, 3} do io.write(show(math.mod(x, y)), " ") end print() end
print(pcall(math.mod, 1), pcall(math.mod, "x", 1), pcall(math.mod, 1, {}))
--## math.pow
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 7.5, -7.5, 100} do for _, y in ipairs {1, 2, -2, 0.5, 3} do io.write(show(math.pow(x, y)), " ") end print() end
print(pcall(math.pow, 1), pcall(math.pow, "x", 1), pcall(math.pow, 1, {}))
--## math.atan2
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 7.5, -7.5, 100} do for _, y in ipairs {1, 2, -2, 0.5, 3} do io.write(show(math.atan2(x, y)), " ") end print() end
print(pcall(math.atan2, 1), pcall(math.atan2, "x", 1), pcall(math.atan2, 1, {}))
--## math.ldexp
local function show(v) if v ~= v then return "nan" end return type(v) == "number" and string.format("%.10g", v) or tostring(v) end
for _, x in ipairs {0, 1, -1, 7.5, -7.5, 100} do for _, y in ipairs {1, 2, -2, 0.5, 3} do io.write(show(math.ldexp(x, y)), " ") end print() end
print(pcall(math.ldexp, 1), pcall(math.ldexp, "x", 1), pcall(math.ldexp, 1, {}))
--## math.max
print(math.max(1), math.max(1, 2, 3), math.max(3, 2, 1), math.max(-1, -2), math.max("10", 9), math.max(1/0, 5), math.max(0.1, 0.2))
print(pcall(math.max), pcall(math.max, 1, "x"), pcall(math.max, {}))
--## math.min
print(math.min(1), math.min(1, 2, 3), math.min(3, 2, 1), math.min(-1, -2), math.min("10", 9), math.min(1/0, 5), math.min(0.1, 0.2))
print(pcall(math.min), pcall(math.min, 1, "x"), pcall(math.min, {}))
--## os.date: days and months
for _, t in ipairs {0, 86399, 951782400, 1e9, 1234567890, 1709209845, 2^31 - 1} do print((os.date("!%a %A %b %B %d", t):gsub("\n", "\\n"))) end
--## os.date: times of the day
for _, t in ipairs {0, 86399, 951782400, 1e9, 1234567890, 1709209845, 2^31 - 1} do print((os.date("!%H:%M:%S %I %p", t):gsub("\n", "\\n"))) end
--## os.date: years and days of them
for _, t in ipairs {0, 86399, 951782400, 1e9, 1234567890, 1709209845, 2^31 - 1} do print((os.date("!%y %Y %j %w", t):gsub("\n", "\\n"))) end
--## os.date: whole forms
for _, t in ipairs {0, 86399, 951782400, 1e9, 1234567890, 1709209845, 2^31 - 1} do print((os.date("!%x %X %c %%", t):gsub("\n", "\\n"))) end
--## os.date: weeks
for _, t in ipairs {0, 86399, 951782400, 1e9, 1234567890, 1709209845, 2^31 - 1} do print((os.date("!%U %W %V %G %g %u", t):gsub("\n", "\\n"))) end
--## os.date: those of C99
for _, t in ipairs {0, 86399, 951782400, 1e9, 1234567890, 1709209845, 2^31 - 1} do print((os.date("!%C %D %e %F %h %n %R %t %T", t):gsub("\n", "\\n"))) end
--## os.date: tables
for _, t in ipairs {0, 951782400, 1709209845} do local d = os.date("!*t", t) local keys = {} for k in pairs(d) do keys[#keys + 1] = k end table.sort(keys) for i, k in ipairs(keys) do keys[i] = k .. "=" .. tostring(d[k]) end print(table.concat(keys, " ")) print(os.time(d)) end
--## os.time: what lies outside
for _, t in ipairs {{year = 2024, month = 13, day = 1}, {year = 2024, month = 0, day = 1}, {year = 2024, month = 2, day = 30}, {year = 2024, month = 1, day = -1}, {year = 2024, month = 1, day = 1, hour = 25}, {year = 2024, month = 1, day = 1, min = 61, sec = -1}, {year = "2024", month = "1", day = "1"}, {year = 1900, month = 1, day = 1}} do print(os.time(t)) end
print(pcall(os.time, {}), pcall(os.time, {year = 2000}), pcall(os.time, {year = 2000, month = 1}), pcall(os.time, 5), os.difftime(10, 4), os.difftime(4, 10))
--## tonumber in base 2
for _, s in ipairs {"0", "1", "10", "ff", "zz", "-10", " 11 ", "1.1", "", "19", "7F", "0x1f", "1e1"} do io.write("[", s, "]=", tostring(tonumber(s, 2)), " ") end print() print(pcall(tonumber, {}, 2), pcall(tonumber, 10, 2))
--## tonumber in base 3
for _, s in ipairs {"0", "1", "10", "ff", "zz", "-10", " 11 ", "1.1", "", "19", "7F", "0x1f", "1e1"} do io.write("[", s, "]=", tostring(tonumber(s, 3)), " ") end print() print(pcall(tonumber, {}, 3), pcall(tonumber, 10, 3))
--## tonumber in base 8
for _, s in ipairs {"0", "1", "10", "ff", "zz", "-10", " 11 ", "1.1", "", "19", "7F", "0x1f", "1e1"} do io.write("[", s, "]=", tostring(tonumber(s, 8)), " ") end print() print(pcall(tonumber, {}, 8), pcall(tonumber, 10, 8))
--## tonumber in base 10
for _, s in ipairs {"0", "1", "10", "ff", "zz", "-10", " 11 ", "1.1", "", "19", "7F", "0x1f", "1e1"} do io.write("[", s, "]=", tostring(tonumber(s, 10)), " ") end print() print(pcall(tonumber), pcall(tonumber, nil), tonumber(nil, 10 == 10 and 10 or nil))
--## tonumber in base 11
for _, s in ipairs {"0", "1", "10", "ff", "zz", "-10", " 11 ", "1.1", "", "19", "7F", "0x1f", "1e1"} do io.write("[", s, "]=", tostring(tonumber(s, 11)), " ") end print() print(pcall(tonumber, {}, 11), pcall(tonumber, 10, 11))
--## tonumber in base 16
for _, s in ipairs {"0", "1", "10", "ff", "zz", "-10", " 11 ", "1.1", "", "19", "7F", "0x1f", "1e1"} do io.write("[", s, "]=", tostring(tonumber(s, 16)), " ") end print() print(pcall(tonumber, {}, 16), pcall(tonumber, 10, 16))
--## tonumber in base 20
for _, s in ipairs {"0", "1", "10", "ff", "zz", "-10", " 11 ", "1.1", "", "19", "7F", "0x1f", "1e1"} do io.write("[", s, "]=", tostring(tonumber(s, 20)), " ") end print() print(pcall(tonumber, {}, 20), pcall(tonumber, 10, 20))
--## tonumber in base 36
for _, s in ipairs {"0", "1", "10", "ff", "zz", "-10", " 11 ", "1.1", "", "19", "7F", "0x1f", "1e1"} do io.write("[", s, "]=", tostring(tonumber(s, 36)), " ") end print() print(pcall(tonumber, {}, 36), pcall(tonumber, 10, 36))
--## tonumber: bases that are none
print(pcall(tonumber, "1", 1), pcall(tonumber, "1", 37), pcall(tonumber, "1", 0), pcall(tonumber, "1", "x"), tonumber("1", "2"), tonumber(15, 16), tonumber("7fffffff", 16), tonumber("ffffffff", 16))
