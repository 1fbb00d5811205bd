package trial_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"

	"sandbar/host/clock"
	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/host/stream/disk"
	"sandbar/host/trial"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// script is a plugin in Go that emits what it is called with.
type script struct {
	emit   func([]byte) error
	failAt string // payload on which it fails
	large  int    // bytes that it adds to what it emits
	still  bool   // it does nothing, so that only the way to it is measured
}

func (s *script) Process(v *message.View) sandbox.Result {
	if s.still {
		return sandbox.Result{Fuel: 1}
	}
	p, _ := v.Header(message.Payload)
	if s.failAt != "" && string(p) == s.failAt {
		return sandbox.Result{Outcome: sandbox.RuntimeError, Line: 7, Text: "as told", Fuel: 2}
	}
	s.emit(text("out", string(p)+strings.Repeat(" ", s.large), 0))
	return sandbox.Result{Fuel: 3}
}

func (s *script) Timer(ns int64, shutdown bool) sandbox.Result {
	line := fmt.Sprintf("timer %d %v", ns/int64(time.Second), shutdown)
	s.emit(text("out", line, 0))
	return sandbox.Result{Fuel: 1}
}
func (s *script) Snapshot() ([]byte, error) { return nil, nil }
func (s *script) Restore([]byte) error      { return nil }
func (*script) Interrupt()                  {}

func (s *script) Memory() int64 { return 42 }
func (s *script) Close() error  { return nil }

func text(typ, payload string, ns int64) []byte {
	var b message.Builder
	b.SetUUID(make([]byte, 16))
	b.SetTimestamp(ns)
	b.SetHeader(message.Type, typ)
	b.SetHeader(message.Payload, payload)
	return b.AppendTo(nil)
}

func config(name, match string, ticker int) *sandbox.Config {
	return &sandbox.Config{Kind: sandbox.Analysis, Name: name, Matcher: match, TickerInterval: ticker}
}

func loader(s script) runner.Loader {
	return func(_ *sandbox.Config, _ []byte, env sandbox.Env) (sandbox.Plugin, error) {
		p := s
		p.emit = env.Emit
		return &p, nil
	}
}

func plugin(t testing.TB, cfg *sandbox.Config, s script) *trial.Plugin {
	t.Helper()
	task, err := runner.NewTask(loader(s), cfg, nil, sandbox.Env{Now: clock.Now}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { task.Close() })
	return &trial.Plugin{Task: task}
}

// list is messages as a Source, each in memory that the next one overwrites.
type list struct {
	msgs [][]byte
	buf  []byte
	err  error // instead of io.EOF
}

func (l *list) Next() ([]byte, error) {
	clear(l.buf)
	if len(l.msgs) == 0 {
		if l.err != nil {
			return nil, l.err
		}
		return nil, io.EOF
	}
	l.buf = append(l.buf[:0], l.msgs[0]...)
	l.msgs = l.msgs[1:]
	return l.buf, nil
}

func payloads(t *testing.T, msgs [][]byte) []string {
	t.Helper()
	var out []string
	for _, m := range msgs {
		var v message.View
		if err := v.Parse(m); err != nil {
			t.Fatal(err)
		}
		p, _ := v.Header(message.Payload)
		out = append(out, string(p))
	}
	return out
}

func keep(to *[][]byte) func([]byte) error {
	return func(m []byte) error { *to = append(*to, bytes.Clone(m)); return nil }
}

// A task stops when it has made so much that somebody has to take it; the rest of the batch is still its own.
func TestMuchIsMade(t *testing.T) {
	t.Parallel()
	var in [][]byte
	for i := range 100 {
		in = append(in, text("a", fmt.Sprint(i), int64(i)*int64(time.Second/3)))
	}
	p := plugin(t, config("a", "TRUE", 1), script{large: 1 << 20})
	made := 0
	tr := &trial.Trial{Plugins: []*trial.Plugin{p}, Out: func([]byte) error { made++; return nil }}
	if err := tr.Run(t.Context(), &list{msgs: in}); err != nil {
		t.Fatal(err)
	}
	if s := p.Task.Stats(); s.Matched != 100 || made != 100+int(s.Timers) || s.Timers < 30 {
		t.Errorf("the plugin saw %d of 100 messages, %d timer events, and made %d", s.Matched, s.Timers, made)
	}
}

