package lua

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sandbar/sandbox"
	"sandbar/sandbox/lua/std"
	"sandbar/sandbox/lua/vm"
)

// hostile is a file of testdata/hostile/lua.
type hostile struct {
	name   string
	where  string   // load, process or timer
	expect []string // how it may end
	source string
}

// TestHostile runs every attack in this process, with a victim beside them: a plugin that must see each of its messages
// and count them exactly.
func TestHostile(t *testing.T) {
	attacks := readHostile(t)
	if len(attacks) < 90 {
		t.Errorf("there are only %d attacks", len(attacks))
	}
	stop := make(chan struct{})
	v := startVictim(t, stop)
	var ended strings.Builder
	for _, a := range attacks {
		how, text, took, most := a.measured(t)
		for try := 0; try < 2 && most > 3*(8<<20)+16<<20; try++ { // what is garbage when depends on the machine
			_, _, _, again := a.measured(t)
			most = min(most, again)
		}
		fmt.Fprintf(&ended, "%-32s %-18s %8.1f ms %5.1f MiB  %.80s\n", a.name, how, float64(took.Microseconds())/1000, float64(most)/(1<<20), text)
		if !a.expected(how, text) {
			t.Errorf("%s ended with %s (%.200s), want %s", a.name, how, text, strings.Join(a.expect, " or "))
		}
		if took > min(3, slowdown)*20*time.Second {
			t.Errorf("%s took %v", a.name, took)
		}
		if most > 3*(8<<20)+16<<20 {
			t.Errorf("%s took %d MiB of heap", a.name, most>>20)
		}
	}
	close(stop)
	v.report(t)
	t.Logf("\n%s", ended.String())
}

// measured runs the attack and returns how it ended, how long it took and how many bytes of heap at most.
func (a *hostile) measured(t *testing.T) (how, text string, took time.Duration, most int64) {
	runtime.GC()
	peak := watchHeap()
	begun := time.Now()
	how, text = a.run(t)
	return how, text, time.Since(begun), peak()
}

func readHostile(t *testing.T) []hostile {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "hostile", "lua", "*.lua"))
	if err != nil {
		t.Fatal(err)
	}
	var out []hostile
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		a := hostile{name: strings.TrimSuffix(filepath.Base(path), ".lua"), where: "process", source: string(text)}
		for line := range strings.Lines(a.source) {
			if !strings.HasPrefix(line, "--") {
				break
			}
			key, value, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "--")), ": ")
			switch key {
			case "expect":
				a.expect = strings.Split(value, " or ")
			case "in":
				a.where = strings.TrimSpace(value)
			case "generate":
				a.source = generate(t, value)
			}
		}
		if len(a.expect) == 0 {
			t.Errorf("%s says not how it ends", path)
		}
		out = append(out, a)
	}
	return out
}

// generate evaluates the expression that makes a source.
func generate(t *testing.T, expression string) string {
	t.Helper()
	L := vm.New(vm.Options{})
	std.OpenBase(L)
	L.SetGlobal("string", std.OpenString(L).Value())
	L.SetGlobal("table", std.OpenTable(L).Value())
	fn, err := L.Load("generate", []byte("return "+expression))
	if err != nil {
		t.Fatal(err)
	}
	L.Refill()
	values, err := L.Do(fn.Value(), 1)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	s, _ := values[0].Str()
	return strings.Clone(s)
}

// run returns how the attack ended, as in the headers, and the error's text.
func (a *hostile) run(t *testing.T) (how, text string) {
	b, err := tryLoad(sandbox.Analysis, "list = {1, {2}} alert = {modules = {web = {}}}", a.source)
	if err != nil {
		e := asError(t, err)
		if e.Outcome == sandbox.LoadError {
			return "load error", e.Text
		}
		return ending(e.Outcome), e.Text
	}
	var res sandbox.Result
	switch a.where {
	case "process":
		res = b.Process(sample(t))
	case "timer":
		res = b.Timer(1_700_000_000_000_000_000, false)
	}
	how, text = ending(res.Outcome), res.Text
	if res.Outcome == sandbox.OK {
		if _, err := b.Snapshot(); err != nil {
			text = err.Error()
		}
	}
	return how, text
}

func ending(o sandbox.Outcome) string {
	switch o {
	case sandbox.OK:
		return "ok"
	case sandbox.FuelExhausted:
		return "instruction_limit"
	case sandbox.MemoryExceeded:
		return "memory_limit"
	}
	return "error"
}

func (a *hostile) expected(how, text string) bool {
	for _, e := range a.expect {
		e = strings.TrimSpace(e)
		for _, kind := range [...]string{"load error", "error"} {
			if rest, ok := strings.CutPrefix(e, kind); ok {
				if how == kind && strings.Contains(text, strings.TrimSpace(rest)) {
					return true
				}
				break
			}
		}
		if e == how {
			return true
		}
	}
	return false
}

// watchHeap samples the bytes of objects until the function that it returns is called, which tells how many more
// there were at most than at the beginning.
func watchHeap() (peak func() int64) {
	read := func() int64 {
		s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(s)
		return int64(s[0].Value.Uint64())
	}
	base, stop, done := read(), make(chan struct{}), make(chan int64)
	go func() {
		most := int64(0)
		for tick := time.NewTicker(2 * time.Millisecond); ; {
			most = max(most, read()-base)
			select {
			case <-stop:
				tick.Stop()
				done <- most
				return
			case <-tick.C:
			}
		}
	}()
	return func() int64 {
		close(stop)
		return <-done
	}
}

// victim is a plugin that is fed while others attack.
type victim struct {
	*bench
	fed   atomic.Int64
	waits []time.Duration // of each message
	done  chan struct{}
}

func startVictim(t *testing.T, stop <-chan struct{}) *victim {
	v := &victim{bench: load(t, sandbox.Analysis, "", `n = 0 local t = {} function process_message()
		n = n + 1 t[n % 100] = read_message("Type") .. n return 0 end function timer_event() end`), done: make(chan struct{})}
	go func() {
		defer close(v.done)
		msg := sample(t)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			for range 10 {
				begun := time.Now()
				if res := v.Process(msg); res.Outcome != sandbox.OK {
					t.Errorf("the victim ended: %s", res.Text)
					return
				}
				v.waits = append(v.waits, time.Since(begun))
				v.fed.Add(1)
			}
		}
	}()
	return v
}

func (v *victim) report(t *testing.T) {
	<-v.done
	if n := global(v.bench, "n"); n != fmt.Sprint(v.fed.Load()) {
		t.Errorf("the victim counted %s of %d messages", n, v.fed.Load())
	}
	slices.Sort(v.waits)
	if n := len(v.waits); n > 0 {
		t.Logf("the victim saw %d messages; each took %v in the middle, %v for 99 of 100, %v at most", n, v.waits[n/2], v.waits[n*99/100], v.waits[n-1])
	}
}
