package runner

import (
	"time"

	"sandbar/host/stream"
	"sandbar/sandbox"
)

// retryAfter is how long a message waits that an output plugin wants again.
const retryAfter = time.Second

// parked is the messages that an output plugin has taken and not acknowledged, as it batches them or sends them on
// asynchronously. Its positions stay before the first of them, so that they come again after a restart.
type parked struct {
	queue []parkedMessage // oldest first
}

type parkedMessage struct {
	number int64 // as the plugin counts
	stream string
	before stream.Position // everything before it is done with
}

// retries heeds what an output plugin has returned for a message, the one of it.hits[at], and reports whether it wants
// the message again.
func (w *worker) retries(it *item, at int) bool {
	res := w.task.last
	switch {
	case res.Status == sandbox.StatusRetry:
		w.task.takeBack()
		w.parked.ack(w)
		return true
	case res.Status == sandbox.StatusBatch || res.Status == sandbox.StatusAsync:
		w.parked.queue = append(w.parked.queue, parkedMessage{w.task.counts.Matched, it.stream, w.inbox.peek()[it.stream]})
		if at > 0 { // messages of the item before it may not be noted yet
			w.parked.queue[len(w.parked.queue)-1].before = it.batch.ends[it.hits[at-1]]
		}
		w.parked.ack(w)
	case res.Status == 0:
		w.parked.queue = w.parked.queue[:0]
	}
	w.task.heed = len(w.parked.queue) > 0
	w.holds.Store(w.task.heed)
	return false
}

// ack drops what the newest call has acknowledged.
func (p *parked) ack(w *worker) {
	acked := w.task.last.Acked
	n := 0
	for n < len(p.queue) && p.queue[n].number <= acked {
		n++
	}
	if n == 0 {
		return
	}
	w.task.last.Acked = 0
	p.queue = append(p.queue[:0], p.queue[n:]...)
	w.task.heed = len(p.queue) > 0
	w.holds.Store(w.task.heed)
	w.inbox.notTaken() // the positions move
}

// holdBack sets positions back to what is acknowledged.
func (p *parked) holdBack(pos map[string]stream.Position) {
	for _, m := range p.queue {
		if at, ok := pos[m.stream]; ok && m.before.Before(at) {
			pos[m.stream] = m.before
		}
	}
}

// pauseForRetry waits before a message is given again. Timer events go on. It reports false when the plugin is to stop.
func (w *worker) pauseForRetry() bool {
	timer := time.NewTimer(retryAfter)
	defer timer.Stop()
	for {
		if w.stopping.Load() || w.ended != nil {
			return false
		}
		if w.asked.Load() {
			w.answer(false)
			w.publishStats()
		}
		select {
		case <-w.inbox.wake:
			w.tick()
		case <-timer.C:
			w.tick()
			return w.ended == nil && !w.stopping.Load()
		}
	}
}
