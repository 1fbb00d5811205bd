package runner_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sandbar/host/clock"
	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// stuck is a plugin whose first message keeps it until let is closed, or until it is interrupted if it can be.
func stuck(in chan<- struct{}, let <-chan struct{}, interruptible bool) func() *script {
	return func() *script {
		interrupted := make(chan struct{})
		var once sync.Once
		s := &script{process: func(*message.View, func([]byte) error) sandbox.Result {
			in <- struct{}{}
			select {
			case <-let:
				return sandbox.Result{}
			case <-interrupted:
				return sandbox.Result{Outcome: sandbox.Stopped, Text: "interrupted"}
			}
		}}
		if interruptible {
			s.interrupt = func() { once.Do(func() { close(interrupted) }) }
		}
		return s
	}
}

// TestStopHonoursItsContext: a call that nothing ends keeps nobody waiting beyond his context, and not the host's end.
func TestStopHonoursItsContext(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir(), func(o *runner.Options) { o.CloseTime = 400 * time.Millisecond })
	in, let := make(chan struct{}, 1), make(chan struct{})
	b.start(config(sandbox.Analysis, "slow", "TRUE"), runner.Oldest, stuck(in, let, false))
	b.begin()
	b.feed(stream.Valid, numbered("a", 1))
	<-in
	for name, f := range map[string]func(context.Context, string) error{"Stop": b.run.Stop, "Replace": b.run.Replace, "Remove": b.run.Remove} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		start := time.Now()
		err := f(ctx, "analysis.slow")
		cancel()
		if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took > 2*time.Second {
			t.Errorf("%s: %v after %v", name, err, took)
		}
	}
	if err := b.run.Start(t.Context(), config(sandbox.Analysis, "slow", "TRUE"), nil, runner.Newest); err == nil {
		t.Error("it was started beside itself")
	}
	start := time.Now()
	b.close()
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("Close took %v", took)
	}
	close(let)
}

// TestStopInterrupts: a call that lasts is ended from outside, its message does not count, and the plugin is stopped, not
// terminated. A decoder reads it again.
func TestStopInterrupts(t *testing.T) {
	t.Parallel()
	for _, kind := range []sandbox.Kind{sandbox.Analysis, sandbox.Decoder} {
		b := newBench(t, t.TempDir())
		in := make(chan struct{}, 9)
		b.start(config(kind, "slow", "TRUE"), runner.Oldest, stuck(in, nil, true))
		b.begin()
		b.feed(stream.Valid, numbered("a", 1))
		b.feedRaw(1, 2)
		<-in
		start := time.Now()
		if err := b.run.Stop(t.Context(), string(kind)+".slow"); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("%s: stopping took %v", kind, took)
		}
		if st, _ := b.run.Status(string(kind) + ".slow"); st.State != runner.StoppedBy || st.Outcome != "" {
			t.Errorf("%s: %+v", kind, st)
		}
		if kind == sandbox.Decoder {
			b.start(config(kind, "slow", "TRUE"), runner.Oldest, stuck(in, nil, true))
			<-in // the same submission again
		}
		b.close()
		if len(b.ends) != 0 {
			t.Errorf("%s: it was told to have ended: %v", kind, b.ends)
		}
	}
}

// TestShutdownEndsNobody: what goes wrong in the last timer event does not end a plugin for the next run, and what it did
// before is kept.
func TestShutdownEndsNobody(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := newBench(t, dir)
	make := func() *script {
		s := &script{}
		s.process = func(v *message.View, _ func([]byte) error) sandbox.Result {
			s.state = fmt.Append(s.state, number(v))
			return sandbox.Result{}
		}
		s.timer = func(int64, bool, func([]byte) error) sandbox.Result {
			return sandbox.Result{Outcome: sandbox.RuntimeError, Text: "in the last timer event"}
		}
		return s
	}
	cfg := config(sandbox.Analysis, "a", "TRUE")
	cfg.PreserveData = true
	b.start(cfg, runner.Oldest, make)
	b.begin()
	b.feed(stream.Valid, numbered("x", 1), numbered("x", 2))
	b.awaitRead()
	b.close()
	if st, _ := b.run.Status("analysis.a"); st.State != runner.StoppedBy || len(b.ends) != 0 {
		t.Errorf("%+v, told %v", st, b.ends)
	}
	if state, err := b.store.State(t.Context(), "analysis.a"); err != nil || string(state) != "12" {
		t.Errorf("state %q, %v", state, err)
	}
}

