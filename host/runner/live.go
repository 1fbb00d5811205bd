package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"sandbar/host/stream"
	"sandbar/sandbox"
	"sandbar/sandbox/matcher"
	"sandbar/sandbox/message"
)

// chunk is how many messages a plugin is called for before it looks at its timer and at commits.
const chunk = 32

// live is a plugin that runs: a goroutine around a Task.
type live struct {
	r      *Runner
	name   string
	kind   sandbox.Kind
	from   stream.Position // a decoder claims what ends after it
	logs   *logRing
	task   *Task // its goroutine's own
	inbox  *inbox
	lake   LakeWriter // outputs only
	reload func(state []byte) (*Task, error)

	matcher *matcher.Matcher // nil for the one that wants what no decoder does

	work        *work
	shared      atomic.Pointer[Task] // task, for who interrupts it
	interrupted atomic.Bool
	holds       atomic.Bool // held has something

	held   held  // messages of an output that it has not acknowledged yet
	quota  quota // its goroutine's own
	paused bool  // it was told that it waits

	asked    atomic.Bool // a part is wanted
	stopping atomic.Bool
	done     chan struct{}
	ended    *sandbox.Error // why it ended; read after done
	itself   bool           // it ended before anybody asked it to stop; read after done
	forget   atomic.Bool    // its position is given up with the last part
	stats    atomic.Pointer[Stats]

	own         map[string]*ownReader
	unpreserved string                     // why its state was not preserved the last time
	last        map[string]stream.Position // positions of the newest part, where the lake's next object begins
}

// ownReader is how a plugin that is behind reads a stream by itself.
type ownReader struct {
	source
	next *batch // read but not done
}

func (l *live) run() {
	l.publishStats()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for l.ended == nil && !l.stopping.Load() {
		worked := l.step()
		if l.ended == nil && l.asked.Load() {
			l.answer(false)
		}
		if worked || l.ended != nil {
			continue
		}
		timer.Reset(l.untilTick())
		select {
		case <-l.inbox.wake:
		case <-timer.C:
		}
	}
	l.finish()
	l.r.watch.remove(l.work)
	l.r.ended(l)
	close(l.done)
	if l.ended != nil {
		l.r.log.Warn("plugin terminated", "plugin", l.name, "outcome", l.ended.Outcome.String(), "line", l.ended.Line, "error", l.ended.Text)
	}
	if l.itself {
		l.r.committer.add(part{made: map[string][][]byte{stream.Derived: {endAlert(l.ended, l.r.opt.Now())}}})
		l.r.opt.OnEnd(l.ended)
	}
}

// setTask makes t the one that runs, which its goroutine does, or who has made l.
func (l *live) setTask(t *Task) {
	l.task = t
	l.shared.Store(t)
	if l.interrupted.Load() {
		t.Interrupt()
	}
}

// interrupt ends the call that runs now, and every long one after it.
func (l *live) interrupt() {
	l.interrupted.Store(true)
	l.shared.Load().Interrupt()
}

func (l *live) hasEnded() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// awaitEnd waits until a plugin that was asked to stop has ended. After grace, or when ctx ends, it interrupts it.
func (l *live) awaitEnd(ctx context.Context, grace time.Duration) error {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-l.done:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	l.interrupt()
	timer.Reset(interruptTime)
	select {
	case <-l.done:
		return nil
	case <-timer.C:
		if ctx.Err() == nil {
			<-ctx.Done()
		}
	}
	if l.hasEnded() {
		return nil
	}
	return ctx.Err()
}

// interruptTime is how long an interrupted call may take to end, even when nobody wants to wait any more.
const interruptTime = 50 * time.Millisecond

// askToStop makes the plugin end soon; done is closed when it has. It does nothing to one that has ended.
func (l *live) askToStop(forget bool) {
	if forget {
		l.forget.Store(true)
	}
	l.stopping.Store(true)
	l.inbox.signal()
}

// step does a piece of what waits for the plugin and reports whether there was any. A plugin that stops
// amid a piece is not asked for another.
func (l *live) step() bool {
	it, worked := l.inbox.next()
	if worked && !l.consume(&it) {
		return true
	}
	for s, pos := range l.inbox.lagging() {
		if l.stopping.Load() || l.ended != nil {
			return true
		}
		worked = l.catchUp(s, pos) || worked
	}
	l.tick()
	l.held.ack(l)
	l.publishStats()
	if l.ended == nil {
		l.pace()
	}
	return worked
}

