package runner_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

func TestTimerEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, t.TempDir())
		begun := time.Now()
		events := map[string][]time.Duration{}
		final := map[string]int{}
		timer := func(name string) func() *script {
			return func() *script {
				return &script{timer: func(ns int64, shutdown bool, _ func([]byte) error) sandbox.Result {
					b.mu.Lock()
					defer b.mu.Unlock()
					if shutdown {
						final[name]++
					} else {
						events[name] = append(events[name], time.Unix(0, ns).Sub(begun))
					}
					if ns%int64(time.Second) != 0 {
						t.Errorf("timer event at %d, which is no whole second", ns)
					}
					if name == "dies" && len(events[name]) == 2 {
						return sandbox.Result{Outcome: sandbox.FuelExhausted, Text: "in the timer"}
					}
					return sandbox.Result{Fuel: 5}
				}}
			}
		}
		for name, every := range map[string]int{"never": 0, "ten": 10, "minutes": 300, "dies": 7} {
			cfg := config(sandbox.Analysis, name, "TRUE")
			cfg.TickerInterval = every
			b.start(cfg, runner.Oldest, timer(name))
		}
		b.begin()
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		b.close()
		b.store.Close()
		for name, every := range map[string]time.Duration{"ten": 10 * time.Second, "minutes": 5 * time.Minute} {
			got := events[name]
			if want := int(20 * time.Minute / every); len(got) < want-1 || len(got) > want+1 {
				t.Errorf("%s had %d timer events in 20 minutes", name, len(got))
			}
			if got[0] <= 0 || got[0] > time.Minute+time.Second {
				t.Errorf("the first timer event of %s came after %v", name, got[0])
			}
			for i := 1; i < len(got); i++ {
				if got[i]-got[i-1] != every {
					t.Errorf("%s: %v after %v", name, got[i], got[i-1])
				}
			}
		}
		if len(events["never"]) != 0 || len(events["dies"]) != 2 {
			t.Errorf("events without a ticker: %v; of the one that died: %v", events["never"], events["dies"])
		}
		if fmt.Sprint(final) != "map[minutes:1 never:1 ten:1]" {
			t.Errorf("final timer events: %v", final)
		}
		st, _ := b.run.Status("analysis.ten")
		if n := int64(len(events["ten"]) + 1); st.Stats.Timers != n || st.Stats.Fuel != 5*n || st.Stats.Matched != 0 {
			t.Errorf("counters: %+v", st.Stats)
		}
		if st, _ = b.run.Status("analysis.dies"); st.State != runner.Terminated || st.Reason != "in the timer" {
			t.Errorf("the one that died: %+v", st)
		}
	})
}

// What a last timer event makes is committed, and so is the state that it leaves.
func TestLastTimerEventCounts(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	b.start(config(sandbox.Analysis, "last", "TRUE"), runner.Oldest, func() *script {
		s := &script{}
		s.timer = func(_ int64, shutdown bool, emit func([]byte) error) sandbox.Result {
			s.state = []byte("bye")
			emit(numbered("last", 1))
			return sandbox.Result{}
		}
		return s
	})
	b.begin()
	b.close()
	same(t, "derived", b.numbers(stream.Derived), once(1, 2))
	if s, _ := b.store.State(t.Context(), "analysis.last"); string(s) != "bye" {
		t.Errorf("state %q", s)
	}
}

func TestReplaceKeepsWhatTheNewVersionPreserves(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	cfg := config(sandbox.Output, "o", "TRUE")
	b.start(cfg, runner.Oldest, counter)
	b.begin()
	b.feed(stream.Valid, numbered("x", 1))
	state := func() string { s, _ := b.store.State(t.Context(), "output.o"); return string(s) }
	b.await("its state", func() bool { return state() == "1" })
	replace := func(next *sandbox.Config) {
		t.Helper()
		if err := b.run.Replace(t.Context(), "output.o"); err != nil {
			t.Fatal(err)
		}
		b.start(next, runner.Newest, counter)
	}
	only := config(sandbox.Output, "o", "TRUE")
	only.ReadQueue = sandbox.ReadAnalysis
	replace(only)
	b.feed(stream.Derived, numbered("x", 2))
	b.await("the count to go on", func() bool { return state() == "2" })
	if got := b.store.Readers()["output.o"]; len(got) != 1 {
		t.Errorf("it holds back %v although it reads derived only", got)
	}
	forgetful := config(sandbox.Output, "o", "TRUE")
	forgetful.PreserveData = false
	replace(forgetful)
	b.await("its state to go", func() bool { return state() == "" })
	replace(cfg)
	b.feed(stream.Valid, numbered("x", 3))
	b.await("a count from the start", func() bool { return state() == "1" })
	b.close()
}

