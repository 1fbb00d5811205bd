package wasm

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sandbar/plugins/sdk/sdktest"
	"sandbar/sandbox"
	"sandbar/sandbox/lua"
	"sandbar/sandbox/message"
	"sandbar/sandbox/sandboxtest"
	"sandbar/sandbox/wasm/wasmtest"
)

// recorder is a plugin at work, with what it made and what its calls cost.
type recorder struct {
	sandbox.Plugin
	out bytes.Buffer
}

func record(t testing.TB, e *Engine, config string, module []byte, out *recorder) *recorder {
	t.Helper()
	cfg, err := lua.ParseConfig(sandbox.Analysis, "test", []byte("filename = 'x.wasm' message_matcher = 'TRUE' preserve_data = true memory_limit = 33554432\n"+config))
	if err != nil {
		t.Fatal(err)
	}
	if out == nil {
		out = &recorder{}
	}
	emit := func(msg []byte) error {
		var v message.View
		if err := v.Parse(msg); err != nil {
			return err
		}
		payload, _ := v.Header(message.Payload)
		fmt.Fprintf(&out.out, "%s\n", payload)
		return nil
	}
	out.Plugin, err = e.Load(cfg, module, sandbox.Env{Hostname: "host", Pid: 7, Seed: 1, Now: func() time.Time { return time.Unix(1_700_000_000, 0) }, Emit: emit, Log: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// step gives it a message, or a timer event.
func (r *recorder) step(t testing.TB, i int) {
	var res sandbox.Result
	if i%17 == 0 {
		res = r.Timer(int64(i)*1e9, false)
	} else {
		var b message.Builder
		b.SetTimestamp(int64(i) * 1e9)
		b.SetHeader(message.Type, "sample")
		b.AddString("text", "", strings.Repeat("x", i%50))
		var v message.View
		if err := v.Parse(b.AppendTo(nil)); err != nil {
			t.Fatal(err)
		}
		res = r.Process(&v)
	}
	if res.Outcome != sandbox.OK {
		t.Fatalf("step %d: %v %s", i, res.Outcome, res.Text)
	}
	fmt.Fprintf(&r.out, "%d: %d units\n", i, res.Fuel)
}

// modules are some that have a state: of C, and of Go with its runtime.
func modules(t testing.TB) map[string][]byte {
	return map[string][]byte{
		"c":       sdktest.Module(t, "c", "counter", nil),
		"go":      sdktest.Module(t, "go", "counter", nil),
		"rust":    sdktest.Module(t, "rust", "counter", nil),
		"subject": compileC(t, filepath.Join("..", "..", "testdata", "subject", "subject.c")),
	}
}

// TestRestoredGoesOn restarts plugins at random points: what they make and what each call costs is that of one that never stopped.
func TestRestoredGoesOn(t *testing.T) {
	t.Parallel()
	e := engine(t)
	const steps = 300
	for name, module := range modules(t) {
		config := "what = 'count'"
		whole := record(t, e, config, module, nil)
		for i := range steps {
			whole.step(t, i)
		}
		for seed := range uint64(3) {
			rng := rand.New(rand.NewPCG(seed, 1))
			r := record(t, e, config, module, nil)
			restarts := 0
			for i := range steps {
				r.step(t, i)
				if rng.IntN(20) > 0 {
					continue
				}
				restarts++
				state, err := r.Snapshot()
				if err != nil {
					t.Fatal(err)
				}
				if err := r.Close(); err != nil {
					t.Fatal(err)
				}
				record(t, e, config, module, r)
				if err := r.Restore(state); err != nil {
					t.Fatal(err)
				}
			}
			if got, want := r.out.String(), whole.out.String(); got != want {
				t.Errorf("%s, %d restarts: it goes on in another way%s", name, restarts, firstDifference(got, want))
			}
			r.Close()
		}
		whole.Close()
	}
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf(", line %d:\n%.300s\nwant\n%.300s", i, a[i], b[i])
		}
	}
	return fmt.Sprintf(": %d lines, want %d", len(a), len(b))
}

// carries is a module with sandbar_save and sandbar_load. Its message adds step to a count; the timer sends it as one letter.
func carries(t testing.TB, step string) []byte {
	return wasmtest.Assemble(t, "carries", `(module
		(import "sandbar_v1" "state_write" (func $write (param i32 i32)))
		(import "sandbar_v1" "state_read" (func $read (param i32 i32 i32) (result i32)))
		(import "sandbar_v1" "payload_add" (func $add (param i32 i32)))
		(import "sandbar_v1" "payload_send" (func $send (param i32 i32 i32 i32)))
		{{plugin}} (data (i32.const 0) "A") (data (i32.const 8) "txt")
		(func (export "sandbar_process") (param i32) (result i32)
			(i32.store8 (i32.const 0) (i32.add (i32.load8_u (i32.const 0)) (i32.const `+step+`))) (i32.const 0))
		(func (export "sandbar_timer") (param i64 i32) (call $add (i32.const 0) (i32.const 1)) (call $send (i32.const 8) (i32.const 3) (i32.const 8) (i32.const 3)))
		(func (export "sandbar_save") (result i32) (call $write (i32.const 0) (i32.const 1)) (i32.const 0))
		(func (export "sandbar_load") (param i32) (result i32)
			(i32.ne (local.get 0) (call $read (i32.const 0) (i32.const 0) (i32.const 1)))))`)
}

// TestStateForNewCode: with sandbar_save and sandbar_load a state goes on in another version of the module; without, an image does not.
func TestStateForNewCode(t *testing.T) {
	t.Parallel()
	e := engine(t)
	old := record(t, e, "", carries(t, "1"), nil)
	defer old.Close()
	for range 3 {
		old.Process(sandboxtest.Sample(t))
	}
	state, err := old.Snapshot()
	if err != nil || len(state) > 100 {
		t.Fatalf("%d bytes, %v", len(state), err)
	}
	next := record(t, e, "", carries(t, "2"), nil)
	defer next.Close()
	if err := next.Restore(state); err != nil {
		t.Fatal(err)
	}
	next.Process(sandboxtest.Sample(t))
	next.Timer(0, false)
	if got := next.out.String(); got != "F\n" { // A, three times one, and two
		t.Errorf("the new version says %q", got)
	}
	all := modules(t)
	image := record(t, e, "", all["c"], nil)
	defer image.Close()
	image.Process(sandboxtest.Sample(t))
	state, err = image.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	other := record(t, e, "what = 'count'", all["subject"], nil)
	defer other.Close()
	if err := other.Restore(state); err != nil {
		t.Errorf("an image of another module: %v", err)
	}
	tables := wasmtest.Assemble(t, "tables", `(module {{plugin}} (table $t 2 funcref) (func (export "sandbar_process") (param i32) (result i32) (table.set $t (i32.const 0) (ref.null func)) (i32.const 0)))`)
	if _, err := loaded(e, "preserve_data = true", tables); err == nil || !strings.Contains(err.Error(), "preserve_data") {
		t.Errorf("a module that changes its tables: %v", err)
	}
	if p, err := loaded(e, "", tables); err != nil {
		t.Error(err)
	} else {
		p.Close()
	}
}

// FuzzRestore: a state from anywhere is taken or refused, and the plugin can be called.
func FuzzRestore(f *testing.F) {
	e := engine(f)
	module := compileC(f, filepath.Join("..", "..", "testdata", "subject", "subject.c"))
	p := record(f, e, "what = 'count'", module, nil)
	p.Process(sandboxtest.Sample(f))
	state, err := p.Snapshot()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(state)
	f.Add(state[:60])
	f.Fuzz(func(t *testing.T, state []byte) {
		q := record(t, e, "what = 'count'", module, nil)
		defer q.Close()
		if q.Restore(state) == nil {
			q.Process(sandboxtest.Sample(t))
			q.Snapshot()
		}
	})
}