func TestEachPluginSeesWhatItWants(t *testing.T) {
	t.Parallel()
	var in [][]byte
	for i := range 10_000 { // several batches
		in = append(in, text([]string{"a", "b", "c"}[i%3], fmt.Sprint(i), 1))
	}
	in = append(in, []byte{0xff, 0xff}, snappy.Encode(nil, text("a", "last", 1)))
	pa, pb, none := plugin(t, config("a", "Type == 'a'", 0), script{}), plugin(t, config("b", "Type == 'b'", 0), script{failAt: "31"}), plugin(t, config("none", "FALSE", 0), script{})
	var out [][]byte
	tr := &trial.Trial{Plugins: []*trial.Plugin{pa, pb, none}, Out: keep(&out)}
	if err := tr.Run(t.Context(), &list{msgs: in}); err != nil {
		t.Fatal(err)
	}
	if tr.Messages != 10_001 || tr.Damaged != 1 {
		t.Errorf("%d messages, %d damaged", tr.Messages, tr.Damaged)
	}
	var a, b int
	for _, p := range payloads(t, out) {
		var n int
		if _, err := fmt.Sscan(p, &n); err == nil && n%3 == 1 {
			b++
			if n >= 31 {
				t.Errorf("plugin b made %s although it ended at 31", p)
			}
		} else {
			a++
		}
	}
	if a != 3334+1+2 || b != 10 { // a's messages, the compressed one, the timers of a and none
		t.Errorf("made %d and %d messages", a, b)
	}
	sa, sb, sn := pa.Task.Stats(), pb.Task.Stats(), none.Task.Stats()
	if sa.Seen != 10_001 || sa.Matched != 3335 || sa.Fuel != 3*3335+1 || sa.FuelMax != 3 || sa.Timers != 1 || sa.Memory != 42 || sa.Injected != 3336 {
		t.Errorf("counters of a: %+v", sa)
	}
	if pb.Ended == nil || pb.Ended.Line != 7 || pb.Ended.Outcome != sandbox.RuntimeError || sb.Matched != 11 || sb.Timers != 0 || sb.Outcomes["runtime_error"] != 1 {
		t.Errorf("b: %v, %+v", pb.Ended, sb)
	}
	if sn.Seen != 10_001 || sn.Matched != 0 || sn.Nanos > int64(time.Minute) {
		t.Errorf("counters of none: %+v", sn)
	}
}

