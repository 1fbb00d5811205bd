package vm

import (
	"strings"
	"testing"
)

// testState has print, which collects, and the few functions that these tests need.
func testState(opts Options) (*State, *strings.Builder) {
	L := New(opts)
	out := new(strings.Builder)
	set := func(name string, fn HostFunc) *Function {
		f := L.NewFunction(name, fn)
		L.SetGlobal(name, f.Value())
		return f
	}
	set("print", func(L *State) int {
		for i := 1; i <= L.Args(); i++ {
			if i > 1 {
				out.WriteByte('\t')
			}
			v := L.Arg(i)
			switch v.Type() {
			case StringType:
				out.WriteString(v.str())
			case NumberType:
				out.Write(appendNumber(nil, v.float()))
			case BoolType:
				out.WriteString(map[bool]string{true: "true", false: "false"}[v.True()])
			default:
				out.WriteString(v.Type().String())
			}
		}
		out.WriteByte('\n')
		return 0
	})
	set("pcall", func(L *State) int {
		return L.Protected(L.Arg(1), L.ArgList(2), func(L *State) int {
			n := L.Results()
			L.Push(True)
			for i := 1; i <= n; i++ {
				L.Push(L.Result(i))
			}
			return n + 1
		}, func(L *State, err Value) int {
			L.Push(False)
			L.Push(err)
			return 2
		})
	})
	set("error", func(L *State) int {
		v := L.Arg(1)
		if s, ok := v.Str(); ok {
			v = L.Str(L.Where(1) + s)
		}
		L.ThrowValue(v)
		return 0
	})
	next := set("next", func(L *State) int {
		k, v, ok := L.Arg(1).Table().Next(L, L.Arg(2))
		if !ok {
			L.Throw("invalid key to 'next'")
		}
		L.Push(k)
		L.Push(v)
		return 2
	})
	L.SetNext(next)
	set("pairs", func(L *State) int {
		L.Push(next.Value())
		L.Push(L.Arg(1))
		L.Push(Nil)
		return 3
	})
	set("setmetatable", func(L *State) int {
		L.Arg(1).Table().SetMeta(L.Arg(2).Table())
		L.Push(L.Arg(1))
		return 1
	})
	set("create", func(L *State) int { L.Push(L.NewThread(L.Arg(1)).Value()); return 1 })
	set("resume", func(L *State) int { return L.Resume(L.Arg(1).Thread(), 2, false) })
	set("yield", func(L *State) int { return L.Yield() })
	L.Refill()
	return L, out
}

func runText(t testing.TB, opts Options, source string) (string, error) {
	t.Helper()
	L, out := testState(opts)
	fn, err := L.Load("x.lua", []byte(source))
	if err != nil {
		return "", err
	}
	_, err = L.Do(fn.Value(), 0)
	return out.String(), err
}