// TestLoadingHoldsNobodyUp: while plugins load for long, others run, stop and commit, and only so many load at a time.
func TestLoadingHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	hold, loading := make(chan struct{}), make(chan string, 9)
	b := newBench(t, t.TempDir(), func(o *runner.Options) {
		load := o.Load
		o.Load = func(cfg *sandbox.Config, src []byte, env sandbox.Env) (sandbox.Plugin, error) {
			if string(src) == "slow" {
				loading <- cfg.Name
				<-hold
			}
			return load(cfg, src, env)
		}
	})
	var got []int64
	b.start(config(sandbox.Analysis, "quick", "TRUE"), runner.Oldest, note(b, &got))
	b.begin()
	var wg sync.WaitGroup
	for _, name := range []string{"a", "b"} {
		b.mu.Lock()
		b.scripts["analysis."+name] = note(b, new([]int64))
		b.mu.Unlock()
		wg.Go(func() {
			if err := b.run.Start(t.Context(), config(sandbox.Analysis, name, "TRUE"), []byte("slow"), runner.Newest); err != nil {
				t.Error(err)
			}
		})
	}
	<-loading
	<-loading
	b.feed(stream.Valid, numbered("x", 1))
	b.awaitRead()
	if _, ok := b.run.Status("analysis.quick"); !ok || len(b.run.List()) == 0 {
		t.Error("no status")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := b.run.Check(ctx, config(sandbox.Analysis, "quick", "TRUE"), nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a third was loaded: %v", err)
	}
	if err := b.run.Start(t.Context(), config(sandbox.Analysis, "a", "TRUE"), nil, runner.Newest); err == nil {
		t.Error("two of one name were loaded")
	}
	if err := b.run.Stop(t.Context(), "analysis.quick"); err != nil {
		t.Error(err)
	}
	close(hold)
	wg.Wait()
	if st, _ := b.run.Status("analysis.a"); st.State != runner.Running {
		t.Errorf("%+v", st)
	}
	b.close()
}

// TestAtWork: a plugin that is in one call for more than a second is told of, and told of again when it is over.
func TestAtWork(t *testing.T) {
	t.Parallel()
	told := make(chan []string, 9)
	b := newBench(t, t.TempDir(), func(o *runner.Options) { o.AtWork = func(names []string) { told <- names } })
	in, let := make(chan struct{}, 1), make(chan struct{})
	b.start(config(sandbox.Analysis, "slow", "TRUE"), runner.Oldest, stuck(in, let, false))
	b.begin()
	b.feed(stream.Valid, numbered("a", 1))
	if got := <-told; !slices.Equal(got, []string{"analysis.slow"}) {
		t.Errorf("told %v", got)
	}
	close(let)
	if got := <-told; len(got) != 0 {
		t.Errorf("then told %v", got)
	}
	b.close()
}

// TestTimersAfterTheClockWentBack: timer events go on when the clock is set back by days.
func TestTimersAfterTheClockWentBack(t *testing.T) {
	t.Parallel()
	var back atomic.Int64
	b := newBench(t, t.TempDir(), func(o *runner.Options) {
		o.Now = func() time.Time { return clock.Now().Add(-time.Duration(back.Load())) }
	})
	var fired atomic.Int64
	cfg := config(sandbox.Analysis, "a", "TRUE")
	cfg.TickerInterval = 1
	b.start(cfg, runner.Oldest, func() *script {
		return &script{timer: func(int64, bool, func([]byte) error) sandbox.Result { fired.Add(1); return sandbox.Result{} }}
	})
	b.begin()
	for _, by := range []time.Duration{0, 48 * time.Hour, -48 * time.Hour, 10 * time.Minute} {
		back.Store(int64(by))
		before := fired.Load()
		b.await(fmt.Sprintf("timer events with the clock changed by %v", by), func() bool { return fired.Load() >= before+2 })
	}
	b.close()
}

// TestFloodWaits: a plugin that makes more than its share waits, can be stopped meanwhile, and others go on.
func TestFloodWaits(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	flood := config(sandbox.Analysis, "flood", "TRUE")
	flood.Limits.Hourly = 40_000
	b.start(flood, runner.Oldest, func() *script {
		return &script{process: func(v *message.View, emit func([]byte) error) sandbox.Result {
			var m message.Builder
			m.SetUUID(make([]byte, 16))
			m.SetHeader(message.Type, "flood")
			m.AddBytes("b", "", make([]byte, 1000))
			emit(m.AppendTo(nil))
			return sandbox.Result{}
		}}
	})
	var got []int64
	b.start(config(sandbox.Analysis, "other", "TRUE"), runner.Oldest, note(b, &got))
	b.begin()
	for i := range int64(20) {
		msgs := make([][]byte, 0, 50)
		for j := range int64(50) {
			msgs = append(msgs, numbered("x", 50*i+j))
		}
		b.feed(stream.Valid, msgs...)
	}
	b.await("the flood to wait", func() bool { return len(b.run.Logs("analysis.flood")) > 0 })
	b.await("the other to read all", func() bool { st, _ := b.run.Status("analysis.other"); return st.Stats.Matched == 1000 })
	if logs := b.run.Logs("analysis.flood"); len(logs) != 1 {
		t.Errorf("told: %v", logs)
	}
	if err := b.run.Stop(t.Context(), "analysis.flood"); err != nil {
		t.Error(err)
	}
	b.close()
	made := 0
	for _, v := range b.read(stream.Derived) {
		made += len(v.Raw())
	}
	if made < 10_000 || made > 120_000 { // a quarter at once, and one piece of work beyond it
		t.Errorf("it made %d bytes", made)
	}
}
