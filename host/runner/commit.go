package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sandbar/host/stream"
	"sandbar/sandbox"
)

// LakeWriter is the lake as one output plugin has it.
type LakeWriter interface {
	sandbox.Lake
	Dirty() bool            // something was written since the last Flush
	Due(now time.Time) bool // it is time to Flush
	// Flush finishes what was written since the last Flush. cover names the stream positions it holds.
	// The manifest is committed together with these positions; after that Publish makes it visible.
	Flush(ctx context.Context, cover string) (manifest []byte, err error)
	Publish(ctx context.Context) error
}

// part is what one plugin adds to a commit: all it did since its part before.
type part struct {
	reader    string
	positions map[string]stream.Position
	made      map[string][][]byte
	states    map[string][]byte
	forget    bool
	committed func(ctx context.Context) // may be nil
}

// answerWait is how long a commit waits for plugins that are at work; the others are committed without them.
const answerWait = 200 * time.Millisecond

// committer gathers the parts of all plugins into one commit, again and again.
type committer struct {
	store    stream.Store
	interval time.Duration
	log      *slog.Logger
	lives    func() []*live
	healthy  atomic.Pointer[error] // why the newest commit failed; nil when it did not

	kicked  chan struct{} // capacity 1
	flushes chan chan error
	over    chan struct{} // closed when run has returned

	mu      sync.Mutex
	parts   []part
	arrived chan struct{} // capacity 1
}

func newCommitter(store stream.Store, interval time.Duration, log *slog.Logger, lives func() []*live) *committer {
	return &committer{store: store, interval: interval, log: log, lives: lives,
		kicked: make(chan struct{}, 1), flushes: make(chan chan error), over: make(chan struct{}), arrived: make(chan struct{}, 1)}
}

// kick asks for a commit before the interval is over.
func (c *committer) kick() {
	select {
	case c.kicked <- struct{}{}:
	default:
	}
}

// flush commits what all plugins did until now, and returns when that is durable.
func (c *committer) flush(ctx context.Context) error {
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
		return errClosing
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *committer) add(p part) {
	c.mu.Lock()
	c.parts = append(c.parts, p)
	c.mu.Unlock()
	select {
	case c.arrived <- struct{}{}:
	default:
	}
}

// run commits until stop is closed, and then once more what is left.
func (c *committer) run(stop <-chan struct{}) error {
	defer close(c.over)
	ticker := time.NewTicker(c.interval)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return c.commit()
		case <-ticker.C:
		case <-c.kicked:
		case reply := <-c.flushes:
			reply <- c.round()
			continue
		}
		if err := c.round(); err != nil {
			c.log.Error("commit failed; it is tried again, and plugins wait when too much is uncommitted", "error", err)
			select { // not at once: the disk may need somebody to make room
			case <-stop:
			case <-time.After(5 * c.interval):
			}
		}
	}
}

// round makes one commit of what everybody has. After one that failed it does not ask for more before
// that has got through, so that what waits in memory stays bounded.
func (c *committer) round() error {
	if c.healthy.Load() != nil {
		if err := c.commit(); err != nil {
			return err
		}
	}
	c.gather()
	return c.commit()
}

// gather asks every plugin for its part and waits a little for those that are at work, but not again for
// one that has not answered the last time.
func (c *committer) gather() {
	var waiting []*live
	for _, l := range c.lives() {
		rests := l.lake == nil && !l.holds.Load() && l.inbox.resting(func(pos map[string]stream.Position) { c.add(part{reader: l.name, positions: pos}) })
		if !rests && l.ask() { // an output's positions go with what it wrote
			waiting = append(waiting, l)
		}
	}
	if len(waiting) == 0 {
		return
	}
	deadline := time.NewTimer(answerWait)
	defer deadline.Stop()
	for _, l := range waiting {
		for l.asked.Load() {
			select {
			case <-c.arrived:
			case <-l.done:
				l.asked.Store(false)
			case <-deadline.C:
				return
			}
		}
	}
}

// commit makes what has arrived durable. Parts of a commit that failed stay for the next.
func (c *committer) commit() error {
	c.mu.Lock()
	parts := c.parts
	c.parts = nil
	c.mu.Unlock()
	if len(parts) == 0 {
		return nil
	}
	ctx := context.Background() // a commit that has begun is not cut short
	err := c.store.Commit(ctx, merge(parts))
	if err != nil {
		c.mu.Lock()
		c.parts = append(parts, c.parts...)
		c.mu.Unlock()
		c.healthy.Store(&err)
		return fmt.Errorf("commit %d parts: %w", len(parts), err)
	}
	c.healthy.Store(nil)
	for _, p := range parts {
		if p.committed != nil {
			p.committed(ctx)
		}
	}
	return nil
}

