//go:build unix

package lua

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	stock "github.com/yuin/gopher-lua"

	"sandbar/sandbox"
)

// workload is a program that defines work(), which each engine calls many times.
type workload struct {
	name, source string
	calls        int     // of one measurement, about 50 ms in C Lua
	most         float64 // times what C Lua takes; 0: there is no goal
}

func workloads() []workload {
	return []workload{
		{"w2 log line", `local line = '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 "http://www.example.com/start.html"'
			function work()
				local ip, user, time, method, path, status, size = line:match('^(%S+) %S+ (%S+) %[([^%]]+)%] "(%u+) (%S+) [^"]+" (%d+) (%d+)')
				local clean = path:gsub("%W", "_")
				return ip, user, method, clean, tonumber(status) + tonumber(size)
			end`, 20000, 1.2},
		{"w3 10 000 keys", `local counts, i = {}, 0
			function work()
				i = i + 1
				local key = "key" .. i % 10000
				counts[key] = (counts[key] or 0) + 1
			end`, 100000, 1.2},
		{"w4 JSON", `local cjson = require "cjson"
			local text = '{"list":[' .. string.rep('{"name":"value of a field","id":12345,"on":true,"load":0.25,"tags":["a","b","c"]},', 14) .. '{}],"n":15}'
			local function walk(v) if type(v) ~= "table" then return 1 end local n = 0 for _, x in pairs(v) do n = n + walk(x) end return n end
			function work() return walk(cjson.decode(text)) end`, 1500, 1},
		{"w5 fib and loop", `local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
			function work() local s = fib(18) for i = 1, 10000 do s = s + i % 7 end return s end`, 150, 1.2},
		{"closures", `function work()
				local fs = {}
				for i = 1, 100 do local n = i fs[i] = function() n = n + 1 return n end end
				local s = 0
				for i = 1, 100 do s = s + fs[i]() + fs[i]() end
				return s
			end`, 2000, 1.2},
		{"string building", `function work()
				local t = {}
				for i = 1, 100 do t[#t + 1] = "item " .. i .. ", " end
				return #table.concat(t)
			end`, 2000, 0},
		{"method calls", `local Point = {} Point.__index = Point
			function Point.new(x, y) return setmetatable({x = x, y = y}, Point) end
			function Point:add(o) return Point.new(self.x + o.x, self.y + o.y) end
			function Point:length2() return self.x * self.x + self.y * self.y end
			function work()
				local p, d = Point.new(0, 0), Point.new(1, 2)
				for i = 1, 100 do p = p:add(d) end
				return p:length2()
			end`, 2000, 1.2},
		{"sort", `local function random(seed) return function() seed = (seed * 16807) % 2147483647 return seed end end
			function work()
				local r, t = random(42), {}
				for i = 1, 300 do t[i] = r() end
				table.sort(t)
				table.sort(t, function(a, b) return a > b end)
				return t[1]
			end`, 300, 0},
		{"string.format", `function work()
				local n = 0
				for i = 1, 50 do n = n + #string.format("%5d %-10s %.2f %x", i, "name", i / 3, i) end
				return n
			end`, 1500, 0},
	}
}

