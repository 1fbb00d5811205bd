package std

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox/lua/vm"
)

// TestGeneratedPrograms runs random programs on lua5.1 and on this engine, and compares what they print, lines and names of errors
// included; where gopher-lua differs is only counted. SANDBAR_GENERATED is how many programs to run, SANDBAR_SEED repeats a run. It takes
// three minutes at most.
func TestGeneratedPrograms(t *testing.T) {
	t.Parallel()
	command, err := exec.LookPath("lua5.1")
	if err != nil {
		t.Skip("lua5.1 is not installed: nothing to compare with")
	}
	count, err := strconv.Atoi(os.Getenv("SANDBAR_GENERATED"))
	if err != nil {
		count = 100
	}
	seed, err := strconv.ParseUint(os.Getenv("SANDBAR_SEED"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	const batch = 250
	begun := time.Now()
	var ran, lines, stock atomic.Int64
	t.Cleanup(func() {
		t.Logf("SANDBAR_SEED=%d: %d programs of %d lines in %v; of the first %d gopher-lua runs %d differently",
			seed, ran.Load(), lines.Load(), time.Since(begun).Round(time.Second), min(count, batch), stock.Load())
		if !t.Failed() && ran.Load() < int64(count)/4 {
			t.Errorf("only %d of %d programs ran in the time that there is", ran.Load(), count)
		}
	})
	for from := 0; from < count; from += batch {
		t.Run(fmt.Sprint(from), func(t *testing.T) {
			t.Parallel()
			if time.Since(begun) > 3*time.Minute {
				t.Skip("three minutes are over")
			}
			programs := make([][]string, min(batch, count-from))
			for i := range programs {
				programs[i] = newProgram(seed, uint64(from+i))
			}
			want, err := onLua(t, command, programs, time.Minute)
			if err != nil {
				t.Fatalf("SANDBAR_SEED=%d, programs from %d on: %v", seed, from, err)
			}
			for i, p := range programs {
				source := generatedPrelude + strings.Join(p, "\n")
				lines.Add(int64(strings.Count(source, "\n")))
				if got := onVMWithError(source); got != want[i] {
					p, got, want := smaller(t, command, p)
					t.Fatalf("SANDBAR_SEED=%d, program %d:\n%s\n got %s\nwant %s", seed, from+i, strings.Join(p, "\n"), got, want)
				}
				if from == 0 && onStock(t.Context(), source) != want[i] {
					stock.Add(1)
				}
			}
			ran.Add(int64(len(programs)))
		})
	}
}

// onLua runs programs in one process, which is ended after a while.
func onLua(t *testing.T, command string, programs [][]string, most time.Duration) ([]string, error) {
	t.Helper()
	dir := t.TempDir()
	var driver strings.Builder
	driver.WriteString("local G = _G\n")
	for i, p := range programs {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), []byte(generatedPrelude+strings.Join(p, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&driver, "do local file = io.open(%q) local f, e = loadstring(file:read('*a'), '=x.lua') file:close()\n"+
			"f = f or function() error('no Lua: ' .. e, 0) end setfenv(f, setmetatable({}, {__index = G})) local ok, e = pcall(f) if not ok then print(type(e) == 'string' and e or type(e)) end print('\\1') end\n", fmt.Sprint(i))
	}
	if err := os.WriteFile(filepath.Join(dir, "driver"), []byte(driver.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), most)
	defer cancel()
	cmd := exec.CommandContext(ctx, command, "driver")
	cmd.Dir = dir
	cmd.Env = []string{"TZ=UTC", "LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, tail(string(out)))
	}
	parts := strings.Split(string(out), "\x01\n")
	if len(parts) != len(programs)+1 {
		return nil, fmt.Errorf("lua5.1 gave %d results of %d programs", len(parts)-1, len(programs))
	}
	for i := range parts {
		parts[i] = unsigned(parts[i])
	}
	return parts[:len(programs)], nil
}

func tail(s string) string { return s[max(0, len(s)-500):] }

func onVMWithError(source string) string {
	L, out := newState(vm.Options{Fuel: 50_000_000, Memory: 64 << 20})
	L.SetGlobal("print", L.NewFunction("print", printTo(out)).Value())
	if err := doString(L, source); err != nil {
		if e, ok := err.(*vm.Error); ok && e.Value.Type() != vm.StringType {
			fmt.Fprintln(out, e.Value.Type())
		} else {
			fmt.Fprintln(out, err.Error())
		}
	}
	return unsigned(out.String())
}

// onStock runs a program on gopher-lua, which may panic, or never end.
func onStock(ctx context.Context, source string) (out string) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			out = fmt.Sprint(r)
		}
	}()
	L := lua.NewState(lua.Options{CallStackSize: 200})
	defer L.Close()
	L.SetContext(ctx)
	var b strings.Builder
	L.SetGlobal("print", L.NewFunction(func(L *lua.LState) int {
		for i := 1; i <= L.GetTop(); i++ {
			b.WriteString(L.ToStringMeta(L.Get(i)).String() + "\n")
		}
		return 0
	}))
	fn, err := L.Load(strings.NewReader(source), "x.lua")
	if err != nil {
		return err.Error()
	}
	L.Push(fn)
	if err := L.PCall(0, 0, nil); err != nil {
		fmt.Fprintln(&b, err)
	}
	return unsigned(b.String())
}

// smaller takes statements and then lines away while the results differ.
func smaller(t *testing.T, command string, p []string) (least []string, got, want string) {
	t.Helper()
	differs := func(p []string) bool {
		source := generatedPrelude + strings.Join(p, "\n")
		if _, err := vm.Compile("x.lua", []byte(source)); err != nil {
			return false
		}
		one, err := onLua(t, command, [][]string{p}, 5*time.Second)
		if err != nil || strings.HasPrefix(one[0], "no Lua") {
			return false // with less of it, it may never end
		}
		got, want = onVMWithError(source), one[0]
		return got != want
	}
	p = strings.Split(strings.Join(p, "\n"), "\n")
	for size := len(p)/2 + 1; size > 0; size /= 2 {
		for i := len(p) - size; i >= 0; i -= max(size/2, 1) {
			if i+size > len(p) {
				continue
			}
			if less := slices.Delete(slices.Clone(p), i, i+size); differs(less) {
				p = less
			}
		}
	}
	differs(p)
	return p, got, want
}
