package std

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox/lua/vm"
)

// workload is a program that defines work(), which each engine calls many times.
type workload struct {
	name, source string
	calls        int // of one measurement, about 50 ms in C Lua
}

func workloads() []workload {
	return []workload{
		{"w2 log line", `local line = '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 "http://www.example.com/start.html"'
			function work()
				local ip, user, time, method, path, status, size = line:match('^(%S+) %S+ (%S+) %[([^%]]+)%] "(%u+) (%S+) [^"]+" (%d+) (%d+)')
				local clean = path:gsub("%W", "_")
				return ip, user, method, clean, tonumber(status) + tonumber(size)
			end`, 20000},
		{"w3 10 000 keys", `local counts, i = {}, 0
			function work()
				i = i + 1
				local key = "key" .. i % 10000
				counts[key] = (counts[key] or 0) + 1
			end`, 100000},
		{"w5 fib and loop", `local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
			function work() local s = fib(18) for i = 1, 10000 do s = s + i % 7 end return s end`, 150},
		{"closures", `function work()
				local fs = {}
				for i = 1, 100 do local n = i fs[i] = function() n = n + 1 return n end end
				local s = 0
				for i = 1, 100 do s = s + fs[i]() + fs[i]() end
				return s
			end`, 2000},
		{"string building", `function work()
				local t = {}
				for i = 1, 100 do t[#t + 1] = "item " .. i .. ", " end
				return #table.concat(t)
			end`, 2000},
		{"method calls", `local Point = {} Point.__index = Point
			function Point.new(x, y) return setmetatable({x = x, y = y}, Point) end
			function Point:add(o) return Point.new(self.x + o.x, self.y + o.y) end
			function Point:length2() return self.x * self.x + self.y * self.y end
			function work()
				local p, d = Point.new(0, 0), Point.new(1, 2)
				for i = 1, 100 do p = p:add(d) end
				return p:length2()
			end`, 2000},
		{"sort", `local function random(seed) return function() seed = (seed * 16807) % 2147483647 return seed end end
			function work()
				local r, t = random(42), {}
				for i = 1, 300 do t[i] = r() end
				table.sort(t)
				table.sort(t, function(a, b) return a > b end)
				return t[1]
			end`, 300},
		{"string.format", `function work()
				local n = 0
				for i = 1, 50 do n = n + #string.format("%5d %-10s %.2f %x", i, "name", i / 3, i) end
				return n
			end`, 1500},
	}
}

// BenchmarkEngines runs each workload on this engine with fuel and memory limits on, on stock gopher-lua and, where they are
// installed, on lua5.1 and luajit, one after the other, three times, and reports the least of each in ns/call.
func BenchmarkEngines(b *testing.B) {
	for _, w := range workloads() {
		b.Run(strings.ReplaceAll(w.name, " ", "_"), func(b *testing.B) {
			var ours, stock, c, jit []float64
			for range 3 {
				ours = append(ours, w.onVM(b))
				stock = append(stock, w.onGopherLua(b))
				c = append(c, w.onCommand(b, "lua5.1"))
				jit = append(jit, w.onCommand(b, "luajit", "-joff"))
			}
			for b.Loop() { // everything is measured above
			}
			mine, theirs := slices.Min(ours), slices.Min(c)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(mine, "ns/call")
			b.ReportMetric(slices.Min(stock), "gopher-lua-ns")
			if theirs > 0 {
				b.ReportMetric(theirs, "lua5.1-ns")
				b.ReportMetric(mine/theirs, "×lua5.1")
			}
			if t := slices.Min(jit); t > 0 {
				b.ReportMetric(t, "luajit-joff-ns")
			}
		})
	}
}

func (w *workload) onVM(b *testing.B) float64 {
	L, _ := newState(vm.Options{Fuel: 100_000_000, Memory: 8 << 20})
	if err := doString(L, w.source); err != nil {
		b.Fatal(err)
	}
	work := L.Global("work")
	call := func() {
		L.Refill()
		if _, err := L.Do(work, 0); err != nil {
			b.Fatal(err)
		}
	}
	return w.perCall(call)
}

func (w *workload) perCall(call func()) float64 {
	for range w.calls / 10 {
		call()
	}
	begun := time.Now()
	for range w.calls {
		call()
	}
	return float64(time.Since(begun).Nanoseconds()) / float64(w.calls)
}

func (w *workload) onGopherLua(b *testing.B) float64 {
	L := lua.NewState()
	defer L.Close()
	if err := L.DoString(w.source); err != nil {
		b.Fatal(err)
	}
	work := L.GetGlobal("work")
	return w.perCall(func() {
		if err := L.CallByParam(lua.P{Fn: work}); err != nil {
			b.Fatal(err)
		}
	})
}

// onCommand returns 0 where the command is not installed.
func (w *workload) onCommand(b *testing.B, name string, args ...string) float64 {
	path, err := exec.LookPath(name)
	if err != nil {
		return 0
	}
	file := filepath.Join(b.TempDir(), "work.lua")
	source := fmt.Sprintf("%s\nfor i = 1, %d do work() end local t = os.clock() for i = 1, %d do work() end print((os.clock() - t) / %d * 1e9)",
		w.source, w.calls/10, w.calls, w.calls)
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		b.Fatal(err)
	}
	out, err := exec.Command(path, append(args, file)...).Output()
	if err != nil {
		b.Fatal(err)
	}
	ns, err := strconv.ParseFloat(string(bytes.TrimSpace(out)), 64)
	if err != nil {
		b.Fatal(err)
	}
	return ns
}
