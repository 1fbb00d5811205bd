package runner_test

import (
	"encoding/binary"
	"sync/atomic"
	"testing"
	"time"

	"sandbar/host/clock"
	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// TestLargeState: a large state is not written with every commit, but with what its plugin makes, after a while, and when it stops; it is never behind its position.
func TestLargeState(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64 // of the clock
	b := newBench(t, t.TempDir(), func(o *runner.Options) {
		o.Now = func() time.Time { return clock.Now().Add(time.Duration(ahead.Load())) }
	})
	seen := &atomic.Int64{}
	b.start(config(sandbox.Analysis, "large", "TRUE"), runner.Oldest, func() *script {
		s := &script{state: make([]byte, 64<<20)} // a minute's worth
		s.process = func(v *message.View, emit func([]byte) error) sandbox.Result {
			n := number(v)
			binary.LittleEndian.PutUint64(s.state, binary.LittleEndian.Uint64(s.state)+1)
			if n%10 == 9 {
				if err := emit(numbered("made", n)); err != nil {
					return sandbox.Result{Outcome: sandbox.OutputExceeded, Text: err.Error()}
				}
			}
			seen.Add(1)
			return sandbox.Result{}
		}
		return s
	})
	b.begin()
	count := func() uint64 {
		state, err := b.store.State(t.Context(), "analysis.large")
		if err != nil {
			t.Fatal(err)
		}
		if state == nil {
			return 0
		}
		return binary.LittleEndian.Uint64(state)
	}
	position := func() stream.Position { return b.store.Readers()["analysis.large"][stream.Valid] }
	feed := func(n int64) {
		t.Helper()
		want := seen.Load() + 1
		b.feed(stream.Valid, numbered("telemetry", n))
		b.await("the message", func() bool { return seen.Load() == want })
	}
	feed(1)
	b.await("the first state", func() bool { return count() == 1 })
	first := position()
	feed(2)
	feed(3)
	commits := b.run.Commits().Commits
	b.start(config(sandbox.Analysis, "other", "TRUE"), runner.Oldest, counter) // has something to commit each time
	b.await("commits that go on", func() bool { return b.run.Commits().Commits > commits })
	if count() != 1 || position() != first {
		t.Errorf("a state of 64 MiB was written again at once: count %d, position %v after %v", count(), position(), first)
	}
	feed(9)
	b.await("the state with what was made", func() bool { return count() == 4 && position() != first })
	feed(10)
	ahead.Add(int64(2 * time.Minute))
	b.await("the state after a while", func() bool { return count() == 5 })
	feed(11)
	if err := b.run.Stop(t.Context(), "analysis.large"); err != nil {
		t.Fatal(err)
	}
	if count() != 6 {
		t.Errorf("stopped with a count of %d", count())
	}
	b.shut()
}