// BenchmarkEngines runs each workload on this engine with fuel and memory limits on, on stock gopher-lua and, where they are
// installed, on lua5.1 and luajit, one after the other, three times, and reports the least of each in ns of CPU time a call.
func BenchmarkEngines(b *testing.B) {
	for _, w := range workloads() {
		b.Run(strings.ReplaceAll(w.name, " ", "_"), func(b *testing.B) {
			var ours, gopher, c, jit []float64
			for range 3 {
				ours = append(ours, w.here(b))
				gopher = append(gopher, w.onGopherLua(b))
				c = append(c, w.onCommand(b, "lua5.1"))
				jit = append(jit, w.onCommand(b, "luajit", "-joff"))
			}
			for b.Loop() { // everything is measured above
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(slices.Min(ours), "ns/call")
			for name, all := range map[string][]float64{"gopher-lua-ns": gopher, "lua5.1-ns": c, "luajit-joff-ns": jit} {
				if t := slices.Min(all); t > 0 {
					b.ReportMetric(t, name)
				}
			}
			if t := slices.Min(c); t > 0 {
				b.ReportMetric(slices.Min(ours)/t, "×lua5.1")
			}
		})
	}
}

// TestCost holds the goals loosely, since machines are noisy: no workload takes more than 1.4 times as much as it should, beside C Lua, by CPU time.
func TestCost(t *testing.T) {
	if slowdown > 1 {
		t.Skip("the race detector takes a time of its own: it runs in the step without it")
	}
	const loose, rounds = 1.4, 8
	for _, w := range workloads() {
		if w.most == 0 {
			continue
		}
		t.Run(w.name, func(t *testing.T) {
			var ours, c []float64
			ratio := 0.0
			for round := range rounds {
				ours, c = append(ours, w.here(t)), append(c, w.onCommand(t, "lua5.1"))
				if slices.Min(c) == 0 {
					t.Skip("it cannot be run on lua5.1: install lua5.1 and lua-cjson")
				}
				if ratio = slices.Min(ours) / slices.Min(c); round > 0 && ratio < w.most*loose {
					break
				}
			}
			t.Logf("%.0f ns, %.2f times lua5.1, %.1f are wanted", slices.Min(ours), ratio, w.most)
			if ratio > w.most*loose {
				t.Errorf("it takes %.2f times as long as in lua5.1", ratio)
			}
		})
	}
}

// here is this engine, with the collector as sandbar run sets it.
func (w *workload) here(t testing.TB) float64 {
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	p := load(t, sandbox.Analysis, "instruction_limit = 100000000", "require 'string' require 'table'\n"+w.source+"\nfunction process_message() end").Plugin.(*plugin)
	work := p.L.Global("work")
	return w.perCall(func() {
		var res sandbox.Result
		if p.call(&res, work, false, 0); res.Outcome != sandbox.OK {
			t.Fatal(res.Text)
		}
	})
}

// perCall is in ns of CPU time.
func (w *workload) perCall(call func()) float64 {
	for range w.calls / 10 {
		call()
	}
	begun := cpu()
	for range w.calls {
		call()
	}
	return float64(cpu()-begun) / float64(w.calls)
}

// cpu is what the process has used so far, in ns.
func cpu() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// onGopherLua returns 0 for what needs a module.
func (w *workload) onGopherLua(b *testing.B) float64 {
	if strings.Contains(w.source, "require") {
		return 0
	}
	L := stock.NewState()
	defer L.Close()
	if err := L.DoString(w.source); err != nil {
		b.Fatal(err)
	}
	work := L.GetGlobal("work")
	return w.perCall(func() {
		if err := L.CallByParam(stock.P{Fn: work}); err != nil {
			b.Fatal(err)
		}
	})
}

// onCommand returns 0 where the command or a module is not installed.
func (w *workload) onCommand(t testing.TB, name string, args ...string) float64 {
	path, err := exec.LookPath(name)
	if err != nil {
		return 0
	}
	file := filepath.Join(t.TempDir(), "work.lua")
	source := fmt.Sprintf("%s\nfor i = 1, %d do work() end local t = os.clock() for i = 1, %d do work() end print((os.clock() - t) / %d * 1e9)",
		w.source, w.calls/10, w.calls, w.calls)
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, append(args, file)...).CombinedOutput()
	if err != nil {
		if bytes.Contains(out, []byte("module 'cjson' not found")) {
			return 0
		}
		t.Fatalf("%v: %s", err, out)
	}
	ns, err := strconv.ParseFloat(string(bytes.TrimSpace(out)), 64)
	if err != nil {
		t.Fatal(err)
	}
	return ns
}
