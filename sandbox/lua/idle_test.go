package lua

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"sandbar/sandbox"
	"sandbar/sandbox/lua/lib"
)

// TestIdle: what a plugin takes that has only been loaded is counted within 15 %, is at most 100 kB with all modules, and is there within 300 us.
func TestIdle(t *testing.T) { // not parallel: it reads the process's heap
	if slowdown > 1 {
		t.Skip("the race detector takes memory of its own: it runs in the step without it")
	}
	var all strings.Builder
	for _, m := range lib.Modules() {
		if m.Only == "" {
			all.WriteString(`require "` + m.Name + `" `)
		}
	}
	for name, modules := range map[string]string{"no module": "", "all modules": all.String()} {
		const n = 100
		source := modules + "function process_message() return 0 end function timer_event() end"
		plugins := make([]sandbox.Plugin, 0, n)
		load(t, sandbox.Analysis, "", source)
		before, best, counted := heap(), time.Hour, int64(0)
		for range n {
			start := time.Now()
			p := load(t, sandbox.Analysis, "", source)
			best = min(best, time.Since(start))
			plugins = append(plugins, p)
			counted += p.Memory()
		}
		real := (heap() - before) / n
		counted /= n
		t.Logf("%s: %d bytes, %d counted (%.2f), loaded in %v", name, real, counted, float64(counted)/float64(real), best)
		if ratio := float64(counted) / float64(real); ratio < 0.85 || ratio > 1.15 {
			t.Errorf("%s: %d bytes are counted, the heap has %d", name, counted, real)
		}
		if real > 100_000 || best > 300*time.Microsecond {
			t.Errorf("%s: a plugin takes %d bytes, and %v to load", name, real, best)
		}
		runtime.KeepAlive(plugins)
	}
}
