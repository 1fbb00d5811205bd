package std

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"sandbar/sandbox/lua/vm"
)

// Each of these must end soon, within the memory of its sandbox. The host's memory is never given back, so what
// a source makes at all is bounded, not only what it holds.
func TestAttacks(t *testing.T) {
	const big = `local s = ("x"):rep(1000000) `
	for name, c := range map[string]struct{ source, want string }{
		"doubling":                 {`local s = "x" while true do s = (s .. s) end`, "limit"},
		"doubling in pcall":        {`local s = "x" while true do pcall(function() s = (s .. s) end) end`, "limit"},
		"rep":                      {`("x"):rep(1e9)`, "memory_limit"},
		"rep beyond int":           {`("xy"):rep(2^62)`, "memory_limit"},
		"rep of much":              {`local s = ("x"):rep(1e6) while true do s = s:rep(10) end`, "memory_limit"},
		"rep of nothing":           {`while true do (""):rep(1e15) end`, "instruction_limit"},
		"gsub that grows":          {`local s = ("x"):rep(1000) while true do s = s:gsub(".", s) end`, "limit"},
		"gsub of captures":         {big + `while true do s = s:gsub("(x*)", "%1%1%1%1%1%1%1%1") end`, "limit"},
		"gsub with a function":     {big + `s:gsub("", function() return s end)`, "limit"},
		"gsub with a table":        {big + `s:gsub("x", {x = s})`, "limit"},
		"gsub without end":         {big + `while true do s:gsub("", "") end`, "limit"},
		"gsub that recurses":       {`local function f() return ("x"):gsub("x", f) end while true do pcall(f) end`, "limit"},
		"upper":                    {big + `while true do s:upper() end`, "limit"},
		"reverse":                  {big + `while true do s:reverse() end`, "limit"},
		"sub":                      {big + `local t = {} for i = 1, 1e9 do t[i] = s:sub(1, 900000) end`, "memory_limit"},
		"backtracking":             {`local s = ("a"):rep(30000) s:match(".-.-.-.-b")`, "instruction_limit"},
		"backtracking in find":     {big + `s:find(".-b")`, "instruction_limit"},
		"backtracking in pcall":    {big + `while true do pcall(s.find, s, ".-b") end`, "instruction_limit"},
		"backtracking in gmatch":   {big + `for _ in s:gmatch(".-b") do end`, "instruction_limit"},
		"nested repetition":        {`local s = ("a"):rep(30000) s:match(("a*"):rep(30) .. "b")`, "instruction_limit"},
		"open brackets":            {`("x"):match(("("):rep(1000000))`, "too many captures"},
		"a long pattern":           {`("x"):rep(9000):match(("x?"):rep(1000000))`, "pattern too complex"},
		"plain find":               {big + `while true do s:find("y", 1, true) end`, "instruction_limit"},
		"gmatch of nothing":        {big + `while true do for _ in s:gmatch("") do end end`, "limit"},
		"gmatch that is kept":      {big + `local t = {} while true do t[#t + 1] = s:gmatch("y") end`, "limit"},
		"format widths":            {`while true do ("%99d%99d%99d%99.99f"):format(1, 2, 3, 1e308) end`, "limit"},
		"format of much":           {big + `local f = ("%s"):rep(40) while true do f:format(s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s) end`, "memory_limit"},
		"format of quotes":         {`local s = ("\0"):rep(1e6) while true do s = ("%q"):format(s) end`, "limit"},
		"byte":                     {big + `s:byte(1, -1)`, "string slice too long"},
		"byte for ever":            {`local s = ("x"):rep(7000) while true do s:byte(1, -1) end`, "instruction_limit"},
		"char":                     {`local t = {} for i = 1, 4000 do t[i] = 65 end while true do string.char(unpack(t)) end`, "limit"},
		"unpack":                   {`unpack({}, 1, 1e8)`, "too many results"},
		"unpack for ever":          {`while true do pcall(unpack, {}, -2^53, 2^53) unpack({}, 1, 4096) end`, "instruction_limit"},
		"concat":                   {big + `local t = {} for i = 1, 1000 do t[i] = s end table.concat(t)`, "memory_limit"},
		"concat with separator":    {big + `table.concat({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35}, s)`, "memory_limit"},
		"concat of little":         {`local t = {} for i = 1, 10000 do t[i] = "" end while true do table.concat(t) end`, "instruction_limit"},
		"concat of a range":        {`while true do pcall(table.concat, {}, "", -2^53, 2^53) end`, "limit"},
		"insert far out":           {`while true do table.insert({}, 1e7, 1) end`, "limit"},
		"insert in front":          {`local t = {} while true do table.insert(t, 1, 1) end`, "limit"},
		"insert far in front":      {`table.insert({1}, -2^53, 1)`, "instruction_limit"},
		"remove in front":          {`local t = {} for i = 1, 50000 do t[i] = i end while true do table.remove(t, 1) table.insert(t, 1) end`, "limit"},
		"rawset far out":           {`while true do rawset({}, 6e7, 1) end`, "limit"},
		"rawset of keys":           {`local t = {} for i = 1, 1e9 do rawset(t, "k" .. i, i) end`, "limit"},
		"sort":                     {`local t = {} for i = 1, 1e5 do t[i] = i * 7919 % 100003 end while true do table.sort(t) end`, "limit"},
		"sort of strings":          {`local s = ("x"):rep(10000) local t = {} for i = 1, 2000 do t[i] = (s .. i) end while true do table.sort(t) end`, "limit"},
		"sort with a broken order": {`local t = {} for i = 1, 1e4 do t[i] = i end while true do pcall(table.sort, t, function() return true end) end`, "instruction_limit"},
		"maxn":                     {`local t = {a = 1} for i = 1, 5e4 do t[i] = i end while true do table.maxn(t) end`, "instruction_limit"},
		"next over nils":           {`local t = {} rawset(t, 100000, 1) rawset(t, 100000, nil) t.a = 1 while true do next(t) end`, "instruction_limit"},
		"next over deleted keys":   {`local t = {} for i = 1, 20000 do t["k" .. i] = i end for i = 1, 20000 do t["k" .. i] = nil end while true do next(t) end`, "instruction_limit"},
		"length over nils":         {`while true do local t = {} rawset(t, 30000, 1) rawset(t, 30000, nil) table.insert(t, 1) end`, "limit"},
		"tonumber":                 {`local s = ("1"):rep(1000000) while true do tonumber(s) tonumber(s, 7) end`, "instruction_limit"},
		"date":                     {`local s = ("%c"):rep(100000) while true do os.date(s) end`, "limit"},
		"metatable of strings":     {`getmetatable("").__index = function(s, k) return s[k .. "x"] end pcall(function() return ("x").y end) while true do end`, "limit"},
		"tostring that recurses":   {`local t t = setmetatable({}, {__tostring = function() return tostring(t) end}) while true do pcall(tostring, t) end`, "instruction_limit"},
		"concat that recurses":     {`local t t = setmetatable({}, {__concat = function(a, b) return a .. b end}) while true do pcall(function() return t .. t end) end`, "instruction_limit"},
	} {
		L, _ := newState(vm.Options{Fuel: 1_000_000, Memory: 32 << 20})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		err := doString(L, c.source)
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s ended with %.200v, want %s", name, err, c.want)
		}
		if made := int64(after.TotalAlloc-before.TotalAlloc) >> 20; made > 500 {
			t.Errorf("%s made %d MiB", name, made)
		}
		t.Logf("%-26s %8.1f ms %5d MiB  fuel left %d", name, float64(took.Microseconds())/1000, (after.TotalAlloc-before.TotalAlloc)>>20, L.Fuel())
	}
}
