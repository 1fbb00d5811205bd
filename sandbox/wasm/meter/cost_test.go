package meter

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"

	"sandbar/plugins/sdk/sdktest"
)

// parsing is a plugin in Go that parses JSON for each message.
const parsing = `package main

import (
	"encoding/json"

	_ "sandbarplugin/sandbar"
)

var text = []byte("{\"name\": \"some text\", \"list\": [1, 2.5, -3e4, true, null], \"deep\": {\"x\": \"yyyyyyyyyyyyyyyyyyyyyyy\", \"n\": [1,2,3,4,5,6,7,8,9]}}")

//go:wasmexport sandbar_process
func process(n int32) int32 {
	for range n {
		var v map[string]any
		if json.Unmarshal(text, &v) != nil {
			return -1
		}
	}
	return 0
}

func main() {}
`

// TestCost measures what metering costs, as the least of many runs beside each other. The limits are 1.15 for guests that parse JSON and
// 1.4 for the worst loop; the test leaves room for a busy machine.
func TestCost(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "subject", "cost.c"))
	if err != nil {
		t.Fatal(err)
	}
	loops := sdktest.Module(t, "c", "cost", map[string]string{"cost.c": string(source)})
	golang := sdktest.Module(t, "go", "parsing", map[string]string{"main.go": parsing})
	for _, c := range []struct {
		name   string
		module []byte
		export string
		arg    uint64
		most   float64
	}{
		{"JSON in C", loops, "json", 60000, 1.15}, {"JSON in Go", golang, "sandbar_process", 20, 1.15},
		{"multiply and add", loops, "add", 300_000, 1.4}, {"bytes", loops, "bytes", 300_000, 1.4}, {"sieve", loops, "sieve", 60000, 1.4},
		{"cache misses", loops, "chase", 100_000, 1.4}, {"recursion, which is no loop", loops, "fib", 22, 2.5},
	} {
		ratio, perUnit := cost(t, c.module, c.export, c.arg)
		t.Logf("%-28s %.2f times as long, %.3f ns a unit", c.name, ratio, perUnit)
		if ratio > c.most*1.3 {
			t.Errorf("%s takes %.2f times as long when it is metered, %.2f are allowed", c.name, ratio, c.most)
		}
	}
}

// cost is how much longer an export takes when it is metered, and the nanoseconds of a unit then.
func cost(t *testing.T, module []byte, export string, arg uint64) (ratio, perUnit float64) {
	t.Helper()
	m, err := Rewrite(module, wide())
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	var all [2]*instance
	for i, code := range [][]byte{module, m.Code} {
		r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithDebugInfoEnabled(false))
		defer r.Close(ctx)
		all[i] = open(t, r, m, code)
		for _, name := range []string{"_initialize", "sandbar_init"} {
			if all[i].ExportedFunction(name) != nil {
				all[i].call(name)
			}
		}
	}
	best := [2]time.Duration{1 << 60, 1 << 60}
	var used int64
	for range 60 {
		for i, in := range all {
			f := in.ExportedFunction(export)
			if in.fuel != nil {
				in.fuel.Set(1 << 50)
			}
			begun := time.Now()
			if _, err := f.Call(ctx, arg); err != nil {
				t.Fatal(err)
			}
			best[i] = min(best[i], time.Since(begun))
			if in.fuel != nil {
				used = 1<<50 - int64(in.fuel.Get())
			}
		}
	}
	return float64(best[1]) / float64(best[0]), float64(best[1].Nanoseconds()) / float64(used)
}
