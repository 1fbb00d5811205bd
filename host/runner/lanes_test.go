package runner_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// perDocument counts in its state the messages of each document: n counted from 1 is the field n of what it makes, v that of what came.
func perDocument(started *atomic.Int64, fails func(n int64) (sandbox.Result, bool)) func() *script {
	return func() *script {
		started.Add(1)
		s := &script{}
		s.process = func(v *message.View, emit func([]byte) error) sandbox.Result {
			if res, bad := fails(number(v)); bad {
				return res
			}
			counts := map[string]int{}
			for part := range strings.FieldsSeq(string(s.state)) {
				id, n, _ := strings.Cut(part, "=")
				counts[id] = atoi([]byte(n))
			}
			counts[field(v, "uri")]++
			s.state = nil
			for id, n := range counts {
				s.state = fmt.Appendf(s.state, "%s=%d ", id, n)
			}
			var mb message.Builder
			mb.SetHeader(message.Type, "telemetry")
			mb.AddString("uri", "", field(v, "uri"))
			mb.AddInt("n", "", number(v))
			mb.AddInt("count", "", int64(counts[field(v, "uri")]))
			emit(mb.AppendTo(nil))
			return sandbox.Result{Fuel: 7}
		}
		return s
	}
}

func never(int64) (sandbox.Result, bool) { return sandbox.Result{}, false }

func workers(n int) *sandbox.Config {
	cfg := config(sandbox.Decoder, "d", "TRUE")
	cfg.Workers = n
	return cfg
}

// checkOrder looks at what perDocument made of the numbers up to n: all in the order in which they came, each document's counted without a gap.
func checkOrder(t *testing.T, b *bench, n int64, skipped func(n int64) bool) {
	t.Helper()
	counts := map[string]int64{}
	next := int64(0)
	for _, v := range b.read(stream.Valid) {
		for skipped(next) {
			next++
		}
		if number(&v) != next {
			t.Fatalf("%d where %d should be", number(&v), next)
		}
		next++
		f, _ := v.Field("count", 0)
		count, _ := f.Int(0)
		if counts[field(&v, "uri")]++; counts[field(&v, "uri")] != count {
			t.Fatalf("message %d is counted as %d of its document, want %d", number(&v), count, counts[field(&v, "uri")])
		}
	}
	for skipped(next) && next < n {
		next++
	}
	if next != n {
		t.Errorf("%d messages, want %d", next, n)
	}
}

// TestWorkers: a decoder's workers share its messages; what they make stays in order, and what one cannot decode goes to the errors.
func TestWorkers(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	var started atomic.Int64
	odd := func(n int64) bool { return n%10 == 3 }
	fails := func(n int64) (sandbox.Result, bool) {
		switch {
		case !odd(n):
			return sandbox.Result{}, false
		case n%20 == 3:
			return sandbox.Result{Outcome: sandbox.RuntimeError, Text: "as told"}, true
		}
		return sandbox.Result{Status: -1, Text: "not wanted"}, true
	}
	b.start(workers(4), runner.Oldest, perDocument(&started, fails))
	b.feedRaw(0, 500)
	b.begin()
	b.feedRaw(500, 1000)
	b.awaitMessages(stream.Errors, 100)
	b.awaitMessages(stream.Valid, 900)
	b.awaitRead()
	st := b.run.List()[0]
	if started.Load() != 4 || st.Stats.Matched != 1000 || st.Stats.Failed != 50 || st.Stats.Injected != 1000 || st.Stats.Fuel != 900*7 {
		t.Errorf("%d workers, %+v", started.Load(), st.Stats)
	}
	checkOrder(t, b, 1000, odd)
	kinds := map[string]int{}
	for _, v := range b.read(stream.Errors) {
		kinds[field(&v, message.FieldErrorType)+": "+field(&v, message.FieldError)]++
	}
	if kinds["failed: not wanted"] != 50 || len(kinds) != 2 {
		t.Errorf("%v", kinds)
	}
	b.shut()
}

// TestWorkersState: a document's state goes to the worker that the document falls to, also when there are twice as many.
func TestWorkersState(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var started atomic.Int64
	fed := int64(0)
	for _, n := range []int{1, 2, 2, 6, 12} {
		b := newBench(t, dir)
		b.start(workers(n), runner.Oldest, perDocument(&started, never))
		b.begin()
		b.feedRaw(fed, fed+70)
		fed += 70
		b.awaitMessages(stream.Valid, 70)
		b.awaitRead()
		checkOrder(t, b, fed, func(int64) bool { return false })
		b.shut()
	}
	b := newBench(t, dir)
	b.start(workers(1), runner.Oldest, perDocument(&started, never)) // it knows what the first of the twelve knew
	b.begin()
	b.feedRaw(fed, fed+7)
	b.awaitRead()
	b.shut()
	b = newBench(t, dir)
	if err := b.store.Commit(t.Context(), &stream.Commit{States: map[string][]byte{"decoder.d": []byte("sandbar workers 1\n\x05\x01a")}}); err != nil {
		t.Fatal(err)
	}
	b.scripts["decoder.d"] = perDocument(&started, never)
	if err := b.run.Start(t.Context(), workers(2), nil, runner.Oldest); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged state: %v", err)
	}
	b.shut()
}

// TestWorkerMemory: a worker that exceeds its memory begins anew, and the others go on.
func TestWorkerMemory(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	var started atomic.Int64
	bad := func(n int64) bool { return n == 70 }
	b.start(workers(3), runner.Oldest, perDocument(&started, func(n int64) (sandbox.Result, bool) {
		return sandbox.Result{Outcome: sandbox.MemoryExceeded, Text: "too much"}, bad(n)
	}))
	b.feedRaw(0, 140)
	b.begin()
	b.awaitMessages(stream.Valid, 139)
	b.awaitRead()
	if started.Load() != 4 {
		t.Errorf("%d were loaded", started.Load())
	}
	fresh, kept := 0, 0
	for _, v := range b.read(stream.Valid) {
		f, _ := v.Field("count", 0)
		if count, _ := f.Int(0); number(&v) >= 77 && number(&v) < 84 { // each document's second after the fault
			if count < 12 {
				fresh++
			} else {
				kept++
			}
		}
	}
	if fresh == 0 || kept == 0 || fresh+kept != 7 {
		t.Errorf("%d documents are counted anew, %d are not", fresh, kept)
	}
	b.shut()
}

// TestWorkerEnds: a worker that wants to end ends the plugin at its message: all before count, and nothing of what the others did behind it.
func TestWorkerEnds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := newBench(t, dir)
	var started atomic.Int64
	b.start(workers(3), runner.Oldest, perDocument(&started, func(n int64) (sandbox.Result, bool) {
		return sandbox.Result{Outcome: sandbox.TerminatedByPlugin, Text: "enough"}, n == 50
	}))
	b.feedRaw(0, 100)
	b.begin()
	b.await("its end", func() bool { return b.run.List()[0].State != runner.Running })
	b.awaitMessages(stream.Valid, 50)
	b.shut()
	b = newBench(t, dir)
	same(t, "decoded", b.numbers(stream.Valid), once(0, 50))
	b.start(workers(3), runner.Oldest, perDocument(&started, never))
	b.begin()
	b.awaitMessages(stream.Valid, 50)
	b.awaitRead()
	same(t, "decoded", b.numbers(stream.Valid), once(0, 100))
	b.shut()
}
