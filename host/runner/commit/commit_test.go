package commit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sandbar/host/runner/commit"
	"sandbar/host/stream"
)

// member counts: its part holds how far it has come. It answers when answers says so.
type member struct {
	name    string
	c       *commit.Committer
	at      atomic.Int64
	idle    atomic.Bool
	owes    atomic.Bool
	answers bool
	done    chan struct{}
}

func (m *member) position() map[string]stream.Position {
	return map[string]stream.Position{stream.Valid: {Offset: m.at.Load()}}
}

func (m *member) Rest(take func(commit.Part)) bool {
	if m.idle.Load() {
		take(commit.Part{Reader: m.name, Positions: m.position()})
	}
	return m.idle.Load()
}

func (m *member) Ask() bool {
	if m.owes.Swap(true) {
		return false
	}
	if m.answers {
		m.answer()
	}
	return true
}

func (m *member) answer() {
	m.c.Submit(commit.Part{Reader: m.name, Positions: m.position(), Appends: map[string][][]byte{stream.Derived: {[]byte(m.name)}}})
	m.owes.Store(false)
	m.c.Answered()
}

func (m *member) Owes() bool            { return m.owes.Load() }
func (m *member) Done() <-chan struct{} { return m.done }

// store keeps what was committed, and fails or hangs when told to.
type store struct {
	mu      sync.Mutex
	commits []*stream.Commit
	fail    error
	hang    bool
}

func (s *store) Commit(ctx context.Context, c *stream.Commit) error {
	s.mu.Lock()
	hang := s.hang
	s.mu.Unlock()
	if hang { // without the lock, which would hold up the bubble's clock
		<-ctx.Done()
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.commits = append(s.commits, c)
	return nil
}

func (s *store) set(fail error, hang bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail, s.hang = fail, hang
}

func (s *store) last(t *testing.T) *stream.Commit {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.commits) == 0 {
		t.Fatal("nothing is committed")
	}
	return s.commits[len(s.commits)-1]
}

// rig is a committer at work, in a bubble of synctest.
type rig struct {
	*commit.Committer
	store *store
	end   func() error

	mu       sync.Mutex
	troubles map[string]error
}

func (r *rig) report(part string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.troubles[part] = err
}

func (r *rig) trouble(part string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.troubles[part]
}

func begin(t *testing.T, members ...*member) *rig {
	t.Helper()
	r := &rig{store: &store{}, troubles: map[string]error{}}
	r.Committer = commit.New(commit.Options{Store: r.store, Interval: 200 * time.Millisecond, Timeout: 3 * time.Second, Now: time.Now, Report: r.report,
		Members: func() (ms []commit.Member) {
			for _, m := range members {
				select {
				case <-m.done:
				default:
					ms = append(ms, m)
				}
			}
			return ms
		}})
	for _, m := range members {
		m.c, m.done = r.Committer, make(chan struct{})
	}
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- r.Run(stop) }()
	r.end = sync.OnceValue(func() error { close(stop); return <-ended })
	t.Cleanup(func() { r.end() })
	return r
}

func TestRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		resting, working, silent := &member{name: "r"}, &member{name: "w", answers: true}, &member{name: "s"}
		resting.idle.Store(true)
		r := begin(t, resting, working, silent)
		resting.at.Store(1)
		working.at.Store(2)
		silent.at.Store(3)
		began := time.Now()
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 300*time.Millisecond {
			t.Errorf("a silent member held the round up for %v", took)
		}
		c := r.store.last(t)
		if got := fmt.Sprint(c.Positions, c.Forget); got != "map[r:map[valid:0:1] w:map[valid:0:2]] [r w]" {
			t.Errorf("committed %s", got)
		}
		if got := fmt.Sprintf("%s", c.Appends[stream.Derived]); got != "[w]" {
			t.Errorf("committed %s", got)
		}
		began = time.Now()
		if err := r.Flush(t.Context()); err != nil || time.Since(began) > 0 {
			t.Errorf("one who has not answered is waited for again: %v, %v", time.Since(began), err)
		}
		silent.answer()
		err := r.Flush(t.Context())
		r.store.mu.Lock()
		defer r.store.mu.Unlock()
		late := slices.ContainsFunc(r.store.commits, func(c *stream.Commit) bool { return c.Positions["s"][stream.Valid].Offset == 3 })
		if err != nil || !late {
			t.Errorf("a late answer is not committed: %v", err)
		}
	})
}

