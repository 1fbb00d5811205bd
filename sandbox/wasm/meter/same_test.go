package meter

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"sandbar/plugins/sdk/sdktest"
)

// wide are options that refuse nothing for its size.
func wide() Options { return Options{Pages: 1000, Entries: 1 << 20} }

// instance is a module at work among imports that note what they are given and return nothing but zeros.
type instance struct {
	api.Module
	log   strings.Builder
	clock uint64
	fuel  api.MutableGlobal // nil where it is not metered
}

// open starts code, whose imports are those of m.
func open(t *testing.T, r wazero.Runtime, m *Module, code []byte) *instance {
	t.Helper()
	ctx := context.Background()
	in := &instance{}
	hosts := map[string]wazero.HostModuleBuilder{}
	for _, i := range m.Imports {
		b := hosts[i.Module]
		if b == nil {
			b = r.NewHostModuleBuilder(i.Module)
			hosts[i.Module] = b
		}
		results := len(i.Type.Results)
		b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(_ context.Context, mod api.Module, s []uint64) {
			fmt.Fprintf(&in.log, "%s", i.Name)
			for k, typ := range []byte(i.Type.Params) {
				if typ == i32 || typ == f32 { // the upper half is anything
					s[k] = uint64(uint32(s[k]))
				}
				fmt.Fprintf(&in.log, " %x", s[k])
			}
			in.log.WriteString("; ")
			in.wasi(mod.Memory(), i.Name, s)
			clear(s[:results])
			if i.Name == "fd_prestat_get" { // there are no folders
				s[0] = 8
			}
		}), []byte(i.Type.Params), []byte(i.Type.Results)).Export(i.Name)
	}
	for _, b := range hosts {
		if _, err := b.Instantiate(ctx); err != nil {
			t.Fatal(err)
		}
	}
	c, err := r.CompileModule(ctx, code)
	if err != nil {
		t.Fatalf("%v", err)
	}
	in.Module, err = r.InstantiateModule(ctx, c, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		fmt.Fprintf(&in.log, "start: %v", err)
		return in
	}
	if g, ok := in.ExportedGlobal(Fuel).(api.MutableGlobal); ok {
		in.fuel = g
	}
	return in
}

// wasi does what the runtime of Go cannot go on without: a clock that goes on, and waits that end.
func (in *instance) wasi(memory api.Memory, name string, s []uint64) {
	switch name {
	case "clock_time_get":
		in.clock++
		memory.WriteUint64Le(uint32(s[2]), 1e9+in.clock*1e6)
	case "poll_oneoff":
		for k := range uint32(s[2]) {
			sub, _ := memory.Read(uint32(s[0])+48*k, 8)
			event, _ := memory.Read(uint32(s[1])+32*k, 32)
			clear(event)
			copy(event, sub)
		}
		memory.WriteUint32Le(uint32(s[3]), uint32(s[2]))
	}
}

// call calls an export and notes what it gives, or the first line of why it ended.
func (in *instance) call(name string, args ...uint64) {
	if in.fuel != nil {
		in.fuel.Set(1 << 50)
	}
	out, err := in.ExportedFunction(name).Call(context.Background(), args...)
	end := ""
	if err != nil {
		end, _, _ = strings.Cut(err.Error(), "\n")
		if strings.Contains(end, "stack overflow") || in.fuel != nil && int64(in.ExportedGlobal(Stack).Get()) < 0 {
			end = "stack overflow"
		}
	}
	fmt.Fprintf(&in.log, "%s = %x %s\n", name, out, end)
	if g, ok := in.ExportedGlobal(Stack).(api.MutableGlobal); ok {
		g.Set(StackBytes)
	}
}

// memory is what the instance's memory holds.
func (in *instance) memory() []byte {
	if in.Module == nil || in.Module.Memory() == nil {
		return nil
	}
	b, _ := in.Module.Memory().Read(0, in.Module.Memory().Size())
	return b
}