// TestWorkers: several workers make what one makes, in the same order, of messages that are copied and of those that stay where they were read.
func TestWorkers(t *testing.T) {
	t.Parallel()
	var in [][]byte
	for i := range 12_000 {
		in = append(in, text([]string{"a", "b", "c"}[i%3], fmt.Sprint(i), int64(i)*int64(time.Millisecond)))
		if i%5000 == 77 {
			in = append(in, snappy.Encode(nil, text("a", "small", 1)), []byte{0xff, 0xff})
		}
	}
	var framed []byte
	for _, msg := range in {
		framed = message.AppendFrame(framed, msg)
	}
	plugins := func() []*trial.Plugin {
		var all []*trial.Plugin
		for i := range 20 {
			s := script{}
			switch i {
			case 4:
				s.failAt = "3333"
			case 5:
				s.large = 3000
			}
			all = append(all, plugin(t, config(fmt.Sprint(i), []string{"TRUE", "Type == 'a'", "Type == 'b'", "FALSE"}[i%4], 7*(i%2)), s))
		}
		return all
	}
	var want []string
	for _, c := range []struct {
		workers int
		lends   bool
	}{{0, false}, {0, true}, {2, false}, {2, true}, {7, true}} {
		var got []string
		tr := &trial.Trial{Plugins: plugins(), Workers: c.workers, Out: func(msg []byte) error {
			var v message.View
			if err := v.Parse(msg); err != nil {
				return err
			}
			p, _ := v.Header(message.Payload)
			got = append(got, strings.TrimSpace(string(p)))
			return nil
		}}
		var src trial.Source = &list{msgs: in}
		if c.lends {
			src = message.NewReader(bytes.NewReader(framed), message.MaxSize)
		}
		if err := tr.Run(t.Context(), src); err != nil {
			t.Fatal(err)
		}
		if tr.Messages != 12_003 || tr.Damaged != 3 || tr.Plugins[4].Ended == nil {
			t.Errorf("%+v: %d messages, %d damaged, plugin 4 ended with %v", c, tr.Messages, tr.Damaged, tr.Plugins[4].Ended)
		}
		if !c.lends { // batches of another size
			slices.Sort(got)
		}
		switch {
		case c.workers == 0:
			want = got
		case !c.lends:
			sorted := slices.Sorted(slices.Values(want))
			if !slices.Equal(got, sorted) {
				t.Errorf("%+v: %d messages are made, %d by one worker, or others", c, len(got), len(want))
			}
		case !slices.Equal(got, want):
			t.Errorf("%+v: %d messages are made, %d by one worker, or in another order", c, len(got), len(want))
		}
	}
}

// TestManyWorkers: no more of them begin than have something to do, however many are asked for.
func TestManyWorkers(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, plugins := range []int{0, 1, 3} {
		tr := &trial.Trial{Workers: math.MaxInt}
		for i := range plugins {
			tr.Plugins = append(tr.Plugins, plugin(t, config(fmt.Sprint(i), "TRUE", 0), script{still: true}))
		}
		if err := tr.Run(ctx, &list{msgs: [][]byte{text("x", "1", 0), text("x", "2", 0)}}); err != nil || tr.Messages != 2 {
			t.Errorf("%d plugins: %d messages, %v", plugins, tr.Messages, err)
		}
	}
}