// TestMemberEnds: who ends without an answer is not waited for.
func TestMemberEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &member{name: "m"}
		r := begin(t, m)
		go func() {
			for !m.owes.Load() {
				time.Sleep(time.Millisecond) // of the bubble's clock
			}
			close(m.done)
		}()
		began := time.Now()
		if err := r.Flush(t.Context()); err != nil || time.Since(began) > 10*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// TestCommitFails: parts stay until a commit gets through, in their order, and nobody is asked for more meanwhile.
func TestCommitFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &member{name: "m", answers: true}
		r := begin(t, m)
		full := errors.New("no room")
		for _, hang := range []bool{false, true} {
			r.store.set(full, hang)
			want := full
			if hang {
				want = context.DeadlineExceeded
			}
			var told atomic.Int64
			r.Submit(commit.Part{Reader: "other", States: map[string][]byte{"s": []byte("1")}, Committed: func() { told.Add(1) }})
			r.Submit(commit.Part{Reader: "other", States: map[string][]byte{"s": []byte("2")}, Committed: func() { told.Add(1) }})
			m.at.Add(1)
			if err := r.Flush(t.Context()); !errors.Is(err, want) || !errors.Is(r.Err(), want) || !errors.Is(r.trouble("commits"), want) {
				t.Fatalf("got %v, Err is %v, the trouble %v", err, r.Err(), r.trouble("commits"))
			}
			at := m.at.Add(1)
			time.Sleep(20 * time.Second) // of the bubble's clock: many rounds
			if m.owes.Load() || told.Load() > 0 {
				t.Error("a commit that failed counts")
			}
			r.store.set(nil, false)
			if err := errors.Join(r.Flush(t.Context()), r.Err(), r.trouble("commits")); err != nil {
				t.Fatal(err)
			}
			if p := r.store.last(t).Positions["m"][stream.Valid].Offset; p != at || told.Load() != 2 {
				t.Errorf("committed up to %d, want %d; %d parts were told", p, at, told.Load())
			}
			var state []byte
			for _, c := range r.store.commits {
				if s := c.States["s"]; s != nil {
					state = s
				}
			}
			if string(state) != "2" {
				t.Errorf("the state is %q", state)
			}
		}
	})
}

// TestFlushHonoursContext: also while a commit hangs.
func TestFlushHonoursContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &member{name: "m", answers: true}
		r := begin(t, m)
		r.store.set(nil, true)
		time.Sleep(time.Second) // a commit hangs
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		began := time.Now()
		if err := r.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 110*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		r.store.set(nil, false)
		if err := r.end(); err != nil {
			t.Error(err)
		}
		if err := r.Flush(t.Context()); !errors.Is(err, commit.ErrOver) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// TestPublish: what was committed is published beside the commits, again until it succeeds, and once more at the end.
func TestPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := begin(t)
		var log []string
		var mu sync.Mutex
		down := true
		publish := func(name string) func(context.Context) error {
			return func(ctx context.Context) error {
				mu.Lock()
				defer mu.Unlock()
				if down {
					return errors.New("the bucket is down")
				}
				log = append(log, name)
				return nil
			}
		}
		r.Submit(commit.Part{Reader: "a", Publish: publish("a")})
		r.Submit(commit.Part{Reader: "b", Publish: publish("b")})
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.Flush(t.Context()); err != nil { // a bucket that is down delays no commit
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if r.trouble("publish files of a") == nil || r.trouble("publish files of b") == nil {
			t.Error("nothing tells that the bucket is down")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.Published(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		mu.Lock()
		down = false
		mu.Unlock()
		if err := errors.Join(r.Published(t.Context(), "a"), r.Published(t.Context(), "b"), r.Published(t.Context(), "c")); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if !slices.Equal(log, []string{"a", "b"}) || r.trouble("publish files of a") != nil || r.trouble("publish files of b") != nil {
			t.Errorf("published %v, %v", log, r.troubles)
		}
		r.Submit(commit.Part{Reader: "c", Publish: publish("c")}) // the last commit's files
		if err := r.end(); err != nil || !slices.Equal(log, []string{"a", "b", "c"}) {
			t.Errorf("published %v, %v", log, err)
		}
	})
}