// merge makes one commit of parts. Later parts of a plugin replace its earlier positions and states. A
// reader's positions replace all that it had, also of streams that it reads no more.
func merge(parts []part) *stream.Commit {
	c := &stream.Commit{Appends: map[string][][]byte{}, Positions: map[string]map[string]stream.Position{}, States: map[string][]byte{}}
	replaced := map[string]bool{}
	for _, p := range parts {
		for s, msgs := range p.made {
			c.Appends[s] = append(c.Appends[s], msgs...)
		}
		maps.Copy(c.States, p.states)
		if p.reader == "" { // of the host itself
			continue
		}
		if p.forget {
			delete(c.Positions, p.reader)
			replaced[p.reader] = true
		} else if p.positions != nil {
			c.Positions[p.reader] = p.positions
			replaced[p.reader] = true
		}
	}
	c.Forget = slices.Sorted(maps.Keys(replaced))
	return c
}

// ask tells a plugin that its part is wanted. It reports false when the plugin knows that already.
func (l *live) ask() bool {
	if l.asked.Swap(true) {
		return false
	}
	l.inbox.signal()
	return true
}

// answer gives the plugin's part. An output gives one only when the lake holds nothing that is not
// finished, so that its position is never ahead of its files.
func (l *live) answer(final bool) {
	defer func() {
		l.asked.Store(false)
		select {
		case l.r.committer.arrived <- struct{}{}:
		default:
		}
	}()
	if p, ok := l.part(final); ok {
		l.r.committer.add(p)
	}
}

// part collects all that the plugin did since its last part, if that is anything.
func (l *live) part(final bool) (part, bool) {
	p := part{reader: l.name, made: map[string][][]byte{}, states: map[string][]byte{}, forget: l.forget.Load()}
	if l.ended != nil && (l.lake != nil || l.stopping.Load()) {
		// What it wrote since its last part is discarded, and so is how far it came. One that failed or was interrupted
		// while it was to stop does this again when it is started again.
		return part{reader: l.name, forget: p.forget}, p.forget
	}
	if l.lake != nil && !final && l.lake.Dirty() && !l.full() {
		return p, false
	}
	var moved bool
	p.positions, moved = l.inbox.positions()
	l.held.holdBack(p.positions)
	if l.lake != nil && l.lake.Dirty() && !l.flushLake(&p) {
		l.inbox.notTaken()
		return p, false
	}
	for _, msg := range l.task.Take() {
		s := l.target(msg)
		p.made[s] = append(p.made[s], msg)
	}
	l.task.Measure()
	if l.ended == nil { // the state of a plugin that ended abnormally is not worth keeping
		l.preserve(&p)
	}
	l.last = p.positions
	return p, moved || p.forget || len(p.made) > 0 || len(p.states) > 0
}

// preserve adds the plugin's state to its part.
func (l *live) preserve(p *part) {
	state, changed, err := l.task.Snapshot()
	var fault *sandbox.Error
	if errors.As(err, &fault) { // the last good state stays
		l.end(fault)
		return
	}
	if err != nil && err.Error() != l.unpreserved { // told once
		l.unpreserved = err.Error()
		l.logs.add(l.r.opt.Now(), l.unpreserved)
		l.r.log.Error("state is not preserved", "plugin", l.name, "error", err)
	}
	if changed {
		l.unpreserved = ""
		p.states[l.name] = state
		published, task := p.committed, l.task
		p.committed = func(ctx context.Context) {
			if published != nil {
				published(ctx)
			}
			task.Recycle(state)
		}
	}
}

// flushLake finishes the plugin's objects. It reports false when that fails.
func (l *live) flushLake(p *part) bool {
	manifest, err := l.lake.Flush(context.Background(), cover(l.last, p.positions))
	if err != nil {
		l.r.log.Error("lake objects cannot be finished; tried again at the next commit", "plugin", l.name, "error", err)
		return false
	}
	p.states[lakeState+l.name] = manifest
	p.committed = func(ctx context.Context) {
		if err := l.lake.Publish(ctx); err != nil {
			l.r.log.Error("lake objects are not visible yet; they are published at the next start", "plugin", l.name, "error", err)
		}
	}
	return true
}

// lakeState is the prefix of the names under which manifests are committed.
const lakeState = "lake."

// target is the stream that a plugin's message goes to.
func (l *live) target(msg []byte) string {
	switch {
	case l.task.Config.Kind == sandbox.Analysis:
		return stream.Derived
	case l.task.Config.Kind == sandbox.Decoder && isFailure(msg):
		return stream.Errors
	}
	return stream.Valid
}
