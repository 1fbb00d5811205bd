package lua

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// bench is a plugin with what it made and printed.
type bench struct {
	sandbox.Plugin
	made    [][]byte
	printed []string
	now     time.Time
}

func (b *bench) env() sandbox.Env {
	return sandbox.Env{Hostname: "host", Pid: 7, Seed: 1, Now: func() time.Time { return b.now },
		Emit: func(msg []byte) error { b.made = append(b.made, append([]byte(nil), msg...)); return nil },
		Log:  func(text string) { b.printed = append(b.printed, text) }}
}

// texts are the payloads of what was made.
func (b *bench) texts(t testing.TB) []string {
	t.Helper()
	var out []string
	for _, m := range b.made {
		var v message.View
		if err := v.Parse(m); err != nil {
			t.Fatal(err)
		}
		p, _ := v.Header(message.Payload)
		out = append(out, string(p))
	}
	return out
}

func tryLoad(kind sandbox.Kind, cfg, source string) (*bench, error) {
	b := &bench{now: time.Unix(1_700_000_000, 0)}
	c, err := ParseConfig(kind, "test", []byte("filename = 'test.lua'\nmessage_matcher = 'TRUE'\n"+cfg))
	if err != nil {
		return nil, err
	}
	b.Plugin, err = Load(c, []byte(source), b.env())
	return b, err
}

func load(t testing.TB, kind sandbox.Kind, cfg, source string) *bench {
	t.Helper()
	b, err := tryLoad(kind, cfg, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// script runs lines of Lua in process_message of an analysis plugin that may inject.
func script(t testing.TB, lines string) (*bench, sandbox.Result) {
	t.Helper()
	b := load(t, sandbox.Analysis, "process_message_inject_limit = 100", "require 'string' require 'table' require 'math'\nfunction process_message()\n"+lines+"\nreturn 0 end")
	return b, b.Process(sample(t))
}

// sample is a message with a field of each kind.
func sample(t testing.TB) *message.View {
	t.Helper()
	var b message.Builder
	b.SetUUID([]byte("0123456789abcdef"))
	b.SetTimestamp(1_600_000_000_000_000_000)
	b.SetHeader(message.Type, "sample")
	b.SetHeader(message.Logger, "tester")
	b.SetHeader(message.Payload, "pay\x00load")
	b.SetPid(42)
	b.AddString("text", "", "a", "b")
	b.AddBytes("raw", "json", []byte{0xff, 0})
	b.AddInt("whole", "ms", 1, -2)
	b.AddDouble("real", "", 0.5)
	b.AddBool("flag", "", true, false)
	b.AddString("text", "", "second")
	b.AddString("odd.name-[x]", "", "odd")
	var v message.View
	if err := v.Parse(b.AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	return &v
}

// asError unwraps what Load returns.
func asError(t testing.TB, err error) *sandbox.Error {
	t.Helper()
	var e *sandbox.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *sandbox.Error", err)
	}
	return e
}

func contains(t testing.TB, got, want string) {
	t.Helper()
	if !strings.Contains(got, want) {
		t.Errorf("got %q, want it to contain %q", got, want)
	}
}

func spin(n int) string { return fmt.Sprintf("for i = 1, %d do end", n) }
