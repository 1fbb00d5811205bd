package httpdoor

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	smallRoom = 4 << 10  // of a new buffer; most submissions fit
	firstRoom = 64 << 10 // at most this is made for a body before any of it has come
	poolable  = 2 * firstRoom
	slowest   = 32 << 10 // bytes a second that a client must send, after BodyTimeout
)

// inFlight bounds the memory of all submissions together.
type inFlight struct {
	max   int64
	bytes atomic.Int64
}

func (f *inFlight) take(n int64) bool {
	if f.bytes.Add(n) <= f.max {
		return true
	}
	f.bytes.Add(-n)
	return false
}

func (f *inFlight) give(n int64) { f.bytes.Add(-n) }

// setDeadline bounds the time for a body, also for one that is refused: net/http reads what is left of a small
// one before it answers, so that the connection can be kept.
func (d *Door) setDeadline(w http.ResponseWriter, length int64) {
	extra := min(max(length, 0), int64(d.opts.MaxBody)) / slowest
	deadline := d.opts.Now().Add(d.opts.BodyTimeout + time.Duration(extra)*time.Second)
	// The only error is that the connection has no deadlines, as in a test; the body's size is bounded anyway.
	_ = http.NewResponseController(w).SetReadDeadline(deadline)
}

// readBody appends the body to m.buf. Room grows with what has come, so a client cannot hold memory that it
// only announces. Who does not get room is answered at once: waiting while holding some could last for ever.
func (d *Door) readBody(r *http.Request, m *message) reply {
	if !d.room(m, min(m.end, len(m.buf)+firstRoom)) {
		return d.tooBusy()
	}
	for len(m.buf) < m.end {
		if len(m.buf) == cap(m.buf) && !d.room(m, min(m.end, 2*cap(m.buf))) {
			return d.tooBusy()
		}
		n, err := r.Body.Read(m.buf[len(m.buf):min(cap(m.buf), m.end)])
		m.buf = m.buf[:len(m.buf)+n]
		if err != nil && len(m.buf) < m.end {
			return shortBody
		}
	}
	return reply{}
}

func (d *Door) tooBusy() reply {
	d.log.error("submissions are refused for now", fmt.Errorf("those under way fill the %d bytes that they may take together", d.opts.MaxInFlight))
	return busy
}

// room makes m.buf hold size bytes and accounts for all that it can hold.
func (d *Door) room(m *message, size int) bool {
	size = max(size, cap(m.buf))
	if !d.inFlight.take(int64(size) - m.held) {
		return false
	}
	m.held = int64(size)
	if size > cap(m.buf) {
		larger := make([]byte, len(m.buf), size)
		copy(larger, m.buf)
		m.buf = larger
	}
	return true
}

// release gives the memory back. A buffer that the stream may still read, or a large one, is left to the
// collector.
func (d *Door) release(m *message) {
	d.inFlight.give(m.held)
	m.held = 0
	m.list[0] = nil
	if m.lent || cap(m.buf) > poolable {
		m.buf, m.lent = nil, false
	}
	d.pool.Put(m)
}
