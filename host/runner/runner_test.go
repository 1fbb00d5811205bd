package runner_test

import (
	"bytes"
	"errors"
	"maps"
	"testing"

	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

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
	b.awaitRead()
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
			mb.SetUUID(make([]byte, 16))
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
			state, err := b.store.State(t.Context(), "analysis.count")
			return err == nil && atoi(state) == round*each
		})
		b.shut()
	}
}

func TestStopStartReplaceRemove(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	b.start(config(sandbox.Decoder, "d", "TRUE"), runner.Oldest, pass("telemetry"))
	count := config(sandbox.Analysis, "count", "TRUE")
	b.start(count, runner.Oldest, counter)
	b.begin()
	state := func() int { s, _ := b.store.State(t.Context(), "analysis.count"); return atoi(s) }
	b.feedRaw(0, 10)
	b.await("ten", func() bool { return state() == 10 })

	if err := b.run.Start(t.Context(), count, nil, runner.Newest); err == nil {
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
	if s, _ := b.store.State(t.Context(), "analysis.count"); s != nil {
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
	b.start(config(sandbox.Analysis, "bad", "Type == 'telemetry'"), runner.Oldest, failOn(3, sandbox.Result{Outcome: sandbox.FuelExhausted, Line: 4, Text: "instruction_limit exceeded"}))
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
	b.awaitMessages(stream.Derived, 3)
	same(t, "derived", b.numbers(stream.Derived), once(0, 3)) // what it made before it ended is kept
	b.mu.Lock()
	if len(b.ends) != 1 || b.ends[0].Plugin != "analysis.bad" {
		t.Errorf("OnEnd heard of %v", b.ends)
	}
	b.mu.Unlock()
	if err := b.run.Start(t.Context(), config(sandbox.Analysis, "missing", "TRUE"), nil, runner.Oldest); err == nil {
		t.Error("a plugin that cannot be loaded started")
	}
	var fault *sandbox.Error
	if err := b.run.Start(t.Context(), config(sandbox.Analysis, "syntax", "Type =="), nil, runner.Oldest); !errors.As(err, &fault) || fault.Outcome != sandbox.LoadError {
		t.Errorf("a matcher that does not parse gave %v", err)
	}
	b.close()
}
