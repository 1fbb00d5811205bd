package std

import (
	"testing"

	"sandbar/sandbox/lua/vm"
)

// Whatever the source is, it ends: as an error with a text, or well, and never by a fault of the machine.
func FuzzSource(f *testing.F) {
	for _, s := range []string{
		`local t = {1, 2, x = {}} for k, v in pairs(t) do print(k) end`,
		`local function f(...) return select("#", ...), ... end print(f(1, nil, 3))`,
		`local co = coroutine.create(function(a) local b = coroutine.yield(a) error({b}) end) print(coroutine.resume(co, 1)) print(coroutine.resume(co, 2))`,
		`local m = setmetatable({}, {__index = function(t, k) return t end, __call = function(...) return ... end, __concat = function(a, b) return "x" end}) print(m.a.b(1) .. m)`,
		`local s = "" for i = 1, 100 do s = s .. i end return (s)`,
		`while true do local f = function() return f end f() end`,
		`repeat local x = 1 until x == 1 and not pcall(error)`,
		`return -{} + 1 .. nil < {}`, `a.b.c = d:e(f)`, `goto x ::x::`, `x = {[1] = 2, 3; n = #{}}`, `for i = 1, 0, 0 do end`,
		`table.sort({3, 1, 2}, function(a, b) return a < b end) print(("x"):rep(3):gsub("x", function(c) return c .. c end))`,
		`print(pcall(string.format, "%5.2f %s %q", 1, "a", "b")) print(xpcall(error, function(e) return e end)) setfenv(1, {})`,
		`local w = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) for v in w do print(v) end`,
		`print(math.floor(2.5), os.date("!%Y", 0), tonumber("ff", 16), unpack({1, 2, 3}, 2), next({}), rawget({1}, 1))`,
		"--[[ x ]] return [==[ y ]==] .. '\\065\\n'",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		L, _ := newState(vm.Options{Fuel: 20_000, Memory: 4 << 20})
		fn, err := L.Load("x.lua", source)
		if err != nil {
			return
		}
		_, err = L.Do(fn.Value(), -1)
		if e, ok := err.(*vm.InternalError); ok {
			t.Fatal(e)
		}
		if L.Fuel() < 0 {
			t.Fatalf("fuel is %d", L.Fuel())
		}
		L.Refill()
		again, err := L.Load("y.lua", []byte("return 1 + 1"))
		if err != nil {
			return // the memory is used up
		}
		if _, err = L.Do(again.Value(), 1); err != nil {
			if _, ok := err.(*vm.LimitError); !ok {
				t.Fatalf("after it nothing runs: %v", err)
			}
		}
	})
}