// consume runs the plugin on an item; false means that it stops before the item's end.
func (l *live) consume(it *item) bool {
	l.task.Passed(it.passed)
	for at := 0; at < len(it.hits); {
		if l.stopping.Load() {
			return false
		}
		l.work.begin()
		n, err := l.task.Process(it.batch.views, it.hits[at:min(at+chunk, len(it.hits))])
		l.work.end()
		last := it.hits[at+n-1]
		if err != nil && !l.carryOn(&it.batch.views[last], err) {
			if n > 1 { // what it did before counts
				l.inbox.advance(it.stream, it.batch.ends[it.hits[at+n-2]], true)
			}
			return false
		}
		if l.kind == sandbox.Output && l.task.last.Outcome == sandbox.OK && l.retries(it, at+n-1) {
			if n > 1 {
				l.inbox.advance(it.stream, it.batch.ends[it.hits[at+n-2]], true)
			}
			at += n - 1
			if !l.pauseForRetry() {
				return false
			}
			continue
		}
		at += n
		l.inbox.advance(it.stream, it.batch.ends[last], true)
		l.tick()
		if l.ended != nil || !l.yield() {
			return false
		}
	}
	l.inbox.advance(it.stream, it.end, false)
	return true
}

// yield gives a part when one is wanted, and waits until one is when the plugin made too much.
func (l *live) yield() bool {
	for l.full() && !l.asked.Load() {
		if l.stopping.Load() {
			return false
		}
		l.r.committer.kick()
		<-l.inbox.wake
	}
	if l.asked.Load() {
		l.answer(false)
		l.publishStats()
	}
	return l.pace()
}

// pace waits while the plugin has made more than its share. It reports false when the plugin is to stop.
func (l *live) pace() bool {
	l.quota.made(l.task.counts.InjectedBytes)
	for !l.stopping.Load() {
		wait := l.quota.wait(l.r.opt.Now())
		if wait == 0 {
			return true
		}
		if !l.paused {
			l.paused = true
			text := fmt.Sprintf("it made more than %d bytes in an hour, which is its share of stream derived; it waits before it reads on", int64(l.quota.hourly))
			l.logs.add(l.r.opt.Now(), text)
			l.r.log.Warn("plugin waits", "plugin", l.name, "reason", text)
		}
		timer := time.NewTimer(min(wait, time.Second))
		select {
		case <-l.inbox.wake:
		case <-timer.C:
		}
		timer.Stop()
		if l.asked.Load() {
			l.answer(false)
			l.publishStats()
		}
	}
	return false
}

// full says that a plugin must give a part before it makes more.
func (l *live) full() bool {
	return l.task.Full() || l.lake != nil && l.lake.Due(l.r.opt.Now())
}

// carryOn decides what an abnormal ending means. A decoder's message goes to the errors as it came, and
// the decoder goes on, since a submission must neither be lost nor stop the others. Anything else ends;
// one that will read the message again then has made nothing of it.
func (l *live) carryOn(v *message.View, err *sandbox.Error) bool {
	if l.kind != sandbox.Decoder || err.Outcome == sandbox.TerminatedByPlugin || err.Outcome == sandbox.Stopped {
		if !l.givesUp() || l.stopping.Load() {
			l.task.takeBack()
		}
		if raw := v.Raw(); len(raw) <= maxEndMessage {
			err.Message = bytes.Clone(raw)
		}
		l.end(err)
		return false
	}
	l.r.log.Warn("decoder failed on a message, which is kept in stream errors", "plugin", l.name, "outcome", err.Outcome.String(), "line", err.Line, "error", err.Text)
	l.task.takeBack()
	if err.Outcome == sandbox.MemoryExceeded { // its state is of no use any more
		task, rerr := l.reload(nil)
		if rerr != nil {
			l.end(err)
			return false
		}
		task.succeed(l.task)
		l.task.Close()
		l.setTask(task)
	}
	l.task.emit(undecoded(v, err.Outcome.String(), err.Text))
	return true
}

// maxEndMessage bounds the message that is kept of a plugin that ended.
const maxEndMessage = 256 << 10

func (l *live) end(err *sandbox.Error) {
	l.ended, l.itself = err, !l.stopping.Load()
	l.publishStats()
}

