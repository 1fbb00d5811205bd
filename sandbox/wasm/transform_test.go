package wasm

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sandbar/plugins/sdk/sdktest"
	"sandbar/sandbox"
	"sandbar/sandbox/lua"
	"sandbar/sandbox/message"
)

// mirror is a transform in Go, without a library: it writes each record as it came.
const mirror = `package main

import "unsafe"

//go:wasmimport redpanda_transform check_abi_version_1
func checkAbiVersion()

//go:wasmimport redpanda_transform read_batch_header
func readBatchHeader(offset, records, epoch, attributes, last, base, max, producer, producerEpoch, sequence unsafe.Pointer) int32

//go:wasmimport redpanda_transform read_next_record
func readNextRecord(attributes, timestamp, offset, buf unsafe.Pointer, n int32) int32

//go:wasmimport redpanda_transform write_record
func writeRecord(buf unsafe.Pointer, n int32) int32

func main() {
	checkAbiVersion()
	var longs [5]int64
	var ints [5]int32
	var shorts [2]int16
	var attribute byte
	for {
		n := readBatchHeader(unsafe.Pointer(&longs[0]), unsafe.Pointer(&ints[0]), unsafe.Pointer(&ints[1]), unsafe.Pointer(&shorts[0]), unsafe.Pointer(&ints[2]),
			unsafe.Pointer(&longs[1]), unsafe.Pointer(&longs[2]), unsafe.Pointer(&longs[3]), unsafe.Pointer(&shorts[1]), unsafe.Pointer(&ints[3]))
		buf := make([]byte, max(n, 1))
		for range ints[0] {
			got := readNextRecord(unsafe.Pointer(&attribute), unsafe.Pointer(&longs[4]), unsafe.Pointer(&longs[0]), unsafe.Pointer(&buf[0]), n)
			if got != n || writeRecord(unsafe.Pointer(&buf[0]), n) != n {
				panic("a record went wrong")
			}
		}
	}
}
`

// transforming loads a transform and returns what it makes, a line a message.
func transforming(t *testing.T, e *Engine, config string, module []byte) (sandbox.Plugin, *strings.Builder) {
	t.Helper()
	cfg, err := lua.ParseConfig(sandbox.Analysis, "test", []byte("filename = 'x.wasm' message_matcher = 'TRUE' process_message_inject_limit = 10 memory_limit = 33554432\n"+config))
	if err != nil {
		t.Fatal(err)
	}
	out := &strings.Builder{}
	p, err := e.Load(cfg, module, sandbox.Env{Hostname: "host", Now: func() time.Time { return time.Unix(1_700_000_000, 0) }, Log: func(text string) { t.Log(text) },
		Emit: func(msg []byte) error {
			var v message.View
			if err := v.Parse(msg); err != nil {
				return err
			}
			typ, _ := v.Header(message.Type)
			payload, _ := v.Header(message.Payload)
			fmt.Fprintf(out, "%s %s", typ, payload)
			for f := range v.Fields() {
				b, _ := f.Bytes(0)
				fmt.Fprintf(out, " %s=%s", f.Name(), b)
			}
			out.WriteString("\n")
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return p, out
}

// carrying is a message with a payload and two fields.
func carrying(t *testing.T, payload string) *message.View {
	var b message.Builder
	b.SetTimestamp(1_600_000_000_000_000_000)
	b.SetHeader(message.Type, "sample")
	b.SetHeader(message.Payload, payload)
	b.AddString("text", "", "a b")
	b.AddString("id", "", "seven")
	var v message.View
	if err := v.Parse(b.AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	return &v
}

// TestTransforms runs programs for Redpanda's interface.
func TestTransforms(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	e, err := New(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(t.Context())
	upper := compileC(t, filepath.Join("..", "..", "testdata", "transform", "upper.c"))
	p, out := transforming(t, e, "transform_key = 'Fields[id]'", upper)
	for _, tt := range []struct {
		payload string
		outcome sandbox.Outcome
		made    string
	}{
		{"hello", sandbox.OK, "transform HELLO key=seven text=a b id=seven\n"},
		{"drop", sandbox.OK, ""},
		{"!loud", sandbox.OK, "transform !LOUD key=seven topic=loud text=a b id=seven\n"},
		{"trap", sandbox.RuntimeError, ""},
		{"again", sandbox.OK, "transform AGAIN key=seven text=a b id=seven\n"}, // a new instance
		{"spin", sandbox.FuelExhausted, ""},
		{"", sandbox.OK, "transform  key=seven text=a b id=seven\n"},
	} {
		out.Reset()
		res := p.Process(carrying(t, tt.payload))
		if res.Outcome != tt.outcome || out.String() != tt.made || res.Fuel <= 0 {
			t.Errorf("%q: %v %s, fuel %d, made %q, want %q", tt.payload, res.Outcome, res.Text, res.Fuel, out, tt.made)
		}
	}
	first, second := p.Process(carrying(t, "same")), p.Process(carrying(t, "same"))
	if first.Fuel != second.Fuel {
		t.Errorf("the same record takes %d and %d units", first.Fuel, second.Fuel)
	}
	if res := p.Timer(0, false); res.Outcome != sandbox.RuntimeError {
		t.Errorf("a timer event: %v", res.Outcome)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}

	q, made := transforming(t, e, "transform_value = 'Fields[text]' transform_type = 'copy'", sdktest.Program(t, mirror))
	for range 3 {
		if res := q.Process(carrying(t, "x")); res.Outcome != sandbox.OK {
			t.Fatalf("%v %s", res.Outcome, res.Text)
		}
	}
	if got := made.String(); got != strings.Repeat("copy a b id=seven\n", 3) {
		t.Errorf("the mirror in Go made %q", got)
	}
	if err := q.Close(); err != nil {
		t.Error(err)
	}
	for name, source := range map[string]string{"returns": "void start(void) {}", "loops": "void start(void) { check(); for (;;) spinning++; }"} {
		file := filepath.Join(t.TempDir(), "bad.c")
		text := "__attribute__((import_module(\"redpanda_transform\"), import_name(\"check_abi_version_1\"))) void check(void); static volatile int spinning;\n" +
			"void *keep = check; __attribute__((export_name(\"_start\"))) " + source
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if p, err := loaded(e, "", compileC(t, file)); err == nil {
			p.Close()
			t.Errorf("a transform that %s was loaded", name)
		}
	}
}
