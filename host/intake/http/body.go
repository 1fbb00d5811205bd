package httpdoor

import (
	"container/list"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	smallRoom = 4 << 10  // of a new buffer; most submissions fit
	firstRoom = 64 << 10 // at most this is made for a body before any of it has come
	poolable  = 2 * firstRoom
	slowest   = 32 << 10 // bytes a second that a client must send, after BodyTimeout
	// addressShare is the part of all memory that one address may hold: a half.
	addressShare = 2
	// giveWayAfter is how long a body may be under way before it has to give way to others when memory is short, and
	// giveWayTime how long they wait for that.
	giveWayAfter = time.Second
	giveWayTime  = 500 * time.Millisecond
)

// inFlight bounds the memory of all submissions together, and of those of one address. When there is none left, the body that
// is under way for the longest time has to give way: who only holds memory keeps nobody out.
type inFlight struct {
	max   int64
	share int64 // of one address

	mu      sync.Mutex
	bytes   int64
	of      map[string]int64 // by address
	oldest  *list.List       // of *holder: bodies that are being read, the oldest in front
	freed   chan struct{}    // closed, and made anew, when memory was given back
	evicted int64
}

// holder is one body that is being read.
type holder struct {
	address string
	since   time.Time
	end     func() // ends the reading
}

// newInFlight bounds all to max bytes; an address may always send one submission of the largest size.
func newInFlight(most, largest int64) *inFlight {
	return &inFlight{max: most, share: max(most/addressShare, largest), of: map[string]int64{}, oldest: list.New(), freed: make(chan struct{})}
}

// begin notes a body that is going to be read, until done.
func (f *inFlight) begin(h *holder) *list.Element {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.oldest.PushBack(h)
}

func (f *inFlight) done(e *list.Element) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.oldest.Remove(e)
}

// take reserves memory for an address. It waits a little when another body gives way for it.
func (f *inFlight) take(address string, n int64, now time.Time) bool {
	var timeout <-chan time.Time
	for {
		ok, freed := f.try(address, n, now)
		if ok || freed == nil {
			return ok
		}
		if timeout == nil {
			timer := time.NewTimer(giveWayTime)
			defer timer.Stop()
			timeout = timer.C
		}
		select {
		case <-freed:
		case <-timeout:
			ok, _ := f.try(address, n, now)
			return ok
		}
	}
}

// try takes what is there. Else freed tells when to try again; it is nil when nobody gives way.
func (f *inFlight) try(address string, n int64, now time.Time) (ok bool, freed <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of[address]+n > f.share {
		return false, nil
	}
	if f.bytes+n <= f.max {
		f.bytes += n
		f.of[address] += n
		return true, nil
	}
	front := f.oldest.Front()
	if front == nil || now.Sub(front.Value.(*holder).since) < giveWayAfter {
		return false, nil
	}
	f.oldest.Remove(front) // done does nothing then
	f.evicted++
	front.Value.(*holder).end()
	return false, f.freed
}

func (f *inFlight) give(address string, n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bytes -= n
	if f.of[address] -= n; f.of[address] <= 0 {
		delete(f.of, address)
	}
	close(f.freed)
	f.freed = make(chan struct{})
}

func (f *inFlight) held() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.bytes
}

// setDeadline bounds the time for a body, also for one that is refused: net/http reads what is left of a small
// one before it answers, so that the connection can be kept.
func (d *Door) setDeadline(w http.ResponseWriter, length int64) {
	extra := min(max(length, 0), int64(d.opts.MaxBody)) / slowest
	deadline := d.opts.Now().Add(d.opts.BodyTimeout + time.Duration(extra)*time.Second)
	// The only error is that the connection has no deadlines, as in a test; the body's size is bounded anyway.
	_ = http.NewResponseController(w).SetReadDeadline(deadline)
}

// readBody appends the body to m.buf. Room grows with what has come, so a client cannot hold memory that it
// only announces.
func (d *Door) readBody(w http.ResponseWriter, r *http.Request, m *message) reply {
	if !d.room(m, min(m.end, len(m.buf)+firstRoom)) {
		return d.tooBusy()
	}
	h := &holder{address: m.address, since: d.opts.Now(), end: func() {
		_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)) // as above
	}}
	defer d.inFlight.done(d.inFlight.begin(h))
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
	d.log.error("submissions are refused for now", fmt.Errorf("those under way fill the %d bytes that they may take together, or one address the half of them", d.opts.MaxInFlight))
	return busy
}

// room makes m.buf hold size bytes and accounts for all that it can hold.
func (d *Door) room(m *message, size int) bool {
	size = max(size, cap(m.buf))
	if more := int64(size) - m.held; more > 0 && !d.inFlight.take(m.address, more, d.opts.Now()) {
		return false
	}
	m.held = max(m.held, int64(size))
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
	d.inFlight.give(m.address, m.held)
	m.held = 0
	m.list[0] = nil
	if m.lent || cap(m.buf) > poolable {
		m.buf, m.lent = nil, false
	}
	d.pool.Put(m)
}
