package runner

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"sandbar/host/runner/commit"
	"sandbar/host/stream"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// chunk is how many messages a plugin is called for before it looks at its timer and at commits.
const chunk = 32

// allAtOnce is chunk for a decoder with several workers, who share the messages of a batch.
const allAtOnce = 1 << 20

// worker is a plugin that runs: a goroutine around a Task.
type worker struct {
	// Set before run, and then only read, by any goroutine.
	surroundings
	*subscriber
	name   string
	kind   sandbox.Kind
	route  route
	from   stream.Position // a decoder claims what ends after it
	logs   *logRing
	sink   Sink // outputs only
	reload func(state []byte) (*Task, error)
	work   *work
	chunk  int
	cutoff context.Context // ends when nobody waits for the plugin's files any more
	cut    context.CancelFunc
	done   chan struct{}

	// Shared.
	shared      atomic.Pointer[Task] // task, for who interrupts it
	interrupted atomic.Bool
	holds       atomic.Bool // parked has something
	asked       atomic.Bool // a part is wanted
	stopping    atomic.Bool
	forget      atomic.Bool // its position is given up with the last part
	stats       atomic.Pointer[Stats]

	// Of the goroutine of run. Others read ended and itself after done.
	task        *Task
	own         map[string]*source
	parked      parked // messages of an output that it has not acknowledged yet
	quota       quota
	paused      bool                       // it was told that it waits
	unflushed   bool                       // the last Flush of the sink failed
	stateAt     time.Time                  // of the newest part with its state,
	stateSize   int                        // which had that many bytes
	unpreserved string                     // why its state was not preserved the last time
	last        map[string]stream.Position // positions of the newest part, where the sink's next files begin
	ended       *sandbox.Error             // why it ended
	itself      bool                       // it ended before anybody asked it to stop
}

// surroundings is what workers reach of their host.
type surroundings struct {
	now      func() time.Time
	log      *slog.Logger
	report   func(part string, err error)
	shadow   func(name string, msgs [][]byte)
	commits  *commit.Committer
	fanouts  map[string]*fanout
	catchUps chan struct{} // one entry for each plugin that is reading by itself
}

// run works until the plugin ends or is to stop. Then nothing of it is uncommitted but its last part.
func (w *worker) run() {
	w.publishStats()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for w.ended == nil && !w.stopping.Load() {
		worked := w.step()
		if w.ended == nil && w.asked.Load() {
			w.answer(false)
		}
		if worked || w.ended != nil {
			continue
		}
		timer.Reset(w.untilTick())
		select {
		case <-w.inbox.wake:
		case <-timer.C:
		}
	}
	w.finish()
	w.cut()
}

// setTask makes t the one that runs, which its goroutine does, or who has made w.
func (w *worker) setTask(t *Task) {
	w.task = t
	w.shared.Store(t)
	if w.interrupted.Load() {
		t.Interrupt()
	}
}

// interrupt ends the call that runs now, and every long one after it.
func (w *worker) interrupt() {
	w.interrupted.Store(true)
	w.shared.Load().Interrupt()
}

func (w *worker) hasEnded() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// awaitEnd waits until a plugin that was asked to stop has ended. After grace, or when ctx ends, it interrupts the call that the
// plugin is in; its files are given up only when ctx ends.
func (w *worker) awaitEnd(ctx context.Context, grace time.Duration) error {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-w.done:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	w.interrupt()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
	}
	w.cut()
	timer.Reset(interruptTime)
	select {
	case <-w.done:
		return nil
	case <-timer.C:
		return ctx.Err()
	}
}

// interruptTime is how long an interrupted call may take to end, even when nobody wants to wait any more.
const interruptTime = 50 * time.Millisecond

// askToStop makes the plugin end soon; done is closed when it has. It does nothing to one that has ended.
func (w *worker) askToStop(forget bool) {
	if forget {
		w.forget.Store(true)
	}
	w.stopping.Store(true)
	w.inbox.signal()
}

// step does a piece of what waits for the plugin and reports whether there was any. A plugin that stops
// amid a piece is not asked for another.
func (w *worker) step() bool {
	it, worked := w.inbox.next()
	if worked && !w.consume(&it) {
		return true
	}
	for s, pos := range w.inbox.lagging() {
		if w.stopping.Load() || w.ended != nil {
			return true
		}
		worked = w.catchUp(s, pos) || worked
	}
	w.tick()
	w.parked.ack(w)
	w.publishStats()
	if w.ended == nil {
		w.pace()
	}
	return worked
}

// consume runs the plugin on an item; false means that it stops before the item's end.
func (w *worker) consume(it *item) bool {
	w.task.Passed(it.passed)
	for at := 0; at < len(it.hits); {
		if w.stopping.Load() {
			return false
		}
		w.work.begin()
		w.task.at.within(it.batch)
		n, err := w.task.Process(it.batch.views, it.hits[at:min(at+w.chunk, len(it.hits))])
		w.work.end()
		w.task.at.left(it.hits[at : at+n])
		last := it.hits[at+n-1]
		if err != nil && !w.recoverable(&it.batch.views[last], err) {
			if n > 1 { // what it did before counts
				w.inbox.advance(it.stream, it.batch.ends[it.hits[at+n-2]], true)
			}
			return false
		}
		if w.kind == sandbox.Output && w.task.last.Outcome == sandbox.OK && w.retries(it, at+n-1) {
			if n > 1 {
				w.inbox.advance(it.stream, it.batch.ends[it.hits[at+n-2]], true)
			}
			at += n - 1
			if !w.pauseForRetry() {
				return false
			}
			continue
		}
		at += n
		w.inbox.advance(it.stream, it.batch.ends[last], true)
		w.tick()
		if w.ended != nil || !w.yield() {
			return false
		}
	}
	w.inbox.advance(it.stream, it.end, false)
	return true
}

