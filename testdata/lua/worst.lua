-- What any function may be given, as names and values, and what single functions are given to do anything at all, or anything that is dear.
-- SIZE is how long strings are.
require "string"
require "math"
require "table"
require "coroutine"
require "circular_buffer"
require "cuckoo_filter_expire"
local json = require "json"

local function long(s) return s:rep(math.floor(SIZE / #s)) end
local function list(n, f) local t = {} for i = 1, n do t[i] = f(i) end return t end
local function emptied(t) for k in pairs(t) do t[k] = nil end return t end
local function keys(n, f) local t = {} for i = 1, n do t[f(i)] = i end return t end
local function chain(n) local t = {} for i = 1, n do t = setmetatable({}, {__index = t, __newindex = t}) end return t end
local function nested(n) local t = {} for i = 1, n do t = {t} end return t end
local function number(i) return i end
local function yielding(...) while true do coroutine.yield(...) end end

function worst_values()
  local few = math.floor(SIZE / 50)
  local document = json.parse("[" .. ("[1,\"two\"],"):rep(few / 2) .. "{" .. ("\"k\":1,"):rep(few / 2) .. "\"end\":\"" .. long("x") .. "\"}]")
  return {
    "nil", nil, "true", true, "0", 0, "1", 1, "2", 2, "-1", -1, "-1e15", -1e15, "1e6", 1e6, "2^53", 2^53, "huge", math.huge, "nan", 0/0,
    "1.7e308", 1.7e308, "3e-308", 3e-308, "time", 1.7e18,
    "x", "x", "empty", "", "aaa", long("a"), "digits", long("1"), "zeros", long("\0"), "spaces", long(" "), "quotes", long("\""), "0x", "0x" .. long("f"),
    "exponent", "1e" .. long("1"), ".-.-b", ".-.-b", "^a*b", "^a*b", "a?a?a?", ("a?"):rep(100), "%b()", "%b()", "%f[a]", "%f[a]a", "(a*)%1b", "(a*)%1b",
    "set", "[" .. long("b-y") .. "]", "%w%w", long("%w"), "%99.99f", ("%99.99f"):rep(100), "%c%c", long("%c"), "%s", long("%s"), "%q", "%q%q", "%%", long("%%"),
    "%0%0", long("%0"), "[[", long("["), "[1,", "[" .. long("1,") .. "1]", "object", "{" .. long("\"k\":1,") .. "\"l\":1}",
    "escapes", "\"" .. long("\\u1234") .. "\"", "exponents", "[" .. long("1e-400,") .. "1]", "address", "1.2.3.4",
    "none", {}, "list", list(few, number), "hash", keys(few, function(i) return "k" .. i end), "fractions", keys(few, function(i) return i + 0.5 end),
    "holes", list(few, function(i) return i % 2 == 0 and i or nil end), "emptied list", emptied(list(few, number)),
    "emptied hash", emptied(keys(few, function(i) return "k" .. i end)), "equal texts", list(few, function(i) return ("x"):rep(100) .. i % 2 end),
    "empty texts", list(few, function() return "" end), "tables", list(few, function() return {} end), "nested", nested(80), "chain", chain(90),
    "long keys", keys(20, function(i) return long("x") .. i end), "negative", {[-1e6] = 1},
    "message", {Type = "x", Payload = long("x"), Fields = keys(few, function(i) return "k" .. i end)},
    "fields", {Fields = list(few, function(i) return {name = "n" .. i, value = {i, i}, representation = "r"} end)},
    "function", function() end, "yes", function() return true end, "more", function() return long("x") end, "fails", function() error("no") end,
    "yields", coroutine.create(yielding), "wrapped", coroutine.wrap(yielding),
    "document", document, "buffer", circular_buffer.new(few, 3, 1), "filter", cuckoo_filter_expire.new(few * 2 + 1000, 1),
  }
end

local series = list(1000, number)
local a = ("a"):rep(1e5)

worst_calls = {
  ["anomaly.chi_square"] = {function() return series, series end},
  ["anomaly.earth_mover"] = {function() return series, series end},
  ["anomaly.pearson"] = {function() return series, series end},
  ["anomaly.rank_sum"] = {function() return series, series end},
  ["math.atan2"] = {function() return 7, 3 end},
  ["math.fmod"] = {function() return 7, 3 end},
  ["math.ldexp"] = {function() return 7, 3 end},
  ["math.mod"] = {function() return 7, 3 end},
  ["math.pow"] = {function() return 7, 3 end},
  ["rawequal"] = {function() return 7, 3 end},
  ["operator %"] = {function() return 7, 3 end},
  ["operator *"] = {function() return 7, 3 end},
  ["operator +"] = {function() return 7, 3 end},
  ["operator -"] = {function() return 7, 3 end},
  ["operator .."] = {function() return 7, 3 end},
  ["operator /"] = {function() return 7, 3 end},
  ["operator <"] = {function() return 7, 3 end},
  ["operator <="] = {function() return 7, 3 end},
  ["operator ^"] = {function() return 7, 3 end},
  ["operator a .. b .. a"] = {function() return 7, 3 end},
  ["operator for"] = {function() return 7, 3 end},
  ["operator for of a step"] = {function() return 7, 3 end},
  ["operator t[k] = v"] = {function() return {}, "k", 1 end},
  ["rawget"] = {function() return {}, "k" end},
  ["rawset"] = {function() return {}, "k", 1 end},
  ["string.gfind"] = {function() return "abc", "b" end},
  ["string.gmatch"] = {function() return "abc", "b" end},
  ["string.match"] = {function() return "abc", "b" end},
  ["string.sub"] = {function() return "abc", 2 end},
  ["table.foreach"] = {function() return {1, 2}, function() end end},
  ["table.foreachi"] = {function() return {1, 2}, function() end end},
  add_to_payload = {function() return "x", 1, true end},
  assert = {function() return true end},
  decode_message = {function() return read_message("raw") end},
  inject_message = {function() return {Payload = a} end},
  inject_payload = {function() return "txt", "n", a end, function() return "cbuf", "n", circular_buffer.new(1000, 3, 1) end},
  getfenv = {function() return 1 end},
  pcall = {function() return error, a end, function() return pcall, pcall, error end},
  read_config = {function() return "list" end, function() return "alert" end, function() return "Hostname" end},
  read_message = {
    function() return "Type" end, function() return "Payload" end, function() return "raw" end, function() return "Uuid" end,
    function() return "Fields[last]" end, function() return "Fields[last]", 0, 0 end, function() return "Fields[none]" end, function() return "Fields[content]" end,
  },
  require = {function() return "string" end},
  select = {function() return "#", unpack(series) end, function() return -1, unpack(series) end, function() return 1, unpack(series) end},
  setfenv = {function() return function() end, {} end},
  setmetatable = {function() return {}, {} end},
  unpack = {function() return {}, 1, 7000 end, function() return series end},
  update_checkpoint = {function() return 1 end},
  xpcall = {function() return error, function(e) return e end end, function() return error, error end},
  ["anomaly.categories"] = {function() return {a = 1, b = 2}, {a = 5, c = 6} end, function() local t = {} for i = 1, 5000 do t["k" .. i] = i end return t, t end},
  ["anomaly.decompose"] = {function() return series, {10} end, function() return series, {1, 2, 3, 4} end, function() return series, {1e9} end},
  ["circular_buffer.new"] = {function() return 20000, 10, 1 end, function() return 2, 1, 1 end},
  ["cuckoo_filter_expire.new"] = {function() return 1000, 1 end, function() return 1e6, 1 end},
  ["heka.alert.get_threshold"] = {function() return "id" end},
  ["heka.alert.note"] = {function() return "id" end},
  ["heka.alert.over"] = {function() return "id", "detail" end},
  ["heka.alert.send"] = {function() return "id", "summary", "detail" end},
  ["heka.alert.throttled"] = {function() return "id" end},
  ["json.parse_message"] = {function() return "Fields[content]" end},
  ["lake.heka"] = {function() return "a/b" end},
  ["lake.parquet"] = {function() return "t/v1", {fields = {"x", "y"}, payload = "content", namespace = "ns", doc_type = "d", doc_version = "1"} end},
  ["math.random"] = {function() return 1, 10 end},
  ["os.date"] = {function() return ("%c"):rep(1e5) end, function() return "*t" end},
  ["os.time"] = {function() return {year = 2000, month = 1, day = 1} end, function() return {year = 2000, month = -1e9, day = 1e9} end},
  ["schema.validate"] = {function() return json.parse("{}"), "ns", "good", "1" end},
  ["string.char"] = {function() return unpack(list(200, function() return 65 end)) end, function() return 65 end},
  ["string.find"] = {
    function() return a, a .. "b", 1, true end, function() return ("ab"):rep(1e4), ("ab"):rep(5e3) .. "c", 1, true end, function() return "", ("a"):rep(1e6) end,
    function() return a, "()", 1 end, function() return a, "a-b", 1 end,
  },
  ["string.format"] = {function() return "%s", ("x"):rep(1e6) end, function() return "%q", ("\0"):rep(1e6) end, function() return "%99.99g", 5e-324 end, function() return "%5.1f|%d|%x", 1, 2, 3 end},
  ["string.gsub"] = {
    function() return a, "a", "%0%0" end, function() return a, "", "" end, function() return a, "(.)", {a = "b"} end, function() return a, "b*", function() end end,
    function() return ("a"):rep(1e6), "b", "c", 0 end, function() return ("a"):rep(1e6), "^b", "c" end, function() return a, "a", a end,
  },
  ["anomaly.quantile_shift"] = {function() return series, series, 0.5 end},
  ["string.rep"] = {function() return "", 1e9 end, function() return "x", 1e6 end, function() return "x", 10 end},
  ["table.concat"] = {function() return series, ("x"):rep(100) end, function() return series, "", 1, 100 end},
  ["table.insert"] = {function() return series, 1, 1 end, function() return series, 1 end, function() return {}, -1e6, 1 end, function() return {}, 1e7, 1 end},
  ["table.remove"] = {function() return series, 1 end, function() return series end},
  ["table.sort"] = {function() return list(1000, function(i) return i * 7919 % 1009 end), function(a, b) return a < b end end, function() return list(5000, function(i) return i * 7919 % 10007 end) end},
  ["circular_buffer:add"] = {function() return 1e9, 1, 1 end, function() return 1e18, 3, 2 end},
  ["circular_buffer:annotate"] = {function() return 1e9, 1, "info", "text" end},
  ["circular_buffer:format"] = {function() return "cbuf" end},
  ["circular_buffer:fromstring"] = {function() return "1 0" .. (" 1"):rep(3 * SIZE / 50) end},
  ["circular_buffer:get"] = {function() return 1e9, 1 end},
  ["circular_buffer:get_delta"] = {function() return 1e9, 1 end},
  ["circular_buffer:get_header"] = {function() return 1 end},
  ["circular_buffer:get_range"] = {function() return 1 end},
  ["circular_buffer:get_range_delta"] = {function() return 1 end},
  ["circular_buffer:set"] = {function() return 1e9, 1, 1 end, function() return 1e18, 3, 2 end},
  ["circular_buffer:set_header"] = {function() return 1, "name", "unit", "sum" end},
  ["cuckoo_filter_expire:add"] = {function() return "k", 6e10 end, function() return "k", 1e18 end},
}

-- What is no function, as functions.
worst_operators = {
  ["+"] = function(a, b) return a + b end, ["-"] = function(a, b) return a - b end, ["*"] = function(a, b) return a * b end, ["/"] = function(a, b) return a / b end,
  ["%"] = function(a, b) return a % b end, ["^"] = function(a, b) return a ^ b end, [".."] = function(a, b) return a .. b end, ["=="] = function(a, b) return a == b end,
  ["<"] = function(a, b) return a < b end, ["<="] = function(a, b) return a <= b end, ["-x"] = function(a) return -a end, ["#"] = function(a) return #a end,
  ["+ 1"] = function(a) return a + 1 end, ["% 3"] = function(a) return a % 3 end, ["== 'x'"] = function(a) return a == "x" end, ["< 1"] = function(a) return a < 1 end,
  ["a .. b .. a"] = function(a, b) return a .. b .. a .. b end, ["t[k]"] = function(a, b) return a[b] end, ["t.k"] = function(a) return a.k1 end, ["t[1]"] = function(a) return a[1] end,
  ["t[k] = v"] = function(a, b, c) a[b] = c end, ["t.k = v"] = function(a, b) a.other = b end, ["method"] = function(a) return a:len() end, ["f()"] = function(a, b) return (a(b)) end,
  ["{...}"] = function(...) return {...} end, ["{[k] = v}"] = function(a, b) return {[a] = b, x = a, b} end, ["select of ..."] = function(...) local a, b, c, d = ... return d, ... end,
  ["for"] = function(a, b) for i = a, b do break end end, ["for of a step"] = function(a, b) for i = 1, a, b do break end end,
  ["pairs"] = function(a) for k, v in pairs(a) do end end, ["ipairs"] = function(a) for k, v in ipairs(a) do end end, ["in"] = function(a, b) for k in a, b do break end end,
  ["closure"] = function(a, b) return function() return a, b end end, ["return f()"] = function(a, b) return a(b) end, ["arg"] = function(a, ...) return arg end,
  ["not"] = function(a) return not a and a or a end,
}

function process_message() return 0 end
