package runner_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/host/view"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// TestHere: a plugin's environment names the places of the messages it is called for, and in a timer event those before; the messages lie there.
func TestHere(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	var mu sync.Mutex
	var wrong []string
	seen := 0
	var s *script
	var recent []string
	ticked := make(chan []string, 1)
	cfg := config(sandbox.Analysis, "here", "Fields[n] != 3")
	cfg.TickerInterval = 1
	b.start(cfg, runner.Oldest, func() *script {
		s = &script{}
		s.process = func(v *message.View, _ func([]byte) error) sandbox.Result {
			mu.Lock()
			defer mu.Unlock()
			here := s.env.Here()
			if len(here) != 1 || number(b.at(here[0])) != number(v) {
				wrong = append(wrong, strings.Join(here, " "))
			}
			recent = append(recent, here...)
			seen++
			return sandbox.Result{}
		}
		s.timer = func(int64, bool, func([]byte) error) sandbox.Result {
			mu.Lock()
			defer mu.Unlock()
			if seen >= 199 {
				select {
				case ticked <- s.env.Here():
				default:
				}
			}
			return sandbox.Result{}
		}
		return s
	})
	b.begin()
	for n := range int64(4) {
		var msgs [][]byte
		for i := range int64(50) {
			msgs = append(msgs, numbered("telemetry", 50*n+i))
		}
		b.feed(stream.Valid, msgs...)
	}
	var here []string
	select {
	case here = <-ticked:
	case <-time.After(20 * time.Second):
		t.Fatal("no timer event came")
	}
	mu.Lock()
	defer mu.Unlock()
	if len(wrong) > 0 {
		t.Errorf("places are wrong: %v", wrong)
	}
	if got, want := strings.Join(here, " "), strings.Join(recent[len(recent)-3:], " "); got != want {
		t.Errorf("in a timer event %s, want %s", got, want)
	}
	b.shut()
}

// at is the message at a place.
func (b *bench) at(place string) *message.View {
	name, rest, _ := strings.Cut(place, "/")
	var v message.View
	_, at, err := view.ParsePlace(1, rest)
	if err == nil {
		var msg []byte
		if msg, err = view.At(b.store.Log(name), at); err == nil {
			err = v.Parse(msg)
		}
	}
	if err != nil {
		b.t.Errorf("%s: %v", place, err)
	}
	return &v
}
