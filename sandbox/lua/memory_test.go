package lua

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"sandbar/sandbox"
)

// TestAccount compares what is counted with the Go heap, over shapes of state.
func TestAccount(t *testing.T) { // not parallel: it reads the process's heap
	for _, c := range []struct{ name, build string }{
		{"array of numbers", `for i = 1, 100000 do t[i] = i + 0.5 end`},
		{"keys", `for i = 1, 20000 do t["key" .. i] = i end`},
		{"small tables", `for i = 1, 20000 do t[i] = {i, i + 1} end`},
		{"records", `for i = 1, 2000 do t[i] = {name = "n" .. i, value = i} end`},
		{"long strings", `for i = 1, 500 do t[i] = string.rep(tostring(i), 4000) end`},
		{"short strings", `for i = 1, 50000 do t[i] = "s" .. i end`},
		{"closures", `for i = 1, 20000 do t[i] = function() return i end end`},
		{"number keys", `for i = 1, 20000 do t[i * 1e6] = i end`},
		{"coroutines", `for i = 1, 300 do t[i] = coroutine.wrap(function(a) coroutine.yield(a) end) t[i](i) end`},
		{"deep coroutine", `local function down(n) if n == 0 then coroutine.yield() end return 1 + down(n - 1) end
			for i = 1, 20 do t[i] = coroutine.create(function() return down(1000) end) coroutine.resume(t[i]) end`},
		{"buffers", `for i = 1, 50 do t[i] = circular_buffer.new(600, 4, 1) end`},
		{"filters", `for i = 1, 5 do t[i] = cuckoo_filter_expire.new(20000, 1) end`},
		{"metatables", `local m = {__index = function() return 1 end} for i = 1, 20000 do t[i] = setmetatable({}, m) end`},
		{"shared strings", `local s = string.rep("x", 1000) for i = 1, 100000 do t[i] = s end`},
		{"shared upvalues", `for i = 1, 5000 do local n = 0 t[i] = {function() n = n + 1 end, function() return n end} end`},
		{"keys that went", `for i = 1, 20000 do t["key" .. i] = i end for i = 1, 20000, 2 do t["key" .. i] = nil end`},
		{"emptied array", `for i = 1, 100000 do t[i] = i end for i = 100000, 10, -1 do t[i] = nil end`},
		{"decoded JSON", `t = cjson.decode("[" .. string.rep('{"name":"value","list":[1,2,3],"on":true},', 2000) .. "{}]")`},
		{"documents", `local text = "[" .. string.rep('{"name":"value","list":[1,2,3],"on":true},', 20) .. "{}]"
			for i = 1, 200 do t[i] = json.parse(text) end`},
		{"closed documents", `for i = 1, 100 do local d = json.parse("[" .. string.rep("1,", i * 1000) .. "1]") t[i] = d d:close() end`},
		{"gmatch", `for i = 1, 5000 do t[i] = string.gmatch("some text " .. i, "%w+") end`},
	} {
		source := "require 'string' require 'coroutine' require 'circular_buffer' require 'cuckoo_filter_expire' require 'cjson' local json = require 'json' t = {} function process_message() " + c.build + " return 0 end function timer_event() end"
		b := load(t, sandbox.Analysis, "instruction_limit = 0 memory_limit = 0", source)
		before, start := heap(), b.Memory()
		if res := b.Process(sample(t)); res.Outcome != sandbox.OK {
			t.Fatal(res.Text)
		}
		b.Timer(0, false)
		real, counted := heap()-before, b.Memory()-start
		ratio := float64(counted) / float64(real)
		t.Logf("%-18s heap %9d counted %9d ratio %.2f", c.name, real, counted, ratio)
		if ratio < 0.85 || ratio > 1.15 {
			t.Errorf("%s: %d bytes are counted, the heap has %d", c.name, counted, real)
		}
		runtime.KeepAlive(b)
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// attack is a plugin that means harm, and how it must end.
type attack struct {
	name, body string
	want       []sandbox.Outcome
}

func attacks() []attack {
	const (
		fuel, memory, failed, ok = sandbox.FuelExhausted, sandbox.MemoryExceeded, sandbox.RuntimeError, sandbox.OK
	)
	one := func(o ...sandbox.Outcome) []sandbox.Outcome { return o }
	return []attack{
		{"doubling", `local s = "x" while true do s = s .. s end`, one(memory)},
		{"doubling in pcall", `while true do pcall(function() local s = "x" while true do s = s .. s end end) end`, one(memory)},
		{"rep", `string.rep("x", 1e10)`, one(memory, failed)},
		{"rep of rep", `local s = string.rep("x", 1e6) local t = {} for i = 1, 1e6 do t[i] = s .. i end`, one(memory, fuel)},
		{"table growth", `local t = {} local i = 0 while true do i = i + 1 t[i] = i end`, one(failed, fuel, memory)},
		{"keys", `local t = {} local i = 0 while true do i = i + 1 t["k" .. i] = i end`, one(memory, fuel)},
		{"nested tables", `local t = {} while true do t = {t} end`, one(memory, fuel)},
		{"many tables", `t = {} local i = 0 while true do i = i + 1 t[i] = {i} end`, one(memory, fuel)},
		{"sparse index", `local t = {} for i = 1, 1e5 do t[i] = {} t[i][131070] = 1 end`, one(memory, fuel)},
		{"huge index", `local t = {} t[67108863] = 1 t[1e15] = 1 t[-5] = 1`, one(ok)},
		{"insert far", `local t = {} table.insert(t, 6e7, 1)`, one(ok, failed, memory)},
		{"concat", `local t = {} for i = 1, 1e4 do t[i] = "0123456789" end local s = table.concat(t, string.rep("x", 1e6))`, one(memory)},
		{"gsub growth", `local s = string.rep("x", 1e5) while true do s = s:gsub("x", "xxxxxxxxxx") end`, one(memory, fuel)},
		{"backtracking", `local s = string.rep("a", 30000) string.find(s, ".-.-.-.-b")`, one(fuel, failed)},
		{"backtracking 2", `local s = string.rep("a", 200000) string.find(s, ".-b")`, one(fuel, failed)},
		{"pattern depth", `string.find("x", string.rep("(", 50000))`, one(failed)},
		{"closures", `local t = {} local i = 0 while true do i = i + 1 t[i] = function() return i end end`, one(memory, fuel)},
		{"metatable loop", `local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x`, one(failed, fuel)},
		{"index function", `local t = setmetatable({}, {__index = function(t, k) return t[k] end}) return t.x`, one(failed)},
		{"concat metamethod", `local t = setmetatable({}, {__concat = function(a, b) return a .. b end}) return t .. t`, one(failed, fuel)},
		{"tostring recursion", `local t = setmetatable({}, {}) getmetatable(t).__tostring = function(x) return tostring(x) end tostring(t)`, one(failed)},
		{"recursion", `local function f() return 1 + f() end f()`, one(failed)},
		{"tail recursion", `local function f() return f() end f()`, one(fuel)},
		{"mutual pcall", `local function f() return pcall(f) end f() return 0`, one(failed, fuel, ok)},
		{"xpcall handler", `local function f() error(1) end while true do xpcall(f, f) end`, one(fuel)},
		{"sort", `local t = {} for i = 1, 1000 do t[i] = i end while true do table.sort(t, function(a, b) return true end) end`, one(fuel, failed)},
		{"unpack", `local t = {} for i = 1, 1e5 do t[i] = i end local n = select("#", unpack(t))`, one(failed, fuel)},
		{"unpack range", `unpack({}, 1, 1e9)`, one(failed)},
		{"varargs", `local function f(...) return f(1, ...) end f()`, one(failed, fuel)},
		{"format width", `string.format("%999999999d", 1)`, one(failed)},
		{"format many", `local f = string.rep("%99d", 10000) while true do string.format(f, unpack({})) end`, one(failed)},
		{"tonumber", `tonumber(string.rep("1", 1e6))  while true do tonumber(string.rep("1", 1e6)) end`, one(fuel, memory)},
		{"print", `while true do print(string.rep("x", 1000)) end`, one(fuel)},
		{"payload", `while true do add_to_payload("0123456789") end`, one(sandbox.OutputExceeded)},
		{"config", `while true do read_config("list") end`, one(fuel, memory)},
		{"setfenv", `setfenv(1, {}) while true do end`, one(fuel)},
		{"setfenv on host", `setfenv(pairs, {}) error("survived")`, one(failed)},
		{"string methods", `local m = getmetatable("") if m then m.__index = function() while true do end end end return ("x").y`, one(fuel, failed)},
		{"string metatable add", `getmetatable("").__add = function(a, b) return a + b end return "x" + "y"`, one(failed, fuel)},
		{"globals", `local i = 0 while true do i = i + 1 _G["g" .. i] = i end`, one(memory, fuel)},
		{"rawset", `local t = {} local i = 0 while true do i = i + 1 rawset(t, i, i) end`, one(failed, fuel, memory)},
		{"churn", `local t = {} local i = 0 while true do i = i + 1 t["k" .. i] = i t["k" .. i] = nil end`, one(fuel, memory)},
		{"decode", `local r = read_message("raw") while true do decode_message(r) end`, one(fuel)},
		{"buffers", `require "circular_buffer" local t = {} for i = 1, 1000 do t[i] = circular_buffer.new(100000, 10, 1) end`, one(memory)},
		{"filters", `require "cuckoo_filter_expire" local t = {} for i = 1, 1000 do t[i] = cuckoo_filter_expire.new(1e6, 1) end`, one(memory)},
		{"guard names", `return (_G["(set)"] or 0)`, one(ok)},
		{"multiple values", `local t = {} t.a, t.b, t.c = unpack({1, 2}) while t.a do t.a, t.b = t.b, t.a end`, one(fuel)},
	}
}

// TestAttacks runs each in a process of its own whose memory is watched.
func TestAttacks(t *testing.T) {
	t.Parallel()
	if name := os.Getenv("SANDBAR_ATTACK"); name != "" {
		runAttack(t, name)
		return
	}
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestAttacks$", "-test.timeout=60s")
			cmd.Env = append(os.Environ(), "SANDBAR_ATTACK="+a.name, "GOMEMLIMIT=off", "GOMAXPROCS=1")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%.2000s", err, out)
			}
			line := string(out)
			if i := strings.Index(line, "ended: "); i >= 0 {
				line, _, _ = strings.Cut(line[i:], "\n")
			}
			t.Log(line)
			for _, o := range a.want {
				if strings.Contains(line, "ended: "+o.String()+" ") {
					return
				}
			}
			t.Errorf("%s, want one of %v", line, a.want)
		})
	}
}

// maxAttackHeap is what the process of an attack may take from the system.
const maxAttackHeap = 256 << 20

func runAttack(t *testing.T, name string) {
	for _, a := range attacks() {
		if a.name != name {
			continue
		}
		b := load(t, sandbox.Analysis, "list = {1, {2}}", "require 'string' require 'table'\nfunction process_message()\ndo "+a.body+" end\nreturn 0 end")
		res := b.Process(sample(t))
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Printf("ended: %v %d MiB from the system: %s\n", res.Outcome, m.Sys>>20, res.Text)
		if m.Sys > maxAttackHeap {
			t.Errorf("the process took %d MiB", m.Sys>>20)
		}
		if again := b.Process(sample(t)); (again.Outcome == sandbox.OK) != (res.Outcome == sandbox.OK) {
			t.Errorf("the second time it ended with %v", again.Outcome)
		}
	}
}