// yield gives a part when one is wanted, and waits until one is when the plugin made too much.
func (w *worker) yield() bool {
	for w.full() && !w.asked.Load() {
		if w.stopping.Load() {
			return false
		}
		w.commits.Kick()
		<-w.inbox.wake
	}
	if w.asked.Load() {
		w.answer(false)
		w.publishStats()
	}
	return w.pace()
}

// pace waits while the plugin has made more than its share. It reports false when the plugin is to stop.
func (w *worker) pace() bool {
	w.quota.made(w.task.counts.InjectedBytes)
	for !w.stopping.Load() {
		wait := w.quota.wait(w.now())
		if wait == 0 {
			return true
		}
		if !w.paused {
			w.paused = true
			text := fmt.Sprintf("it made more than %d bytes in an hour, which is its share of stream derived; it waits before it reads on", int64(w.quota.hourly))
			w.logs.add(w.now(), text)
			w.log.Warn("plugin waits", "plugin", w.name, "reason", text)
		}
		timer := time.NewTimer(min(wait, time.Second))
		select {
		case <-w.inbox.wake:
		case <-timer.C:
		}
		timer.Stop()
		if w.asked.Load() {
			w.answer(false)
			w.publishStats()
		}
	}
	return false
}

// full says that a plugin must give a part before it makes more.
func (w *worker) full() bool {
	return w.task.Full() || w.sink != nil && w.sink.Due(w.now())
}

// recoverable decides what an abnormal ending means. A decoder's message goes to the errors as it came, and
// the decoder goes on, since a submission must neither be lost nor stop the others. Anything else ends;
// one that will read the message again then has made nothing of it.
func (w *worker) recoverable(v *message.View, err *sandbox.Error) bool {
	if w.kind != sandbox.Decoder || err.Outcome == sandbox.TerminatedByPlugin || err.Outcome == sandbox.Stopped {
		if !w.releasesPosition() || w.stopping.Load() {
			w.task.takeBack()
		}
		if raw := v.Raw(); len(raw) <= maxEndMessage {
			err.Message = bytes.Clone(raw)
		}
		w.end(err)
		return false
	}
	w.warn(err)
	w.task.takeBack()
	if err.Outcome == sandbox.MemoryExceeded { // its state is of no use any more
		task, rerr := w.reload(nil)
		if rerr != nil {
			w.end(err)
			return false
		}
		task.succeed(w.task)
		w.task.Close()
		w.setTask(task)
	}
	w.task.emit(undecoded(v, err.Outcome.String(), err.Text))
	return true
}

func (w *worker) warn(err *sandbox.Error) {
	w.log.Warn("decoder failed on a message, which is kept in stream errors", "plugin", w.name, "outcome", err.Outcome.String(), "line", err.Line, "error", err.Text)
}

// maxEndMessage bounds the message that is kept of a plugin that ended.
const maxEndMessage = 256 << 10

func (w *worker) end(err *sandbox.Error) {
	w.ended, w.itself = err, !w.stopping.Load()
	w.publishStats()
}

// tick runs timer_event when it is due.
func (w *worker) tick() {
	if w.ended != nil || w.task.NextTick() == 0 {
		return
	}
	now := w.now().UnixNano()
	timers := w.task.counts.Timers
	w.work.begin()
	err := w.task.Tick(now)
	w.work.end()
	if timers == w.task.counts.Timers { // it was not due
		return
	}
	w.inbox.touched()
	if err != nil {
		w.end(err)
	}
}

func (w *worker) untilTick() time.Duration {
	next := w.task.NextTick()
	if next == 0 {
		return time.Hour
	}
	// Not longer than an interval, since the clock may be changed meanwhile.
	return min(max(time.Unix(next, 0).Sub(w.now()), time.Millisecond), time.Minute)
}

// finish runs the last timer event and gives the last part.
func (w *worker) finish() {
	for _, f := range w.fanouts {
		f.leave(w.subscriber)
	}
	for s := range w.own {
		w.closeReader(s)
	}
	if w.ended == nil { // as Hindsight, also without a ticker
		w.answer(false) // what it did counts even if its last timer event fails
		w.work.begin()
		err := w.task.Timer(w.now().UnixNano(), true)
		w.work.end()
		if err != nil {
			w.ended = err
		}
		w.inbox.touched()
	}
	if w.itself && w.releasesPosition() {
		w.forget.Store(true)
	}
	w.answer(true)
	w.publishStats()
	if err := w.task.Close(); err != nil {
		w.log.Warn("close a plugin", "plugin", w.name, "error", err)
	}
}

// releasesPosition says whether a plugin that ended abnormally no longer holds back trimming. A decoder does, since
// submissions must not be lost, and an output unless its config says otherwise, as with Hindsight.
func (w *worker) releasesPosition() bool {
	cfg := w.task.Config
	remove, _ := cfg.Keys["remove_checkpoints_on_terminate"].(bool)
	return cfg.Kind == sandbox.Analysis || cfg.Kind == sandbox.Output && remove
}

func (w *worker) publishStats() {
	w.task.Passed(w.inbox.passedBy())
	s := w.task.Stats()
	w.stats.Store(&s)
}