func TestPrograms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ source, want string }{
		{`print(1 + 2 * 3, 7 % 3, -7 % 3, 2 ^ 10, 1 / 4)`, "7\t1\t2\t1024\t0.25\n"},
		{`local s = 0 for i = 1, 10 do s = s + i end print(s)`, "55\n"},
		{`for i = 10, 1, -3 do print(i) end`, "10\n7\n4\n1\n"},
		{`local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end print(fib(15))`, "610\n"},
		{`local t = {1, 2, 3, x = "y", [10] = true} print(#t, t[2], t.x, t[10], t.z)`, "3\t2\ty\ttrue\tnil\n"},
		{`local t = {} for i = 1, 100 do t[i] = i * i end print(#t, t[50]) t[100] = nil print(#t)`, "100\t2500\n99\n"},
		{`local f = {} for i = 1, 3 do f[i] = function() i = i + 1 return i end end print(f[1](), f[1](), f[2]())`, "2\t3\t3\n"},
		{`local function v(...) local a, b = ... return b, a, ... end print(v(1, 2, 3))`, "2\t1\t1\t2\t3\n"},
		{`print((function(...) return select end)())`, "nil\n"},
		{`local n = 0 for k, v in pairs({10, 20, a = 1, b = 2}) do n = n + v end print(n)`, "33\n"},
		{`print("a" .. 1 .. "b" .. 2.5)`, "a1b2.5\n"},
		{`print(pcall(function() error("x") end))`, "false\tx.lua:1: x\n"},
		{`print(pcall(error, {1}))`, "false\ttable\n"},
		{`print(pcall(pcall, pcall, error, "q"))`, "true\ttrue\tfalse\tq\n"},
		{`local t = setmetatable({}, {__index = function(t, k) return k .. "!" end, __newindex = function(t, k, v) print("set", k, v) end})
		print(t.a, t.b) t.c = 5 print(t.c)`, "a!\tb!\nset\tc\t5\nc!\n"},
		{`local m = {} m.__add = function(a, b) return "add" end m.__lt = function() return true end m.__le = function() return false end m.__eq = function() return true end
		m.__concat = function(a, b) return "cat" end m.__unm = function() return "unm" end m.__call = function(self, x) return x end
		local a, b = setmetatable({}, m), setmetatable({}, m) print(a + 1, 1 + a, a < b, a <= b, a == b, a ~= b, a .. "x", "x" .. "y" .. a, -a, a(7))`, "add\tadd\ttrue\tfalse\ttrue\tfalse\tcat\txcat\tunm\t7\n"},
		{`local co = create(function(a, b) print(a, b) local c = yield(a + b) print(c) local d, e = yield(c * 2) return d + e end)
		print(resume(co, 1, 2)) print(resume(co, 10)) print(resume(co, 3, 4)) print(resume(co))`, "1\t2\ntrue\t3\n10\ntrue\t20\ntrue\t7\nfalse\tcannot resume dead coroutine\n"},
		{`print(resume(create(function() error("in") end)))`, "false\tx.lua:1: in\n"},
		{`print(pcall(function() local a a.b = 1 end))`, "false\tx.lua:1: attempt to index local 'a' (a nil value)\n"},
		{`print(pcall(function() return undefined.x end))`, "false\tx.lua:1: attempt to index global 'undefined' (a nil value)\n"},
		{`print(pcall(function() local t = {} t.x.y = 1 end))`, "false\tx.lua:1: attempt to index field 'x' (a nil value)\n"},
		{`print(pcall(function() nofunc() end))`, "false\tx.lua:1: attempt to call global 'nofunc' (a nil value)\n"},
		{`print(pcall(function() local t = {} t:m() end))`, "false\tx.lua:1: attempt to call method 'm' (a nil value)\n"},
		{`print(pcall(function() return 1 + {} end))`, "false\tx.lua:1: attempt to perform arithmetic on a table value\n"},
		{`print(pcall(function() local x = "a" return x + 1 end))`, "false\tx.lua:1: attempt to perform arithmetic on local 'x' (a string value)\n"},
		{`print(pcall(function() return {} < {} end))`, "false\tx.lua:1: attempt to compare two table values\n"},
		{`print(pcall(function() return 1 < "x" end))`, "false\tx.lua:1: attempt to compare number with string\n"},
		{`print(pcall(function() return "a" .. {} end))`, "false\tx.lua:1: attempt to concatenate a table value\n"},
		{`local function loop(n) if n == 0 then return "done" end return loop(n - 1) end print(loop(100000))`, "done\n"},
		{`local function deep(n) return 1 + deep(n + 1) end print(pcall(deep, 1))`, "false\tx.lua:1: stack overflow\n"},
		{`local t = {} t[1.5] = "f" t[-0] = "z" print(t[1.5], t[0], t[3/2])`, "f\tz\tf\n"},
		{`local a <const> = 1`, ""},
	} {
		got, err := runText(t, Options{}, c.source)
		if c.want == "" {
			if err == nil {
				t.Errorf("%s compiled", c.source)
			}
			continue
		}
		if err != nil || got != c.want {
			t.Errorf("%s\n got %q (%v)\nwant %q", c.source, got, err, c.want)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		source string
		want   Limit
	}{
		{`while true do end`, FuelLimit},
		{`pcall(function() while true do end end) print("escaped")`, FuelLimit},
		{`while true do pcall(function() error("x") end) end`, FuelLimit},
		{`local co = create(function() while true do end end) resume(co)`, FuelLimit},
		{`local t = {} for i = 1, 1e9 do t[i] = i end`, MemoryLimit},
		{`local s = "x" while true do s = s .. s end`, MemoryLimit},
		{`local t = {} for i = 1, 1e9 do t[i] = {} end`, MemoryLimit},
		{`local t = {} for i = 1, 1e9 do t[i] = create(function() end) end`, MemoryLimit},
		{`local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) return pcall(function() return t[1] end) and nil`, NoLimit},
	} {
		got, err := runText(t, Options{Fuel: 3_000_000, Memory: 8 << 20}, c.source)
		limit, _ := err.(*LimitError)
		if (limit == nil) != (c.want == NoLimit) || limit != nil && limit.Limit != c.want || strings.Contains(got, "escaped") {
			t.Errorf("%s ended with %v, %q", c.source, err, got)
		}
	}
}

const fibSource = `local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
return function() local s = fib(18) for i = 1, 10000 do s = s + i % 7 end return s end`

func BenchmarkFib(b *testing.B) {
	L, _ := testState(Options{Fuel: 1 << 40, Memory: 8 << 20})
	fn, err := L.Load("x.lua", []byte(fibSource))
	if err != nil {
		b.Fatal(err)
	}
	r, err := L.Do(fn.Value(), 1)
	if err != nil {
		b.Fatal(err)
	}
	f := r[0]
	b.ReportAllocs()
	for b.Loop() {
		L.Refill()
		if _, err := L.Do(f, 1); err != nil {
			b.Fatal(err)
		}
	}
}
