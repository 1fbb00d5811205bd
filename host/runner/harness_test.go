package runner_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sandbar/host/clock"
	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/host/stream/disk"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a plugin in Go: what process does with each message is the test's.
type script struct {
	process func(v *message.View, emit func([]byte) error) sandbox.Result
	timer   func(ns int64, shutdown bool, emit func([]byte) error) sandbox.Result
	env     sandbox.Env
	state   []byte
	broken  error // of Snapshot
	closed  func()

	interrupt func()
	preserve  bool    // as its config says
	restored  *string // what Restore was called with
}

func (s *script) Process(v *message.View) sandbox.Result { return s.process(v, s.env.Emit) }
func (s *script) Timer(ns int64, shutdown bool) sandbox.Result {
	if s.timer == nil {
		return sandbox.Result{}
	}
	return s.timer(ns, shutdown, s.env.Emit)
}
func (s *script) Snapshot() ([]byte, error) {
	if !s.preserve {
		return nil, nil
	}
	return bytes.Clone(s.state), s.broken
}
func (s *script) Restore(state []byte) error {
	s.state = bytes.Clone(state)
	if s.restored != nil {
		*s.restored = string(state)
	}
	return nil
}
func (s *script) Interrupt() {
	if s.interrupt != nil {
		s.interrupt()
	}
}
func (s *script) Memory() int64 { return int64(len(s.state)) }
func (s *script) Close() error {
	if s.closed != nil {
		s.closed()
	}
	return nil
}

// bench is a runner over a real store, with plugins in Go by name.
type bench struct {
	t     *testing.T
	dir   string
	store *disk.Store
	run   *runner.Runner

	mu      sync.Mutex
	scripts map[string]func() *script
	ends    []*sandbox.Error
}