// Plugins come and go while messages arrive: each message is seen once by every line of successors.
func TestReplaceUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	cfg := config(sandbox.Analysis, "totals", "Type == 'x'")
	b.start(cfg, runner.Oldest, totals)
	b.begin()
	rng := rand.New(rand.NewPCG(3, 3))
	done := make(chan int64)
	go func() {
		var n int64
		for range 400 {
			msgs := [][]byte{numbered("x", n)}
			if n%3 == 0 { // most batches hold nothing for it
				msgs = append(msgs, numbered("other", 0))
			} else {
				msgs = [][]byte{numbered("other", 0)}
			}
			n++
			b.feed([]string{stream.Valid, stream.Errors}[n%2], msgs...)
		}
		done <- (n + 2) / 3
	}()
	var want int64
	for replaced := 0; want == 0 || replaced < 20; replaced++ {
		select {
		case want = <-done:
		case <-time.After(time.Duration(rng.IntN(8)) * time.Millisecond):
		}
		if err := b.run.Replace(t.Context(), "analysis.totals"); err != nil {
			t.Fatal(err)
		}
		b.start(cfg, runner.Newest, totals)
	}
	b.awaitRead()
	b.close()
	same(t, "totals", b.numbers(stream.Derived), once(1, want+1))
}

// Plugins join while messages arrive: at Oldest they see all, at Newest a run without a gap up to the last.
func TestJoiningUnderLoad(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	b.begin()
	const n = 3000
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := int64(0); i < n; i += 10 {
			var msgs [][]byte
			for j := i; j < i+10; j++ {
				msgs = append(msgs, numbered("x", j))
			}
			b.feed(stream.Valid, msgs...)
		}
	}()
	const plugins = 24
	seen := make([][]int64, plugins)
	for i := range plugins {
		b.start(config(sandbox.Analysis, fmt.Sprint("p", i), "TRUE"), []runner.From{runner.Oldest, runner.Newest}[i%2], note(b, &seen[i]))
		b.awaitMessages(stream.Valid, int64(i*n/plugins))
	}
	<-done
	b.awaitRead()
	b.close()
	for i, got := range seen {
		first := int64(0)
		if i%2 == 1 && len(got) > 0 {
			first = got[0]
		}
		for at, k := range got {
			if k != first+int64(at) {
				t.Fatalf("plugin %d saw %d as its %d. message, want %d", i, k, at, first+int64(at))
			}
		}
		if last := first + int64(len(got)); last != n && i != plugins-1 {
			t.Errorf("plugin %d saw %d to %d", i, first, last)
		}
		if i == 3 && first == 0 {
			t.Error("a plugin that began with the newest saw the oldest")
		}
	}
}

// A laggard at the start keeps nobody waiting: it reads by itself.
func TestLaggardAtBegin(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	var msgs [][]byte
	for n := range int64(3000) {
		msgs = append(msgs, numbered("x", n))
	}
	b.feed(stream.Valid, msgs...)
	if err := b.store.Commit(t.Context(), &stream.Commit{Positions: map[string]map[string]stream.Position{
		"analysis.ahead": {stream.Valid: b.store.Log(stream.Valid).End()}}}); err != nil {
		t.Fatal(err)
	}
	gate := make(chan struct{})
	b.start(config(sandbox.Analysis, "ahead", "TRUE"), runner.Oldest, pass("ahead"))
	b.start(config(sandbox.Analysis, "behind", "TRUE"), runner.Oldest, func() *script {
		return &script{process: func(*message.View, func([]byte) error) sandbox.Result { <-gate; return sandbox.Result{} }}
	})
	b.begin()
	b.feed(stream.Valid, numbered("x", 3000))
	b.awaitMessages(stream.Derived, 1)
	close(gate)
	b.awaitRead()
	if st, _ := b.run.Status("analysis.behind"); st.Stats.Matched != 3001 || st.Stats.Seen != 3001 {
		t.Errorf("the one behind: %+v", st.Stats)
	}
	if st, _ := b.run.Status("analysis.ahead"); st.Stats.Seen != 1 {
		t.Errorf("the one ahead: %+v", st.Stats)
	}
	b.close()
}

func TestCheckChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	cfg := config(sandbox.Analysis, "c", "TRUE")
	b.start(cfg, runner.Oldest, counter)
	b.begin()
	b.feed(stream.Valid, numbered("x", 1))
	b.await("its state", func() bool { s, _ := b.store.State(t.Context(), "analysis.c"); return atoi(s) == 1 })
	restored, closed := "", false
	b.mu.Lock()
	b.scripts["analysis.c"] = func() *script {
		return &script{restored: &restored, closed: func() { closed = true }}
	}
	b.mu.Unlock()
	if _, err := b.run.Check(t.Context(), cfg, nil); err != nil || restored != "1" || !closed {
		t.Errorf("check: %v, restored %q, closed %v", err, restored, closed)
	}
	var fault *sandbox.Error
	if _, err := b.run.Check(t.Context(), config(sandbox.Analysis, "missing", "TRUE"), nil); !errors.As(err, &fault) || fault.Line != 3 {
		t.Errorf("check of a plugin that cannot be loaded: %v", err)
	}
	if st, _ := b.run.Status("analysis.c"); st.State != runner.Running {
		t.Errorf("state %s", st.State)
	}
	b.close()
}

func TestOutsideBeginAndClose(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	b.start(config(sandbox.Analysis, "a", "TRUE"), runner.Oldest, counter)
	if err := b.run.Stop(t.Context(), "analysis.a"); err == nil {
		t.Error("Stop before Begin says nothing")
	}
	b.begin()
	if b.run.Begin() == nil {
		t.Error("Begin can be called twice")
	}
	b.close()
	b.close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := b.run.Remove(ctx, "analysis.a"); err == nil || ctx.Err() != nil {
		t.Errorf("Remove after Close: %v", err)
	}
	if err := b.run.Start(t.Context(), config(sandbox.Analysis, "b", "TRUE"), nil, runner.Oldest); err == nil {
		t.Error("Start after Close says nothing")
	}
	unused := newBench(t, t.TempDir())
	closed := false
	unused.start(config(sandbox.Analysis, "a", "TRUE"), runner.Oldest, func() *script { return &script{closed: func() { closed = true }} })
	unused.close()
	if !closed {
		t.Error("a plugin that never ran was not closed")
	}
}

func TestPositionOfOtherData(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	b.feed(stream.Valid, numbered("x", 1))
	far := b.store.Log(stream.Valid).End()
	if err := b.store.Commit(t.Context(), &stream.Commit{Positions: map[string]map[string]stream.Position{"analysis.a": {stream.Errors: {}, stream.Valid: far}}}); err != nil {
		t.Fatal(err)
	}
	var got []int64
	b.start(config(sandbox.Analysis, "a", "TRUE"), runner.Oldest, note(b, &got))
	b.begin()
	b.feed(stream.Valid, numbered("x", 2))
	b.awaitRead()
	b.close()
	if !slices.Equal(got, []int64{2}) {
		t.Errorf("from a committed position it saw %v", got)
	}
}

// Who hears of an ending may still be at it when Close is called; Close waits for that too.
func TestCloseWaitsForOnEnd(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{})
	b := newBench(t, t.TempDir(), func(o *runner.Options) {
		o.OnEnd = func(*sandbox.Error) {
			select {
			case <-closed:
				t.Error("Close returned while somebody was being told of an ending")
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
	ended := make(chan struct{})
	b.start(config(sandbox.Analysis, "a", "TRUE"), runner.Oldest, func() *script {
		return &script{
			process: func(*message.View, func([]byte) error) sandbox.Result {
				return sandbox.Result{Outcome: sandbox.RuntimeError, Text: "in a message"}
			},
			closed: func() { close(ended) },
		}
	})
	b.begin()
	b.feed(stream.Valid, numbered("x", 1))
	<-ended
	b.close()
	close(closed)
	if st, _ := b.run.Status("analysis.a"); st.State != runner.Terminated || st.Reason != "in a message" {
		t.Errorf("status %+v", st)
	}
}
