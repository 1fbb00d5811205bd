package runner_test

import (
	"slices"
	"sync"
	"testing"

	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// TestOutputReturnCodes: what an output plugin has not acknowledged comes again after a restart, and what it wants again comes at
// once.
func TestOutputReturnCodes(t *testing.T) {
	t.Parallel()
	type answer struct {
		status int
		acked  int64
	}
	for name, c := range map[string]struct {
		answers []answer // to the messages in their order; those after the last are 0
		first   []int64  // what it sees in the first run
		second  []int64  // and after a restart
	}{
		"done":             {nil, []int64{0, 1, 2, 3}, nil},
		"failed":           {[]answer{{-1, 0}, {-2, 0}, {-1, 0}, {-1, 0}}, []int64{0, 1, 2, 3}, nil},
		"again":            {[]answer{{0, 0}, {-3, 0}, {0, 0}}, []int64{0, 1, 1, 2, 3}, nil},
		"a batch":          {[]answer{{-4, 0}, {-4, 0}, {0, 0}, {-4, 0}}, []int64{0, 1, 2, 3}, []int64{3}},
		"an open batch":    {[]answer{{0, 0}, {-4, 0}, {-4, 0}, {-4, 0}}, []int64{0, 1, 2, 3}, []int64{1, 2, 3}},
		"acked":            {[]answer{{-4, 0}, {-4, 0}, {-4, 3}, {-4, 0}}, []int64{0, 1, 2, 3}, []int64{3}},
		"asynchronous":     {[]answer{{-5, 0}, {-5, 0}, {-5, 1}, {-5, 2}}, []int64{0, 1, 2, 3}, []int64{2, 3}},
		"again in a batch": {[]answer{{-4, 0}, {-3, 0}, {-4, 0}, {-4, 0}, {-4, 0}}, []int64{0, 1, 1, 2, 3}, []int64{0, 1, 2, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			run := func(feed bool, answers []answer, want int) []int64 {
				b := newBench(t, dir)
				var mu sync.Mutex
				var got []int64
				b.start(config(sandbox.Output, "o", "Type == 'x'"), runner.Oldest, func() *script {
					return &script{process: func(v *message.View, _ func([]byte) error) sandbox.Result {
						mu.Lock()
						defer mu.Unlock()
						a := answer{}
						if len(got) < len(answers) {
							a = answers[len(got)]
						}
						got = append(got, number(v))
						return sandbox.Result{Status: a.status, Acked: a.acked}
					}}
				})
				b.begin()
				if feed {
					for n := range int64(4) {
						b.feed(stream.Valid, numbered("x", n))
					}
				}
				b.await("the messages", func() bool { mu.Lock(); defer mu.Unlock(); return len(got) >= want })
				b.awaitRead()
				b.shut()
				return got
			}
			if got := run(true, c.answers, len(c.first)); !slices.Equal(got, c.first) {
				t.Errorf("it saw %v, want %v", got, c.first)
			}
			if got := run(false, nil, len(c.second)); !slices.Equal(got, c.second) {
				t.Errorf("after a restart it saw %v, want %v", got, c.second)
			}
		})
	}
}

// TestEndIsTold: an alert of the host says that a plugin has ended, and the error has the message that did it.
func TestEndIsTold(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	b.start(config(sandbox.Analysis, "a", "TRUE"), runner.Oldest, func() *script {
		return &script{process: func(v *message.View, _ func([]byte) error) sandbox.Result {
			if number(v) == 2 {
				return sandbox.Result{Outcome: sandbox.RuntimeError, Text: "cannot bear 2", Line: 7}
			}
			return sandbox.Result{}
		}}
	})
	b.begin()
	b.feed(stream.Valid, numbered("x", 1), numbered("x", 2), numbered("x", 3))
	b.awaitMessages(stream.Derived, 1)
	b.close()
	alerts := b.read(stream.Derived)
	if len(alerts) != 1 {
		t.Fatalf("%d messages", len(alerts))
	}
	typ, _ := alerts[0].Header(message.Type)
	text, _ := alerts[0].Header(message.Payload)
	if string(typ) != "alert" || string(text) != "plugin analysis.a line 7: runtime_error: cannot bear 2" {
		t.Errorf("%s: %s", typ, text)
	}
	var v message.View
	if len(b.ends) != 1 || v.Parse(b.ends[0].Message) != nil || number(&v) != 2 {
		t.Errorf("told of %+v", b.ends)
	}
}
