package view_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sandbar/host/stream"
	"sandbar/host/view"
	"sandbar/host/view/viewtest"
)

// collector is a view of all payloads.
type collector struct {
	hold    chan struct{} // when not nil, take waits for it to be closed
	mu      sync.Mutex
	got     []string
	saved   []int // messages that were there at each save
	savedAt stream.Position
	version view.Version
	saveErr error
}

func (c *collector) take(_ int, b *stream.Batch) {
	c.mu.Lock()
	hold := c.hold
	c.mu.Unlock()
	if hold != nil {
		<-hold
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range b.Messages {
		c.got = append(c.got, payload(m))
	}
}

func (c *collector) save(at []stream.Position) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.saveErr != nil {
		return c.saveErr
	}
	c.saved, c.savedAt = append(c.saved, len(c.got)), at[0]
	return nil
}

func (c *collector) follower(log stream.Log) *view.Follower {
	return &view.Follower{Name: "test", Logs: []stream.Log{log}, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		Take: c.take, Save: c.save, Version: &c.version, Every: 5 * time.Second}
}

func (c *collector) gotNow() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.got)
}

func (c *collector) savedNow() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.saved)
}

func (c *collector) savedAtNow() stream.Position {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.savedAt
}

func numbers(from, to int) (msgs [][]byte, payloads []string) {
	for i := from; i < to; i++ {
		msgs = append(msgs, text(strconv.Itoa(i)))
		payloads = append(payloads, strconv.Itoa(i))
	}
	return msgs, payloads
}

// start runs a follower in the bubble of a synctest.
func start(t *testing.T, f *view.Follower) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- f.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestFollow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := viewtest.New(3)
		msgs, want := numbers(0, 10)
		log.Put(msgs[:4]...)
		c := &collector{}
		stop := start(t, c.follower(log))
		synctest.Wait()
		if !slices.Equal(c.gotNow(), want[:4]) || c.savedNow() != nil {
			t.Fatalf("got %v, saved %v", c.gotNow(), c.savedNow())
		}
		time.Sleep(5 * time.Second) // of the bubble's clock
		synctest.Wait()
		if !slices.Equal(c.savedNow(), []int{4}) {
			t.Fatalf("saved %v", c.savedNow())
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(c.savedNow()) != 1 {
			t.Errorf("an idle view was saved: %v", c.savedNow())
		}
		c.version.Bump() // something changed without a message
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if !slices.Equal(c.savedNow(), []int{4, 4}) {
			t.Errorf("a change was not saved: %v", c.savedNow())
		}
		for _, m := range msgs[4:] {
			log.Put(m)
			synctest.Wait()
		}
		stop()
		if !slices.Equal(c.gotNow(), want) || c.savedAtNow() != log.End() || c.savedNow()[len(c.savedNow())-1] != 10 {
			t.Errorf("got %v, saved %v at %s", c.gotNow(), c.savedNow(), c.savedAtNow())
		}
	})
}

func TestFollowFromPosition(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := viewtest.New(3)
		msgs, want := numbers(0, 6)
		log.Put(msgs[:4]...)
		c := &collector{}
		f := c.follower(log)
		f.From = []stream.Position{log.End()}
		stop := start(t, f)
		log.Put(msgs[4:]...)
		synctest.Wait()
		stop()
		if !slices.Equal(c.gotNow(), want[4:]) {
			t.Errorf("got %v", c.gotNow())
		}
	})
}

// A view that cannot be saved goes on, and is saved when it can be.
func TestSaveFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := viewtest.New(3)
		msgs, _ := numbers(0, 2)
		c := &collector{saveErr: errors.New("disk is full")}
		stop := start(t, c.follower(log))
		log.Put(msgs...)
		time.Sleep(time.Minute)
		synctest.Wait()
		c.mu.Lock()
		c.saveErr = nil
		c.mu.Unlock()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if !slices.Equal(c.savedNow(), []int{2}) || c.savedAtNow() != log.End() {
			t.Errorf("saved %v at %s", c.savedNow(), c.savedAtNow())
		}
		stop()
	})
}

func TestTrimmedUnderneath(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := viewtest.New(3)
		msgs, want := numbers(0, 9)
		log.Put(msgs[:2]...)
		c := &collector{}
		stop := start(t, c.follower(log))
		synctest.Wait()
		hold := make(chan struct{}) // the view is busy while messages come and go
		c.mu.Lock()
		c.hold = hold
		c.mu.Unlock()
		log.Put(msgs[2])
		synctest.Wait()
		log.Put(msgs[3:]...)
		log.Drop(6)
		close(hold)
		synctest.Wait()
		stop()
		if got := append(slices.Clone(want[:3]), want[6:]...); !slices.Equal(c.gotNow(), got) {
			t.Errorf("got %v, want %v", c.gotNow(), got)
		}
	})
}

