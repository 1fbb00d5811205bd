package runner

import (
	"time"

	"sandbar/host/stream"
	"sandbar/sandbox"
)

// retryAfter is how long a message waits that an output plugin wants again.
const retryAfter = time.Second

// held is the messages that an output plugin has taken and not acknowledged, as it batches them or sends them on
// asynchronously. Its positions stay before the first of them, so that they come again after a restart.
type held struct {
	queue []heldMessage // oldest first
}

type heldMessage struct {
	number int64 // as the plugin counts
	stream string
	before stream.Position // everything before it is done with
}

// retries heeds what an output plugin has returned for a message, the one of it.hits[at], and reports whether it wants
// the message again.
func (l *live) retries(it *item, at int) bool {
	res := l.task.last
	switch {
	case res.Status == sandbox.StatusRetry:
		l.task.takeBack()
		l.held.ack(l)
		return true
	case res.Status == sandbox.StatusBatch || res.Status == sandbox.StatusAsync:
		l.held.queue = append(l.held.queue, heldMessage{l.task.counts.Matched, it.stream, l.inbox.peek()[it.stream]})
		if at > 0 { // messages of the item before it may not be noted yet
			l.held.queue[len(l.held.queue)-1].before = it.batch.ends[it.hits[at-1]]
		}
		l.held.ack(l)
	case res.Status == 0:
		l.held.queue = l.held.queue[:0]
	}
	l.task.heed = len(l.held.queue) > 0
	l.holds.Store(l.task.heed)
	return false
}

// ack drops what the newest call has acknowledged.
func (h *held) ack(l *live) {
	acked := l.task.last.Acked
	n := 0
	for n < len(h.queue) && h.queue[n].number <= acked {
		n++
	}
	if n == 0 {
		return
	}
	l.task.last.Acked = 0
	h.queue = append(h.queue[:0], h.queue[n:]...)
	l.task.heed = len(h.queue) > 0
	l.holds.Store(l.task.heed)
	l.inbox.notTaken() // the positions move
}

// holdBack sets positions back to what is acknowledged.
func (h *held) holdBack(pos map[string]stream.Position) {
	for _, m := range h.queue {
		if p, ok := pos[m.stream]; ok && m.before.Before(p) {
			pos[m.stream] = m.before
		}
	}
}

// pauseForRetry waits before a message is given again. Timer events go on. It reports false when the plugin is to stop.
func (l *live) pauseForRetry() bool {
	timer := time.NewTimer(retryAfter)
	defer timer.Stop()
	for {
		if l.stopping.Load() || l.ended != nil {
			return false
		}
		if l.asked.Load() {
			l.answer(false)
			l.publishStats()
		}
		select {
		case <-l.inbox.wake:
			l.tick()
		case <-timer.C:
			l.tick()
			return l.ended == nil && !l.stopping.Load()
		}
	}
}
