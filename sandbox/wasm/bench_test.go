package wasm

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"sandbar/sandbox"
	"sandbar/sandbox/sandboxtest"
	"sandbar/sandbox/wasm/wasmtest"
)

// module is a plugin whose sandbar_process does what body says.
func module(t testing.TB, imports, body string) []byte {
	return wasmtest.Assemble(t, "bench", `(module `+imports+` {{plugin}} (data (i32.const 0) "Fields[text]Type")
		(func (export "sandbar_process") (param i32) (result i32) `+body+` (i32.const 0)))`)
}

// BenchmarkCalls is what a message costs that needs nothing of the host, and what a call of the host adds.
func BenchmarkCalls(b *testing.B) {
	const clock = `(import "sandbar_v1" "fuel_left" (func $left (result i64)))`
	const number = `(import "sandbar_v1" "msg_number" (func $number (param i32 i32 i32 i32 i32 i32) (result i32)))`
	for _, bm := range []struct{ name, imports, body string }{
		{"nothing", "", ""},
		{"10 host calls", clock, strings.Repeat("(drop (call $left)) ", 10)},
		{"10 fields", number, strings.Repeat("(drop (call $number (i32.const 0) (i32.const 0) (i32.const 12) (i32.const 0) (i32.const 0) (i32.const 64))) ", 10)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			e := engine(b)
			p, err := loaded(e, "", module(b, bm.imports, bm.body))
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			msg := sandboxtest.Sample(b)
			b.ReportAllocs()
			for b.Loop() {
				if res := p.Process(msg); res.Outcome != sandbox.OK {
					b.Fatal(res.Text)
				}
			}
		})
	}
}

// BenchmarkSnapshot takes the state of a plugin that uses all of 8 MiB.
func BenchmarkSnapshot(b *testing.B) {
	e := engine(b)
	p, err := loaded(e, "preserve_data = true", module(b, "", "(drop (memory.grow (i32.sub (i32.const 127) (memory.size)))) (memory.fill (i32.const 1024) (i32.const 7) (i32.const 8000000))"))
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	if res := p.Process(sandboxtest.Sample(b)); res.Outcome != sandbox.OK {
		b.Fatal(res.Text)
	}
	b.ReportAllocs()
	for b.Loop() {
		if state, err := p.Snapshot(); err != nil || len(state) < 8_000_000 {
			b.Fatal(len(state), err)
		} else {
			p.(sandbox.Recycler).Recycle(state)
		}
	}
}

// TestIdle loads a thousand plugins in C and looks at the memory of the process.
func TestIdle(t *testing.T) {
	if slowdown > 1 {
		t.Skip("the race detector takes memory of its own")
	}
	before := resident(t)
	e := engine(t)
	source := compileC(t, "../../testdata/subject/subject.c")
	for range 1000 {
		p, err := loaded(e, "", source)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if res := p.Process(sandboxtest.Sample(t)); res.Outcome != sandbox.OK {
			t.Fatal(res.Text)
		}
	}
	runtime.GC()
	if more := resident(t) - before; more > 300<<20 {
		t.Errorf("1000 idle plugins take %d MiB", more>>20)
	} else {
		t.Logf("1000 idle plugins take %d MiB", more>>20)
	}
}

// resident is the memory of this process.
func resident(t *testing.T) int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("there is no /proc here")
	}
	var all, pages int64
	if _, err := fmt.Sscan(string(text), &all, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
