package runner_test

import (
	"bytes"
	"context"
	"errors"
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
	timer   func(shutdown bool, emit func([]byte) error)
	emit    func([]byte) error
	state   []byte
}

func (s *script) Process(v *message.View) sandbox.Result { return s.process(v, s.emit) }
func (s *script) Timer(_ int64, shutdown bool) sandbox.Result {
	if s.timer != nil {
		s.timer(shutdown, s.emit)
	}
	return sandbox.Result{}
}
func (s *script) Snapshot() ([]byte, error)  { return bytes.Clone(s.state), nil }
func (s *script) Restore(state []byte) error { s.state = bytes.Clone(state); return nil }
func (s *script) Memory() int64              { return int64(len(s.state)) }
func (s *script) Close() error               { return nil }

// bench is a runner over a real store, with plugins in Go by name.
type bench struct {
	t       *testing.T
	dir     string
	store   *disk.Store
	run     *runner.Runner
	scripts map[string]func() *script
	mu      sync.Mutex
	ends    []*sandbox.Error
}

func newBench(t *testing.T, dir string) *bench {
	t.Helper()
	store, err := disk.Open(dir, disk.Options{Now: clock.Now, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, dir: dir, store: store, scripts: map[string]func() *script{}}
	b.run = runner.New(runner.Options{
		Store: store,
		Load: func(cfg *sandbox.Config, _ []byte, env sandbox.Env) (sandbox.Plugin, error) {
			make := b.scripts[cfg.Logger()]
			if make == nil {
				return nil, &sandbox.Error{Plugin: cfg.Logger(), Outcome: sandbox.LoadError, Line: 3, Text: "no such script"}
			}
			s := make()
			s.emit = env.Emit
			return s, nil
		},
		Env: func(*sandbox.Config) sandbox.Env { return sandbox.Env{Now: clock.Now} },
		OnEnd: func(err *sandbox.Error) {
			b.mu.Lock()
			b.ends = append(b.ends, err)
			b.mu.Unlock()
		},
		Interval: 5 * time.Millisecond, Now: clock.Now, Log: quiet(),
	})
	return b
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func (b *bench) close() {
	b.t.Helper()
	if err := errors.Join(b.run.Close(), b.store.Close()); err != nil {
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
	b.scripts[cfg.Logger()] = s
	if err := b.run.Start(cfg, nil, from); err != nil {
		b.t.Fatal(err)
	}
}

// numbered is a message whose field n is its number.
func numbered(typ string, n int64) []byte {
	var mb message.Builder
	mb.SetTimestamp(n)
	mb.SetHeader(message.Type, typ)
	mb.AddInt("n", "", n)
	return mb.AppendTo(nil)
}

func number(v *message.View) int64 {
	f, _ := v.Field("n", 0)
	n, _ := f.Int(0)
	return n
}

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

// numbers reads how often each number is on a stream.
func (b *bench) numbers(name string) map[int64]int {
	b.t.Helper()
	got := map[int64]int{}
	r, err := b.store.Log(name).NewReader(stream.Position{})
	if err != nil {
		b.t.Fatal(err)
	}
	defer r.Close()
	for {
		var batch stream.Batch
		if err := r.Read(&batch, 1<<20); err == io.EOF {
			return got
		} else if err != nil {
			b.t.Fatal(err)
		}
		for _, m := range batch.Messages {
			var v message.View
			if err := v.Parse(m); err != nil {
				b.t.Fatal(err)
			}
			got[number(&v)]++
		}
	}
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

func TestEveryMessageOnceThroughTheLine(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	b.start(config(sandbox.Decoder, "d", "Fields[n] < 900"), runner.Oldest, pass("telemetry"))
	b.start(config(sandbox.Analysis, "a", "Type == 'telemetry'"), runner.Oldest, pass("made"))
	b.start(config(sandbox.Analysis, "none", "FALSE"), runner.Oldest, pass("never"))
	b.feedRaw(0, 500)
	b.begin()
	b.feedRaw(500, 1000)
	b.await("900 derived messages", func() bool { return b.store.Log(stream.Derived).Stats().Messages == 900 })
	b.await("100 errors", func() bool { return b.store.Log(stream.Errors).Stats().Messages == 100 })
	same(t, "valid", b.numbers(stream.Valid), once(0, 900))
	same(t, "derived", b.numbers(stream.Derived), once(0, 900))
	same(t, "errors", b.numbers(stream.Errors), once(900, 1000))
	b.await("everybody at the end", func() bool {
		for _, s := range b.run.List() {
			if s.LagBytes != 0 {
				return false
			}
		}
		return true
	})
	st, _ := b.run.Status("analysis.a")
	if st.Stats.Matched != 900 || st.Stats.Injected != 900 || st.Stats.Fuel != 6300 || st.Stats.FuelMax != 7 || st.Stats.Outcomes["ok"] != 900 {
		t.Errorf("counters of analysis.a: %+v", st.Stats)
	}
	b.close()
}

// A plugin that is slow must not keep the others back, and must see everything in the end.
func TestSlowPluginDelaysOnlyItself(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	gate := make(chan struct{})
	b.start(config(sandbox.Decoder, "d", "TRUE"), runner.Oldest, func() *script {
		body := bytes.Repeat([]byte("x"), 2000)
		return &script{process: func(v *message.View, emit func([]byte) error) sandbox.Result {
			var mb message.Builder
			mb.SetHeader(message.Type, "telemetry")
			mb.AddInt("n", "", number(v))
			mb.AddBytes("body", "", body)
			emit(mb.AppendTo(nil))
			return sandbox.Result{}
		}}
	})
	b.start(config(sandbox.Analysis, "slow", "TRUE"), runner.Oldest, func() *script {
		return &script{process: func(v *message.View, emit func([]byte) error) sandbox.Result {
			<-gate
			emit(numbered("slow", number(v)))
			return sandbox.Result{}
		}}
	})
	b.start(config(sandbox.Analysis, "quick", "TRUE"), runner.Oldest, func() *script {
		return &script{process: func(v *message.View, emit func([]byte) error) sandbox.Result {
			emit(numbered("quick", 1_000_000+number(v)))
			return sandbox.Result{}
		}}
	})
	b.begin()
	const n = 6000 // 12 MB, more than waits in an inbox
	for i := int64(0); i < n; i += 500 {
		b.feedRaw(i, i+500)
	}
	b.await("the quick one to finish", func() bool { return b.store.Log(stream.Derived).Stats().Messages == n })
	close(gate)
	b.await("the slow one to finish", func() bool { return b.store.Log(stream.Derived).Stats().Messages == 2*n })
	want := once(0, n)
	maps.Copy(want, once(1_000_000, 1_000_000+n))
	same(t, "derived", b.numbers(stream.Derived), want)
	b.feedRaw(n, n+10) // it is back at the shared reading
	b.await("both to see ten more", func() bool { return b.store.Log(stream.Derived).Stats().Messages == 2*n+20 })
	b.close()
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

func TestStateAndPositionSurvive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const each = 300
	for round := 1; round <= 3; round++ {
		b := newBench(t, dir)
		b.start(config(sandbox.Decoder, "d", "TRUE"), runner.Oldest, pass("telemetry"))
		b.start(config(sandbox.Analysis, "count", "TRUE"), runner.Oldest, counter)
		b.begin()
		b.feedRaw(int64(round-1)*each, int64(round)*each)
		b.await("the count", func() bool {
			state, err := b.store.State("analysis.count")
			return err == nil && atoi(state) == round*each
		})
		b.close()
	}
}

func TestStopStartReplaceRemove(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	b.start(config(sandbox.Decoder, "d", "TRUE"), runner.Oldest, pass("telemetry"))
	count := config(sandbox.Analysis, "count", "TRUE")
	b.start(count, runner.Oldest, counter)
	b.begin()
	state := func() int { s, _ := b.store.State("analysis.count"); return atoi(s) }
	b.feedRaw(0, 10)
	b.await("ten", func() bool { return state() == 10 })

	if err := b.run.Start(count, nil, runner.Newest); err == nil {
		t.Error("two plugins of one name run")
	}
	if err := b.run.Replace(t.Context(), "analysis.count"); err != nil {
		t.Fatal(err)
	}
	b.feedRaw(10, 20) // while it is being replaced
	b.await("valid", func() bool { return b.store.Log(stream.Valid).Stats().Messages == 20 })
	b.start(count, runner.Newest, counter)
	b.await("twenty", func() bool { return state() == 20 })

	if err := b.run.Stop(t.Context(), "analysis.count"); err != nil {
		t.Fatal(err)
	}
	if st, _ := b.run.Status("analysis.count"); st.State != runner.StoppedBy {
		t.Errorf("state is %s after Stop", st.State)
	}
	b.feedRaw(20, 30) // nobody counts these
	b.await("valid", func() bool { return b.store.Log(stream.Valid).Stats().Messages == 30 })
	b.start(count, runner.Newest, counter)
	b.feedRaw(30, 40)
	b.await("thirty", func() bool { return state() == 30 })

	if err := b.run.Remove(t.Context(), "analysis.count"); err != nil {
		t.Fatal(err)
	}
	if s, _ := b.store.State("analysis.count"); s != nil {
		t.Errorf("state %q is left after Remove", s)
	}
	if _, ok := b.store.Readers()["analysis.count"]; ok {
		t.Error("its position is left after Remove")
	}
	b.close()
}

func TestEndings(t *testing.T) {
	t.Parallel()
	failOn := func(n int64, res sandbox.Result) func() *script {
		return func() *script {
			return &script{process: func(v *message.View, emit func([]byte) error) sandbox.Result {
				if number(v) == n {
					return res
				}
				emit(numbered("telemetry", number(v)))
				return sandbox.Result{}
			}}
		}
	}
	b := newBench(t, t.TempDir())
	broken := sandbox.Result{Outcome: sandbox.RuntimeError, Line: 12, Text: "attempt to index a nil value"}
	b.start(config(sandbox.Decoder, "d", "TRUE"), runner.Oldest, failOn(5, broken))
	b.start(config(sandbox.Analysis, "bad", "TRUE"), runner.Oldest, failOn(3, sandbox.Result{Outcome: sandbox.FuelExhausted, Line: 4, Text: "instruction_limit exceeded"}))
	b.begin()
	b.feedRaw(0, 10)
	b.await("nine valid, one error", func() bool {
		return b.store.Log(stream.Valid).Stats().Messages == 9 && b.store.Log(stream.Errors).Stats().Messages == 1
	})
	same(t, "errors", b.numbers(stream.Errors), once(5, 6))
	b.await("the end of analysis.bad", func() bool { st, _ := b.run.Status("analysis.bad"); return st.State == runner.Terminated })
	st, _ := b.run.Status("analysis.bad")
	if st.Outcome != "fuel_exhausted" || st.Line != 4 || st.Reason != "instruction_limit exceeded" || st.Stats.Outcomes["fuel_exhausted"] != 1 {
		t.Errorf("status of the ended plugin: %+v", st)
	}
	if d, _ := b.run.Status("decoder.d"); d.State != runner.Running || d.Stats.Outcomes["runtime_error"] != 1 {
		t.Errorf("status of the decoder: %+v", d)
	}
	same(t, "derived", b.numbers(stream.Derived), once(0, 3)) // what it made before it ended is kept
	b.mu.Lock()
	if len(b.ends) != 1 || b.ends[0].Plugin != "analysis.bad" {
		t.Errorf("OnEnd heard of %v", b.ends)
	}
	b.mu.Unlock()
	if err := b.run.Start(config(sandbox.Analysis, "missing", "TRUE"), nil, runner.Oldest); err == nil {
		t.Error("a plugin that cannot be loaded started")
	}
	var fault *sandbox.Error
	if err := b.run.Start(config(sandbox.Analysis, "syntax", "Type =="), nil, runner.Oldest); !errors.As(err, &fault) || fault.Outcome != sandbox.LoadError {
		t.Errorf("a matcher that does not parse gave %v", err)
	}
	b.close()
}

// Whatever a crash interrupts, each message is on valid once and counted once.
func TestCrashesLoseAndRepeatNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const each, rounds = 400, 6
	for round := range int64(rounds) {
		b := newBench(t, dir)
		b.start(config(sandbox.Decoder, "d", "TRUE"), runner.Oldest, pass("telemetry"))
		b.start(config(sandbox.Analysis, "count", "TRUE"), runner.Oldest, counter)
		b.begin()
		b.feedRaw(round*each, (round+1)*each)
		b.await("some progress", func() bool { return b.store.Log(stream.Valid).Stats().Messages > 50*round })
		// The store goes first: what the runner has not committed by then is lost, as in a crash.
		b.store.Close()
		b.run.Close()
	}
	b := newBench(t, dir)
	b.start(config(sandbox.Decoder, "d", "TRUE"), runner.Oldest, pass("telemetry"))
	b.start(config(sandbox.Analysis, "count", "TRUE"), runner.Oldest, counter)
	b.begin()
	b.await("the whole count", func() bool { s, _ := b.store.State("analysis.count"); return atoi(s) >= each*rounds })
	same(t, "valid", b.numbers(stream.Valid), once(0, each*rounds))
	if s, _ := b.store.State("analysis.count"); atoi(s) != each*rounds {
		t.Errorf("counted %s, want %d", s, each*rounds)
	}
	b.close()
}