// same runs a module as it is and metered, twice, and compares what they do: results, traps, calls of imports, memory; and the fuel.
func same(t *testing.T, name string, module []byte, calls func(in *instance, m *Module)) (used int64) {
	t.Helper()
	m, err := Rewrite(module, wide())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	ctx := context.Background()
	var plain *instance
	for round, code := range [][]byte{module, m.Code, m.Code} {
		r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithDebugInfoEnabled(false))
		defer r.Close(ctx)
		in := open(t, r, m, code)
		if in.Module != nil {
			if m.HasStart && in.fuel != nil {
				in.fuel.Set(1 << 50)
				if _, err := in.ExportedFunction(Start).Call(ctx); err != nil {
					t.Logf("%s: its start function ends with %.100v", name, err)
					return 0
				}
			}
			calls(in, m)
		}
		if round == 0 {
			plain = in
			continue
		}
		got, want := in.log.String(), plain.log.String()
		if strings.Contains(got, "stack overflow") || strings.Contains(want, "stack overflow") {
			t.Logf("%s: the stack ends earlier when it is metered; not compared", name)
			return 0
		}
		if got != want {
			t.Errorf("%s does other things when it is metered: %s", name, difference(got, want))
		}
		if !bytes.Equal(in.memory(), plain.memory()) {
			t.Errorf("%s leaves other things in memory when it is metered", name)
		}
		if in.fuel == nil {
			continue
		}
		if left := 1<<50 - int64(in.fuel.Get()); round == 1 {
			used = left
		} else if left != used {
			t.Errorf("%s: the last call takes %d units, and %d the second time", name, used, left)
		}
	}
	return used
}

func difference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\n%.400s\nas it is\n%.400s", i, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, as it is %d", len(a), len(b))
}

// TestSameFromCompilers: modules of four compilers.
func TestSameFromCompilers(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"c", "go", "rust", "as"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			module := sdktest.Module(t, language, "counter", nil)
			used := same(t, language, module, func(in *instance, m *Module) {
				for _, name := range []string{"_initialize", "sandbar_init"} {
					if in.ExportedFunction(name) != nil {
						in.call(name)
					}
				}
				for range 20 {
					in.call("sandbar_process", 1)
				}
				in.call("sandbar_timer", 1e9, 0)
			})
			t.Logf("the timer event takes %d units", used)
		})
	}
}

// TestSameGenerated: modules that binaryen makes of random bytes. SANDBAR_GENERATED says how many; 25 without it.
func TestSameGenerated(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("wasm-opt")
	if err != nil {
		t.Skip("wasm-opt of binaryen is not installed, which makes modules of random bytes")
	}
	n := 25
	if s := os.Getenv("SANDBAR_GENERATED"); s != "" {
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	var refused, ran atomic.Int64
	t.Run("modules", func(t *testing.T) {
		for seed := range n {
			t.Run(strconv.Itoa(seed), func(t *testing.T) {
				t.Parallel()
				module := generated(t, tool, uint64(seed))
				if _, err := Rewrite(module, wide()); err != nil {
					if !strings.Contains(err.Error(), "could not be saved") {
						t.Errorf("binaryen takes it for right: %v", err)
					}
					refused.Add(1)
					return
				}
				ran.Add(1)
				same(t, "generated", module, func(in *instance, m *Module) {
					for _, x := range m.Exports {
						if x.Kind == 0 && !strings.Contains(x.Type.Params+x.Type.Results, "\x7b") && !strings.ContainsAny(x.Type.Params+x.Type.Results, "\x70\x6f") {
							args := make([]uint64, len(x.Type.Params))
							in.call(x.Name, args...)
						}
					}
				})
			})
		}
	})
	t.Logf("%d modules ran, %d were refused for globals of vectors or references", ran.Load(), refused.Load())
	if ran.Load() < int64(n)/2 {
		t.Errorf("only %d of %d modules ran", ran.Load(), n)
	}
}

// generated is a module of random bytes.
func generated(t *testing.T, tool string, seed uint64) []byte {
	dir := t.TempDir()
	rng := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	noise := make([]byte, 2000+seed%7*1500)
	if _, err := rng.Read(noise); err != nil {
		t.Fatal(err)
	}
	in, out := filepath.Join(dir, "noise"), filepath.Join(dir, "out.wasm")
	if err := os.WriteFile(in, noise, 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{in, "-ttf", "-o", out, "--mvp-features", "--enable-bulk-memory", "--enable-sign-ext", "--enable-nontrapping-float-to-int", "--enable-multivalue", "--enable-mutable-globals"}
	if seed%3 == 0 {
		args = append(args, "--enable-simd")
	}
	if said, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
		t.Fatalf("wasm-opt: %v\n%.2000s", err, said)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
