--## operator + of all kinds of values
local values, n = {nil, true, false, 0, -0.5, 7, 2^31, 1e100, "", "x", "10", " 0x1f ", "1e2", {}, print}, 15
local function show(v) if v ~= v then return "nan" end if type(v) == "table" or type(v) == "function" then return type(v) end if type(v) == "number" then return string.format("%.6g", v) end return tostring(v) end
for i = 1, n do local line = {} for j = 1, n do local ok, v = pcall(function(a, b) return a + b end, values[i], values[j]) line[j] = ok and show(v) or "!" end print(i, table.concat(line, " ")) end
--## operator - of all kinds of values
local values, n = {nil, true, false, 0, -0.5, 7, 2^31, 1e100, "", "x", "10", " 0x1f ", "1e2", {}, print}, 15
local function show(v) if v ~= v then return "nan" end if type(v) == "table" or type(v) == "function" then return type(v) end if type(v) == "number" then return string.format("%.6g", v) end return tostring(v) end
for i = 1, n do local line = {} for j = 1, n do local ok, v = pcall(function(a, b) return a - b end, values[i], values[j]) line[j] = ok and show(v) or "!" end print(i, table.concat(line, " ")) end
--## operator * of all kinds of values
local values, n = {nil, true, false, 0, -0.5, 7, 2^31, 1e100, "", "x", "10", " 0x1f ", "1e2", {}, print}, 15
local function show(v) if v ~= v then return "nan" end if type(v) == "table" or type(v) == "function" then return type(v) end if type(v) == "number" then return string.format("%.6g", v) end return tostring(v) end
for i = 1, n do local line = {} for j = 1, n do local ok, v = pcall(function(a, b) return a * b end, values[i], values[j]) line[j] = ok and show(v) or "!" end print(i, table.concat(line, " ")) end
--## operator / of all kinds of values
local values, n = {nil, true, false, 0, -0.5, 7, 2^31, 1e100, "", "x", "10", " 0x1f ", "1e2", {}, print}, 15
local function show(v) if v ~= v then return "nan" end if type(v) == "table" or type(v) == "function" then return type(v) end if type(v) == "number" then return string.format("%.6g", v) end return tostring(v) end
for i = 1, n do local line = {} for j = 1, n do local ok, v = pcall(function(a, b) return a / b end, values[i], values[j]) line[j] = ok and show(v) or "!" end print(i, table.concat(line, " ")) end
--## operator % of all kinds of values
local values, n = {nil, true, false, 0, -0.5, 7, 2^31, 1e100, "", "x", "10", " 0x1f ", "1e2", {}, print}, 15
local function show(v) if v ~= v then return "nan" end if type(v) == "table" or type(v) == "function" then return type(v) end if type(v) == "number" then return string.format("%.6g", v) end return tostring(v) end
for i = 1, n do local line = {} for j = 1, n do local ok, v = pcall(function(a, b) return a % b end, values[i], values[j]) line[j] = ok and show(v) or "!" end print(i, table.concat(line, " ")) end
--## operator ^ of all kinds of values
local values, n = {nil, true, false, 0, -0.5, 7, 2^31, 1e100, "", "x", "10", " 0x1f ", "1e2", {}, print}, 15
local function show(v) if v ~= v then return "nan" end if type(v) == "table" or type(v) == "function" then return type(v) end if type(v) == "number" then return string.format("%.6g", v) end return tostring(v) end
for i = 1, n do local line = {} for j = 1, n do local ok, v = pcall(function(a, b) return a ^ b end, values[i], values[j]) line[j] = ok and show(v) or "!" end print(i, table.concat(line, " ")) end
--## operator .. of all kinds of values
local values, n = {nil, true, false, 0, -0.5, 7, 2^31, 1e100, "", "x", "10", " 0x1f ", "1e2", {}, print}, 15
local function show(v) if v ~= v then return "nan" end if type(v) == "table" or type(v) == "function" then return type(v) end if type(v) == "number" then return string.format("%.6g", v) end return tostring(v) end
for i = 1, n do local line = {} for j = 1, n do local ok, v = pcall(function(a, b) return a .. b end, values[i], values[j]) line[j] = ok and show(v) or "!" end print(i, table.concat(line, " ")) end
--## operator == of all kinds of values
local values, n = {nil, true, false, 0, -0.5, 7, 2^31, 1e100, "", "x", "10", " 0x1f ", "1e2", {}, print}, 15
local function show(v) if v ~= v then return "nan" end if type(v) == "table" or type(v) == "function" then return type(v) end if type(v) == "number" then return string.format("%.6g", v) end return tostring(v) end
for i = 1, n do local line = {} for j = 1, n do local ok, v = pcall(function(a, b) return a == b end, values[i], values[j]) line[j] = ok and show(v) or "!" end print(i, table.concat(line, " ")) end
--## operator ~= of all kinds of values
local values, n = {nil, true, false, 0, -0.5, 7, 2^31, 1e100, "", "x", "10", " 0x1f ", "1e2", {}, print}, 15
local function show(v) if v ~= v then return "nan" end if type(v) == "table" or type(v) == "function" then return type(v) end if type(v) == "number" then return string.format("%.6g", v) end return tostring(v) end
for i = 1, n do local line = {} for j = 1, n do local ok, v = pcall(function(a, b) return a ~= b end, values[i], values[j]) line[j] = ok and show(v) or "!" end print(i, table.concat(line, " ")) end
--## operator < of all kinds of values
local values, n = {nil, true, false, 0, -0.5, 7, 2^31, 1e100, "", "x", "10", " 0x1f ", "1e2", {}, print}, 15
local function show(v) if v ~= v then return "nan" end if type(v) == "table" or type(v) == "function" then return type(v) end if type(v) == "number" then return string.format("%.6g", v) end return tostring(v) end
for i = 1, n do local line = {} for j = 1, n do local ok, v = pcall(function(a, b) return a < b end, values[i], values[j]) line[j] = ok and show(v) or "!" end print(i, table.concat(line, " ")) end
--## operator <= of all kinds of values
local values, n = {nil, true, false, 0, -0.5, 7, 2^31, 1e100, "", "x", "10", " 0x1f ", "1e2", {}, print}, 15
local function show(v) if v ~= v then return "nan" end if type(v) == "table" or type(v) == "function" then return type(v) end if type(v) == "number" then return string.format("%.6g", v) end return tostring(v) end
for i = 1, n do local line = {} for j = 1, n do local ok, v = pcall(function(a, b) return a <= b end, values[i], values[j]) line[j] = ok and show(v) or "!" end print(i, table.concat(line, " ")) end
--## operator > of all kinds of values
local values, n = {nil, true, false, 0, -0.5, 7, 2^31, 1e100, "", "x", "10", " 0x1f ", "1e2", {}, print}, 15
local function show(v) if v ~= v then return "nan" end if type(v) == "table" or type(v) == "function" then return type(v) end if type(v) == "number" then return string.format("%.6g", v) end return tostring(v) end
for i = 1, n do local line = {} for j = 1, n do local ok, v = pcall(function(a, b) return a > b end, values[i], values[j]) line[j] = ok and show(v) or "!" end print(i, table.concat(line, " ")) end
--## operator >= of all kinds of values
local values, n = {nil, true, false, 0, -0.5, 7, 2^31, 1e100, "", "x", "10", " 0x1f ", "1e2", {}, print}, 15
local function show(v) if v ~= v then return "nan" end if type(v) == "table" or type(v) == "function" then return type(v) end if type(v) == "number" then return string.format("%.6g", v) end return tostring(v) end
for i = 1, n do local line = {} for j = 1, n do local ok, v = pcall(function(a, b) return a >= b end, values[i], values[j]) line[j] = ok and show(v) or "!" end print(i, table.concat(line, " ")) end
--## operator and of all kinds of values
local values, n = {nil, true, false, 0, -0.5, 7, 2^31, 1e100, "", "x", "10", " 0x1f ", "1e2", {}, print}, 15
local function show(v) if v ~= v then return "nan" end if type(v) == "table" or type(v) == "function" then return type(v) end if type(v) == "number" then return string.format("%.6g", v) end return tostring(v) end
for i = 1, n do local line = {} for j = 1, n do local ok, v = pcall(function(a, b) return a and b end, values[i], values[j]) line[j] = ok and show(v) or "!" end print(i, table.concat(line, " ")) end
--## operator or of all kinds of values
local values, n = {nil, true, false, 0, -0.5, 7, 2^31, 1e100, "", "x", "10", " 0x1f ", "1e2", {}, print}, 15
local function show(v) if v ~= v then return "nan" end if type(v) == "table" or type(v) == "function" then return type(v) end if type(v) == "number" then return string.format("%.6g", v) end return tostring(v) end
for i = 1, n do local line = {} for j = 1, n do local ok, v = pcall(function(a, b) return a or b end, values[i], values[j]) line[j] = ok and show(v) or "!" end print(i, table.concat(line, " ")) end
--## operator - of all kinds of values
local values, n = {nil, true, false, 0, -0.5, 7, 2^31, 1e100, "", "x", "10", " 0x1f ", "1e2", {}, print}, 15
local function show(v) if v ~= v then return "nan" end if type(v) == "table" or type(v) == "function" then return type(v) end if type(v) == "number" then return string.format("%.6g", v) end return tostring(v) end
for i = 1, n do print(i, pcall(function(a) return show(-a) end, values[i])) end
--## operator not of all kinds of values
local values, n = {nil, true, false, 0, -0.5, 7, 2^31, 1e100, "", "x", "10", " 0x1f ", "1e2", {}, print}, 15
local function show(v) if v ~= v then return "nan" end if type(v) == "table" or type(v) == "function" then return type(v) end if type(v) == "number" then return string.format("%.6g", v) end return tostring(v) end
for i = 1, n do print(i, pcall(function(a) return show(not a) end, values[i])) end
--## operator # of all kinds of values
local values, n = {nil, true, false, 0, -0.5, 7, 2^31, 1e100, "", "x", "10", " 0x1f ", "1e2", {}, print}, 15
local function show(v) if v ~= v then return "nan" end if type(v) == "table" or type(v) == "function" then return type(v) end if type(v) == "number" then return string.format("%.6g", v) end return tostring(v) end
for i = 1, n do print(i, pcall(function(a) return show(#a) end, values[i])) end
--## operator +: what its errors say
local up
print(pcall(function() local a, b = {}, nil return a + b end))
print(pcall(function() local a = {} b = nil return a + b end))
print(pcall(function() local t = {a = {}} local a, b = t, up return a + b end))
print(pcall(function(a, b) return a + b end, print, 1))
print(pcall(function(a, b) return a + b end, 1, print))
print(pcall(function(a, b) return (a + b) end, "x", {}))
--## operator -: what its errors say
local up
print(pcall(function() local a, b = {}, nil return a - b end))
print(pcall(function() local a = {} b = nil return a - b end))
print(pcall(function() local t = {a = {}} local a, b = t, up return a - b end))
print(pcall(function(a, b) return a - b end, print, 1))
print(pcall(function(a, b) return a - b end, 1, print))
print(pcall(function(a, b) return (a - b) end, "x", {}))
--## operator *: what its errors say
local up
print(pcall(function() local a, b = {}, nil return a * b end))
print(pcall(function() local a = {} b = nil return a * b end))
print(pcall(function() local t = {a = {}} local a, b = t, up return a * b end))
print(pcall(function(a, b) return a * b end, print, 1))
print(pcall(function(a, b) return a * b end, 1, print))
print(pcall(function(a, b) return (a * b) end, "x", {}))
--## operator /: what its errors say
local up
print(pcall(function() local a, b = {}, nil return a / b end))
print(pcall(function() local a = {} b = nil return a / b end))
print(pcall(function() local t = {a = {}} local a, b = t, up return a / b end))
print(pcall(function(a, b) return a / b end, print, 1))
print(pcall(function(a, b) return a / b end, 1, print))
print(pcall(function(a, b) return (a / b) end, "x", {}))
--## operator %: what its errors say
local up
print(pcall(function() local a, b = {}, nil return a % b end))
print(pcall(function() local a = {} b = nil return a % b end))
print(pcall(function() local t = {a = {}} local a, b = t, up return a % b end))
print(pcall(function(a, b) return a % b end, print, 1))
print(pcall(function(a, b) return a % b end, 1, print))
print(pcall(function(a, b) return (a % b) end, "x", {}))
--## operator ^: what its errors say
local up
print(pcall(function() local a, b = {}, nil return a ^ b end))
print(pcall(function() local a = {} b = nil return a ^ b end))
print(pcall(function() local t = {a = {}} local a, b = t, up return a ^ b end))
print(pcall(function(a, b) return a ^ b end, print, 1))
print(pcall(function(a, b) return a ^ b end, 1, print))
print(pcall(function(a, b) return (a ^ b) end, "x", {}))
--## operator ..: what its errors say
local up
print(pcall(function() local a, b = {}, nil return a .. b end))
print(pcall(function() local a = {} b = nil return a .. b end))
print(pcall(function() local t = {a = {}} local a, b = t, up return a .. b end))
print(pcall(function(a, b) return a .. b end, print, 1))
print(pcall(function(a, b) return a .. b end, 1, print))
print(pcall(function(a, b) return (a .. b) end, "x", {}))
--## operator ==: what its errors say
local up
print(pcall(function() local a, b = {}, nil return a == b end))
print(pcall(function() local a = {} b = nil return a == b end))
print(pcall(function() local t = {a = {}} local a, b = t, up return a == b end))
print(pcall(function(a, b) return a == b end, print, 1))
print(pcall(function(a, b) return a == b end, 1, print))
print(pcall(function(a, b) return (a == b) end, "x", {}))
--## operator ~=: what its errors say
local up
print(pcall(function() local a, b = {}, nil return a ~= b end))
print(pcall(function() local a = {} b = nil return a ~= b end))
print(pcall(function() local t = {a = {}} local a, b = t, up return a ~= b end))
print(pcall(function(a, b) return a ~= b end, print, 1))
print(pcall(function(a, b) return a ~= b end, 1, print))
print(pcall(function(a, b) return (a ~= b) end, "x", {}))
--## operator <: what its errors say
local up
print(pcall(function() local a, b = {}, nil return a < b end))
print(pcall(function() local a = {} b = nil return a < b end))
print(pcall(function() local t = {a = {}} local a, b = t, up return a < b end))
print(pcall(function(a, b) return a < b end, print, 1))
print(pcall(function(a, b) return a < b end, 1, print))
print(pcall(function(a, b) return (a < b) end, "x", {}))
--## operator <=: what its errors say
local up
print(pcall(function() local a, b = {}, nil return a <= b end))
print(pcall(function() local a = {} b = nil return a <= b end))
print(pcall(function() local t = {a = {}} local a, b = t, up return a <= b end))
print(pcall(function(a, b) return a <= b end, print, 1))
print(pcall(function(a, b) return a <= b end, 1, print))
print(pcall(function(a, b) return (a <= b) end, "x", {}))
--## operator >: what its errors say
local up
print(pcall(function() local a, b = {}, nil return a > b end))
print(pcall(function() local a = {} b = nil return a > b end))
print(pcall(function() local t = {a = {}} local a, b = t, up return a > b end))
print(pcall(function(a, b) return a > b end, print, 1))
print(pcall(function(a, b) return a > b end, 1, print))
print(pcall(function(a, b) return (a > b) end, "x", {}))
--## operator >=: what its errors say
local up
print(pcall(function() local a, b = {}, nil return a >= b end))
print(pcall(function() local a = {} b = nil return a >= b end))
print(pcall(function() local t = {a = {}} local a, b = t, up return a >= b end))
print(pcall(function(a, b) return a >= b end, print, 1))
print(pcall(function(a, b) return a >= b end, 1, print))
print(pcall(function(a, b) return (a >= b) end, "x", {}))