// tick runs timer_event when it is due.
func (l *live) tick() {
	if l.ended != nil || l.task.NextTick() == 0 {
		return
	}
	now := l.r.opt.Now().UnixNano()
	timers := l.task.counts.Timers
	l.work.begin()
	err := l.task.Tick(now)
	l.work.end()
	if timers == l.task.counts.Timers { // it was not due
		return
	}
	l.inbox.touched()
	if err != nil {
		l.end(err)
	}
}

func (l *live) untilTick() time.Duration {
	next := l.task.NextTick()
	if next == 0 {
		return time.Hour
	}
	// Not longer than an interval, since the clock may be changed meanwhile.
	return min(max(time.Unix(next, 0).Sub(l.r.opt.Now()), time.Millisecond), time.Minute)
}

// catchUp reads one batch of a stream that the plugin is behind on, and joins the others when it can.
func (l *live) catchUp(s string, pos stream.Position) bool {
	own, err := l.ownReader(s, pos)
	if err == nil {
		// The reader is asked while nothing can be delivered, since a place can have two names.
		joined := own.feed.join(l, pos, func() bool { err = own.fill(); return err == nil && own.next == nil })
		if joined {
			l.closeReader(s)
			return false
		}
	}
	if err == nil {
		err = own.fill()
	}
	if errors.Is(err, stream.ErrTrimmed) {
		return true // it goes on with the oldest that is kept
	}
	if err != nil {
		l.end(&sandbox.Error{Plugin: l.name, Outcome: sandbox.Stopped, Text: fmt.Sprintf("read stream %s from %s: %v", s, pos, err)})
		return true
	}
	b := own.next
	if b == nil {
		return false
	}
	own.next = nil
	it := item{stream: s, batch: b, hits: l.wanted(b), end: b.end, passed: len(b.views)}
	l.consume(&it)
	return true
}

// fill reads the next batch if there is one.
func (o *ownReader) fill() error {
	if o.next != nil {
		return nil
	}
	b, err := o.read()
	if errors.Is(err, io.EOF) {
		err = nil
	}
	o.next = b
	return err
}

func (l *live) ownReader(s string, pos stream.Position) (*ownReader, error) {
	if own := l.own[s]; own != nil {
		return own, nil
	}
	f := l.r.feeds[s]
	reader, err := f.log.NewReader(pos)
	if err != nil {
		return nil, err
	}
	l.own[s] = &ownReader{source: source{feed: f, reader: reader}}
	return l.own[s], nil
}

// wanted finds the plugin's messages in a batch without an index.
func (l *live) wanted(b *batch) []int32 {
	var hits []int32
	for i := range b.views {
		v := &b.views[i]
		if l.matcher != nil && l.matcher.Match(v) || l.matcher == nil && !l.r.claimed(v, b.ends[i]) {
			hits = append(hits, int32(i))
		}
	}
	return hits
}

// finish runs the last timer event and gives the last part.
func (l *live) finish() {
	for _, f := range l.r.feeds {
		f.leave(l)
	}
	for s := range l.own {
		l.closeReader(s)
	}
	if l.ended == nil { // as Hindsight, also without a ticker
		l.answer(false) // what it did counts even if its last timer event fails
		l.work.begin()
		err := l.task.Timer(l.r.opt.Now().UnixNano(), true)
		l.work.end()
		if err != nil {
			l.ended = err
		}
		l.inbox.touched()
	}
	if l.itself && l.givesUp() {
		l.forget.Store(true)
	}
	l.answer(true)
	l.publishStats()
	if err := l.task.Close(); err != nil {
		l.r.log.Warn("close a plugin", "plugin", l.name, "error", err)
	}
}

// givesUp says whether a plugin that ended abnormally no longer holds back trimming. A decoder does, since
// submissions must not be lost, and an output unless its config says otherwise, as with Hindsight.
func (l *live) givesUp() bool {
	cfg := l.task.Config
	remove, _ := cfg.Keys["remove_checkpoints_on_terminate"].(bool)
	return cfg.Kind == sandbox.Analysis || cfg.Kind == sandbox.Output && remove
}

func (l *live) closeReader(s string) {
	l.own[s].close()
	delete(l.own, s)
}

func (l *live) publishStats() {
	l.task.Passed(l.inbox.passedBy())
	s := l.task.Stats()
	l.stats.Store(&s)
}