type brokenLog struct{ *viewtest.Log }

func (brokenLog) NewReader(stream.Position) (stream.Reader, error) { return nil, stream.ErrClosed }

func TestBrokenLog(t *testing.T) {
	t.Parallel()
	err := (&collector{}).follower(brokenLog{viewtest.New(1)}).Run(t.Context())
	if !errors.Is(err, stream.ErrClosed) {
		t.Errorf("error is %v", err)
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ perSegment, messages, dropped, n, want int }{
		{100, 0, 0, 5, 0},
		{100, 3, 0, 5, 3},
		{100, 20, 0, 5, 5},
		{100, 20, 0, 20, 20},
		{10, 25, 0, 5, 5},   // within the last segment
		{10, 25, 0, 12, 12}, // across two
		{10, 25, 0, 25, 15}, // no further back than that
		{10, 30, 0, 4, 4},   // the last segment is empty
		{10, 25, 22, 5, 3},
		{10, 25, 0, 0, 0},
	} {
		log := viewtest.New(c.perSegment)
		msgs, want := numbers(0, c.messages)
		log.Put(msgs...)
		log.Drop(c.dropped)
		from, err := view.Tail(t.Context(), log, c.n)
		if err != nil {
			t.Fatal(err)
		}
		r, err := log.NewReader(from)
		if err != nil {
			t.Fatal(err)
		}
		var b stream.Batch
		var got []string
		for r.Read(&b, 1<<20) == nil {
			for _, m := range b.Messages {
				got = append(got, payload(m))
			}
		}
		if !slices.Equal(got, want[c.messages-c.want:]) {
			t.Errorf("%+v: the tail is %v", c, got)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var v view.Version
		woken := make(chan uint64, 3)
		for range cap(woken) {
			go func() {
				n, err := v.Wait(t.Context(), 0)
				if err != nil {
					t.Error(err)
				}
				woken <- n
			}()
		}
		synctest.Wait()
		if len(woken) != 0 {
			t.Fatal("woken by nothing")
		}
		v.Bump()
		for range cap(woken) {
			if n := <-woken; n != 1 {
				t.Errorf("woken at version %d", n)
			}
		}
		v.Bump()
		if n, err := v.Wait(t.Context(), 1); n != 2 || err != nil {
			t.Error("a change that was missed is not told of", n, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if n, err := v.Wait(ctx, 2); n != 2 || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(n, err)
		}
	})
}

func ExampleVersion() {
	var v view.Version
	seen := v.Now()
	v.Bump()
	seen, _ = v.Wait(context.Background(), seen)
	fmt.Println(seen)
	// Output: 1
}

// shy is a log that does not say what it has, some times.
type shy struct {
	*viewtest.Log
	opens, reads int // that fail
}

func (s *shy) NewReader(from stream.Position) (stream.Reader, error) {
	if s.opens--; s.opens >= 0 {
		return nil, fmt.Errorf("not now: %w", stream.ErrUnavailable)
	}
	r, err := s.Log.NewReader(from)
	return &shyReader{r, s}, err
}

type shyReader struct {
	stream.Reader
	s *shy
}

func (r *shyReader) Read(b *stream.Batch, most int) error {
	if r.s.reads--; r.s.reads >= 0 {
		return fmt.Errorf("not now: %w", stream.ErrUnavailable)
	}
	return r.Reader.Read(b, most)
}

// TestUnavailable: a view waits for a store that does not say what it has, from its start on.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := viewtest.New(3)
		msgs, want := numbers(0, 5)
		log.Put(msgs...)
		if at, err := view.Tail(t.Context(), &shy{log, 2, 2}, 5); err != nil || at != (stream.Position{}) {
			t.Errorf("the newest begin at %s, %v", at, err)
		}
		c := &collector{}
		f := c.follower(log)
		f.Logs = []stream.Log{&shy{log, 3, 3}}
		stop := start(t, f)
		synctest.Wait()
		if !slices.Equal(c.gotNow(), want) {
			t.Errorf("got %v", c.gotNow())
		}
		stop()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := view.Tail(ended, &shy{log, 1 << 30, 0}, 5); !errors.Is(err, stream.ErrUnavailable) {
			t.Errorf("a view that is to end: %v", err)
		}
	})
}
