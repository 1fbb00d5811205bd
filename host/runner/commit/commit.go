// Package commit gathers what the members of a runner did into one stream.Commit, again and again.
//
// A round has these steps:
//
//  1. A member at rest hands over its positions. The others are asked for a part.
//  2. The round waits a little for the parts. A member that does not answer is left to a later round.
//  3. All parts that have arrived become one stream.Commit. When it fails they stay for the next.
//  4. The members of these parts are told, and what a part has sealed is published, beside the rounds.
//
// A part holds all that its member did since its part before. Parts are merged in the order in which they arrived.
//
// It knows positions and bytes; it must not know what a member is.
package commit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sandbar/host/stream"
)

// ErrOver says that the committer has ended.
var ErrOver = errors.New("the host is shutting down")

// Part is what one member adds to a commit.
type Part struct {
	Reader    string                     // name of the member; "" for the host itself, which has no positions
	Positions map[string]stream.Position // how far it is, in all its streams; nil: no news
	Appends   map[string][][]byte        // what it made, by stream
	Keys      map[string]map[int][]byte  // of some of these, by their index; see stream.Commit
	States    map[string][]byte
	Forget    bool // its positions are given up

	Committed func()                          // called after the commit; must be quick; may be nil
	Publish   func(ctx context.Context) error // called after Committed, again after an error; may be nil
}

// Member is one whose work is committed. Any goroutine may call the methods.
type Member interface {
	// Rest calls take with the positions of a member that did nothing since its last part but let messages pass. It reports
	// false for one that did more. No part of the member's own comes between the positions and take.
	Rest(take func(Part)) bool
	// Ask asks for a part, which the member gives to Submit, soon. It reports false when the member was asked before and has
	// not answered.
	Ask() bool
	// Owes reports that the member was asked and has not answered.
	Owes() bool
	// Done is closed when the member has ended and submits nothing more.
	Done() <-chan struct{}
}

// Store is what a Committer needs of a stream.Store.
type Store interface {
	Commit(ctx context.Context, c *stream.Commit) error
}

// Options of a Committer. All are required.
type Options struct {
	Store    Store
	Members  func() []Member
	Interval time.Duration // between rounds
	Timeout  time.Duration // of one commit
	Now      func() time.Time
	Report   func(part string, err error) // how commits and publishing fare: an error, or nil when that is over
}

// answerWait is how long a round waits for members that are at work.
const answerWait = 200 * time.Millisecond

// Committer makes the rounds. Run does the work; the other methods may be called by any goroutine.
type Committer struct {
	opt     Options
	err     atomic.Pointer[error] // why the newest commit failed; nil when it did not
	kicked  chan struct{}         // capacity 1
	flushes chan chan error
	over    chan struct{} // closed when Run has returned
	publish *publisher

	commits, failed atomic.Int64
	nanos           atomic.Int64 // spent in commits

	mu      sync.Mutex
	parts   []Part
	arrived chan struct{} // capacity 1: somebody answered
}

// New returns a Committer.
func New(opt Options) *Committer {
	return &Committer{opt: opt, kicked: make(chan struct{}, 1), flushes: make(chan chan error), over: make(chan struct{}),
		publish: newPublisher(opt.Report), arrived: make(chan struct{}, 1)}
}

// Err is why the newest commit failed, nil when it did not.
func (c *Committer) Err() error {
	if err := c.err.Load(); err != nil {
		return *err
	}
	return nil
}

// Stats of a Committer since it was made.
type Stats struct {
	Commits int64         // that were tried
	Failed  int64         // of these
	Time    time.Duration // that they took together
}

// Stats may be called at any time.
func (c *Committer) Stats() Stats {
	return Stats{Commits: c.commits.Load(), Failed: c.failed.Load(), Time: time.Duration(c.nanos.Load())}
}

// Kick asks for a round before the interval is over.
func (c *Committer) Kick() { signal(c.kicked) }