func newBench(t *testing.T, dir string, change ...func(*runner.Options)) *bench {
	t.Helper()
	store, err := disk.Open(dir, disk.Options{Now: clock.Now, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	b := &bench{t: t, dir: dir, store: store, scripts: map[string]func() *script{}}
	opt := runner.Options{
		Store: store, Load: b.load, Interval: 5 * time.Millisecond, Now: clock.Now, Log: quiet(),
		Env: func(*sandbox.Config) sandbox.Env { return sandbox.Env{Now: clock.Now} },
		OnEnd: func(err *sandbox.Error) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.ends = append(b.ends, err)
		},
	}
	for _, f := range change {
		f(&opt)
	}
	b.run = runner.New(opt)
	return b
}

func (b *bench) load(cfg *sandbox.Config, _ []byte, env sandbox.Env) (sandbox.Plugin, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	make := b.scripts[cfg.Logger()]
	if make == nil {
		return nil, &sandbox.Error{Plugin: cfg.Logger(), Outcome: sandbox.LoadError, Line: 3, Text: "no such script"}
	}
	s := make()
	s.env, s.preserve = env, cfg.PreserveData
	return s, nil
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// close ends the runner; the store stays open for a look.
func (b *bench) close() {
	b.t.Helper()
	if err := b.run.Close(); err != nil {
		b.t.Error(err)
	}
}

// shut ends everything, so that the folder can be opened again.
func (b *bench) shut() {
	b.t.Helper()
	b.close()
	if err := b.store.Close(); err != nil {
		b.t.Error(err)
	}
}

func (b *bench) begin() {
	b.t.Helper()
	if err := b.run.Begin(); err != nil {
		b.t.Fatal(err)
	}
}

func config(kind sandbox.Kind, name, match string) *sandbox.Config {
	return &sandbox.Config{Kind: kind, Name: name, Matcher: match, PreserveData: true, ReadQueue: sandbox.ReadBoth, Limits: sandbox.DefaultLimits()}
}

func (b *bench) start(cfg *sandbox.Config, from runner.From, s func() *script) {
	b.t.Helper()
	b.mu.Lock()
	b.scripts[cfg.Logger()] = s
	b.mu.Unlock()
	if err := b.run.Start(b.t.Context(), cfg, nil, from); err != nil {
		b.t.Fatal(err)
	}
}

// numbered is a message whose field n is its number.
func numbered(typ string, n int64) []byte {
	var mb message.Builder
	mb.SetUUID(make([]byte, 16))
	mb.SetTimestamp(n)
	mb.SetHeader(message.Type, typ)
	mb.AddInt("n", "", n)
	if typ == "raw" { // one of seven documents
		mb.AddString("uri", "", fmt.Sprintf("/submit/telemetry/c0ffee00-0000-4000-8000-%012x/main/Firefox/61.0/nightly/1", n%7))
	}
	return mb.AppendTo(nil)
}

func number(v *message.View) int64 {
	f, _ := v.Field("n", 0)
	n, _ := f.Int(0)
	return n
}

// feed puts messages where decoders would.
func (b *bench) feed(name string, msgs ...[]byte) {
	b.t.Helper()
	if err := b.store.Commit(b.t.Context(), &stream.Commit{Appends: map[string][][]byte{name: msgs}}); err != nil {
		b.t.Fatal(err)
	}
}

// feedRaw appends submissions with the numbers from from up to to.
func (b *bench) feedRaw(from, to int64) {
	b.t.Helper()
	msgs := make([][]byte, 0, to-from)
	for n := from; n < to; n++ {
		msgs = append(msgs, numbered("raw", n))
	}
	if _, err := b.store.Log(stream.Raw).Append(b.t.Context(), msgs...); err != nil {
		b.t.Fatal(err)
	}
}

// read returns all that a stream holds.
func (b *bench) read(name string) []message.View {
	b.t.Helper()
	r, err := b.store.Log(name).NewReader(stream.Position{})
	if err != nil {
		b.t.Fatal(err)
	}
	defer r.Close()
	var views []message.View
	for {
		var batch stream.Batch
		if err := r.Read(&batch, 1<<20); err == io.EOF {
			return views
		} else if err != nil {
			b.t.Fatal(err)
		}
		for _, m := range batch.Messages {
			var v message.View
			if err := v.Parse(m); err != nil {
				b.t.Fatal(err)
			}
			views = append(views, v)
		}
	}
}

// numbers says how often each number is on a stream.
func (b *bench) numbers(name string) map[int64]int {
	b.t.Helper()
	got := map[int64]int{}
	for _, v := range b.read(name) {
		if header(&v, message.Logger) != "host.plugins" { // what the host tells of them
			got[number(&v)]++
		}
	}
	return got
}

func header(v *message.View, h message.Header) string {
	text, _ := v.Header(h)
	return string(text)
}

func field(v *message.View, name string) string {
	f, _ := v.Field(name, 0)
	text, _ := f.Bytes(0)
	return string(text)
}

// awaitMessages waits until so many messages are on a stream since the store was opened.
func (b *bench) awaitMessages(name string, n int64) {
	b.t.Helper()
	b.await(fmt.Sprintf("%d messages on %s", n, name), func() bool { return b.store.Log(name).Stats().Messages >= n })
}

// awaitRead waits until every plugin has read all there is.
func (b *bench) awaitRead() {
	b.t.Helper()
	b.await("everybody at the end", func() bool {
		for _, s := range b.run.List() {
			if s.LagBytes != 0 {
				return false
			}
		}
		return true
	})
}

// await waits until cond holds; the streams tell when to look again.
func (b *bench) await(what string, cond func() bool) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-ctx.Done():
			b.t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

func once(from, to int64) map[int64]int {
	want := map[int64]int{}
	for n := from; n < to; n++ {
		want[n] = 1
	}
	return want
}

func same(t *testing.T, what string, got, want map[int64]int) {
	t.Helper()
	if maps.Equal(got, want) {
		return
	}
	for n, k := range want {
		if got[n] != k {
			t.Errorf("%s: number %d is there %d times, want %d", what, n, got[n], k)
			break
		}
	}
	t.Errorf("%s: %d numbers, want %d", what, len(got), len(want))
}

// pass is a decoder or analysis script that makes a message of every message.
func pass(typ string) func() *script {
	return func() *script {
		return &script{process: func(v *message.View, emit func([]byte) error) sandbox.Result {
			emit(numbered(typ, number(v)))
			return sandbox.Result{Fuel: 7}
		}}
	}
}

// counter keeps how many messages it saw in its state, and says so at the end.
func counter() *script {
	s := &script{}
	s.process = func(*message.View, func([]byte) error) sandbox.Result {
		s.state = fmt.Appendf(nil, "%d", atoi(s.state)+1)
		return sandbox.Result{}
	}
	return s
}

func atoi(b []byte) (n int) {
	fmt.Sscan(string(b), &n)
	return n
}