// TestWorkersFail: an input or an output that fails, and a context that ends, end the work of all.
func TestWorkersFail(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	var in [][]byte
	for i := range 20_000 {
		in = append(in, text("x", fmt.Sprint(i), int64(i)))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	made := 0
	for name, c := range map[string]struct {
		ctx  context.Context
		end  error
		out  func([]byte) error
		want error
	}{
		"input":  {t.Context(), broken, func([]byte) error { return nil }, broken},
		"output": {t.Context(), nil, func([]byte) error { return broken }, broken},
		"context": {ctx, nil, func([]byte) error {
			if made++; made == 1000 {
				cancel()
			}
			return nil
		}, context.Canceled},
	} {
		tr := &trial.Trial{Workers: 3, Out: c.out}
		for i := range 5 {
			tr.Plugins = append(tr.Plugins, plugin(t, config(fmt.Sprint(i), "TRUE", 0), script{large: 2000}))
		}
		if err := tr.Run(c.ctx, &list{msgs: in, err: c.end}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTimersFollowTheMessages(t *testing.T) {
	t.Parallel()
	const sec = int64(time.Second)
	in := [][]byte{
		text("x", "first", 100*sec+5), text("x", "late", 50*sec), text("other", "unseen", 109*sec),
		text("x", "before", 109*sec), text("x", "at", 110*sec), text("x", "same second", 110*sec+1), text("other", "jump", 145*sec), text("x", "end", 146*sec+7),
	}
	var out [][]byte
	tr := &trial.Trial{Plugins: []*trial.Plugin{plugin(t, config("x", "Type == 'x'", 10), script{})}, Out: keep(&out)}
	if err := tr.Run(t.Context(), &list{msgs: in}); err != nil {
		t.Fatal(err)
	}
	want := []string{"first", "late", "before", "timer 110 false", "at", "same second", "timer 145 false", "end", "timer 146 true"}
	if got := payloads(t, out); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestInputAndOutputFail(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	tr := &trial.Trial{Plugins: []*trial.Plugin{plugin(t, config("x", "TRUE", 0), script{})}}
	if err := tr.Run(t.Context(), &list{msgs: [][]byte{text("x", "1", 0)}, err: broken}); !errors.Is(err, broken) {
		t.Errorf("input: %v", err)
	}
	tr = &trial.Trial{Plugins: []*trial.Plugin{plugin(t, config("x", "TRUE", 0), script{})}, Out: func([]byte) error { return broken }}
	if err := tr.Run(t.Context(), &list{msgs: [][]byte{text("x", "1", 0)}}); !errors.Is(err, broken) {
		t.Errorf("output: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := new(trial.Trial).Run(ctx, &list{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// The runner must make of recorded messages what a trial makes of them, timers aside.
func TestSameAsRunner(t *testing.T) {
	t.Parallel()
	var in [][]byte
	for i := range 3000 {
		in = append(in, text([]string{"a", "b"}[i%2], fmt.Sprint(i), int64(i)))
	}
	configs := []*sandbox.Config{config("all", "TRUE", 0), config("a", "Type == 'a'", 0), config("fails", "TRUE", 0)}
	scripts := []script{{}, {}, {failAt: "1717"}}

	var tried [][]byte
	tr := &trial.Trial{Out: keep(&tried)}
	for i, cfg := range configs {
		tr.Plugins = append(tr.Plugins, plugin(t, cfg, scripts[i]))
	}
	if err := tr.Run(t.Context(), &list{msgs: in}); err != nil {
		t.Fatal(err)
	}

	quiet := slog.New(slog.DiscardHandler)
	store, err := disk.Open(t.TempDir(), disk.Options{Now: clock.Now, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.Commit(t.Context(), &stream.Commit{Appends: map[string][][]byte{stream.Valid: in}}); err != nil {
		t.Fatal(err)
	}
	byName := map[string]script{"all": scripts[0], "a": scripts[1], "fails": scripts[2]}
	r := runner.New(runner.Options{Store: store, Interval: time.Millisecond, Now: clock.Now, Log: quiet,
		Load: func(cfg *sandbox.Config, src []byte, env sandbox.Env) (sandbox.Plugin, error) {
			return loader(byName[cfg.Name])(cfg, src, env)
		},
		Env: func(*sandbox.Config) sandbox.Env { return sandbox.Env{Now: clock.Now} }})
	for _, cfg := range configs {
		if err := r.Start(t.Context(), cfg, nil, runner.Oldest); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Begin(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	log := store.Log(stream.Derived)
	for log.Stats().Messages < 3000+1500+1717 {
		end, err := log.NewReader(log.End())
		if err == nil {
			err = end.Wait(ctx)
		}
		if err != nil {
			t.Fatal(err)
		}
		end.Close()
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	reader, err := store.Log(stream.Derived).NewReader(stream.Position{})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var ran []string
	for {
		var b stream.Batch
		if err := reader.Read(&b, 1<<20); err != nil {
			break
		}
		ran = append(ran, payloads(t, b.Messages)...)
	}
	timer := func(s string) bool { // or what the host tells of a plugin that ended
		return strings.HasPrefix(s, "timer") || strings.HasPrefix(s, "plugin analysis.")
	}
	got, want := slices.DeleteFunc(ran, timer), slices.DeleteFunc(payloads(t, tried), timer)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the runner made %d messages, the trial %d", len(got), len(want))
	}
	for i, cfg := range configs {
		st, _ := r.Status(cfg.Logger())
		s := tr.Plugins[i].Task.Stats()
		if st.Stats.Matched != s.Matched || st.Stats.Fuel != s.Fuel || (st.State == runner.Terminated) != (tr.Plugins[i].Ended != nil) {
			t.Errorf("%s: runner %+v, trial %+v", cfg.Name, st.Stats, s)
		}
	}
}