// Flush commits what all members did until now, and returns when that is durable.
func (c *Committer) Flush(ctx context.Context) error {
	reply := make(chan error, 1)
	select {
	case c.flushes <- reply:
		select {
		case err := <-reply:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	case <-c.over:
		return ErrOver
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Submit adds a part to the next commit.
func (c *Committer) Submit(p Part) {
	c.mu.Lock()
	c.parts = append(c.parts, p)
	c.mu.Unlock()
	signal(c.arrived)
}

// Answered says that a member owes nothing any more, though it had no part to give.
func (c *Committer) Answered() { signal(c.arrived) }

// Published waits until all that a reader has committed is published.
func (c *Committer) Published(ctx context.Context, reader string) error {
	return c.publish.await(ctx, reader)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run makes rounds until stop is closed, and then commits and publishes once more what is left.
func (c *Committer) Run(stop <-chan struct{}) error {
	ctx, cancel := context.WithCancel(context.Background())
	var publishing sync.WaitGroup
	publishing.Go(func() { c.publish.run(ctx) })
	err := c.rounds(stop)
	cancel()
	publishing.Wait()
	c.publish.last()
	close(c.over)
	return err
}

func (c *Committer) rounds(stop <-chan struct{}) error {
	ticker := time.NewTicker(c.opt.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return c.Commit()
		case <-ticker.C:
		case <-c.kicked:
		case reply := <-c.flushes:
			reply <- c.round()
			continue
		}
		if c.round() != nil { // it is tried again, and members wait when too much is uncommitted
			select { // not at once: the disk may need somebody to make room
			case <-stop:
			case <-time.After(5 * c.opt.Interval):
			}
		}
	}
}

// round makes one commit of what everybody has. After one that failed it does not ask for more before
// that has got through, so that what waits in memory stays bounded.
func (c *Committer) round() error {
	if c.err.Load() != nil {
		if err := c.Commit(); err != nil {
			return err
		}
	}
	c.gather()
	return c.Commit()
}

// gather asks every member for its part and waits a little for those that are at work, but not again for
// one that has not answered the last time.
func (c *Committer) gather() {
	var waiting []Member
	for _, m := range c.opt.Members() {
		if !m.Rest(c.Submit) && m.Ask() {
			waiting = append(waiting, m)
		}
	}
	if len(waiting) == 0 {
		return
	}
	deadline := time.NewTimer(answerWait)
	defer deadline.Stop()
	for _, m := range waiting {
		for ended := false; m.Owes() && !ended; {
			select {
			case <-c.arrived:
			case <-m.Done():
				ended = true
			case <-deadline.C:
				return
			}
		}
	}
}

// Commit makes what has arrived durable without asking for more. Before Run anybody may call it, later only Run.
func (c *Committer) Commit() error {
	c.mu.Lock()
	parts := c.parts
	c.parts = nil
	c.mu.Unlock()
	if len(parts) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.opt.Timeout) // a commit that has begun is not cut short by anything else
	defer cancel()
	began := c.opt.Now()
	err := c.opt.Store.Commit(ctx, merge(parts))
	c.commits.Add(1)
	c.nanos.Add(int64(c.opt.Now().Sub(began)))
	if err != nil {
		c.failed.Add(1)
		c.mu.Lock()
		c.parts = append(parts, c.parts...)
		c.mu.Unlock()
		err = fmt.Errorf("commit %d parts: %w", len(parts), err)
		c.err.Store(&err)
		c.opt.Report("commits", err)
		return err
	}
	if c.err.Swap(nil) != nil {
		c.opt.Report("commits", nil)
	}
	for _, p := range parts {
		if p.Committed != nil {
			p.Committed()
		}
		if p.Publish != nil {
			c.publish.add(p.Reader, p.Publish)
		}
	}
	return nil
}

// merge makes one commit of parts. Later parts of a member replace its earlier positions and states. A
// reader's positions replace all that it had, also of streams that it reads no more.
func merge(parts []Part) *stream.Commit {
	c := &stream.Commit{Appends: map[string][][]byte{}, Keys: map[string]map[int][]byte{}, Positions: map[string]map[string]stream.Position{}, States: map[string][]byte{}}
	replaced := map[string]bool{}
	for _, p := range parts {
		for s, msgs := range p.Appends {
			for i, key := range p.Keys[s] {
				if c.Keys[s] == nil {
					c.Keys[s] = map[int][]byte{}
				}
				c.Keys[s][len(c.Appends[s])+i] = key
			}
			c.Appends[s] = append(c.Appends[s], msgs...)
		}
		maps.Copy(c.States, p.States)
		if p.Reader == "" {
			continue
		}
		if p.Forget {
			delete(c.Positions, p.Reader)
			replaced[p.Reader] = true
		} else if p.Positions != nil {
			c.Positions[p.Reader] = p.Positions
			replaced[p.Reader] = true
		}
	}
	c.Forget = slices.Sorted(maps.Keys(replaced))
	return c
}
