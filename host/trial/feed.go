package trial

import (
	"errors"
	"io"
	"time"

	"sandbar/sandbox/matcher"
	"sandbar/sandbox/message"
)

// Source yields messages; message.Reader is one.
type Source interface {
	// Next returns the next message, valid until the next call, or io.EOF.
	Next() ([]byte, error)
}

// Lender is a Source whose messages can stay where they were read, so that none is copied; message.Reader is one.
type Lender interface {
	Source
	// Lend makes messages stay as they are, in buffers that fresh makes.
	Lend(fresh func(least int) []byte)
}

// batch is a run of messages and who wants them. Of all messages read only those that somebody wants are kept.
type batch struct {
	read    int // messages, wanted or not
	bytes   int64
	damaged int64
	views   []message.View
	hits    [][]int32 // by plugin: which of views it wants
	steps   []step
	newest  int64    // Timestamp; 0 when none of them is newer than what was read before
	buf     []byte   // that views look into
	lent    []byte   // the buffer of a Lender that they look into, when nothing else does
	made    [][]made // by group, when several workers are at it: what its plugins made; nil while they are not done
	end     bool     // of the input
	err     error
}

// step is where the time of the messages reaches a new second.
type step struct {
	at int   // views before it come first
	ns int64 // the Timestamp that reached it
}

// Bounds of a batch: what is collected before the plugins run.
const (
	batchRead   = 4096
	batchWanted = 1024
	batchBytes  = 1 << 20
	batchSlack  = 64 << 10 // so that the last message of a batch seldom needs a new buffer
	lentBytes   = 2 << 20
	lentRead    = 32 << 10
)

// feeder fills batches.
type feeder struct {
	src      Source
	index    *matcher.Index
	wanted   int // how many plugins there are
	ids      []int
	second   int64  // newest second seen
	newest   int64  // newest Timestamp seen
	inflated []byte // what a view looks at when the message was compressed

	// Of a Lender.
	lends bool
	lent  []byte   // the buffer that is read into, unless several batches look into it
	spare [][]byte // those that no batch looks into any more
	fresh bool     // lent is new
	first []byte   // the message that a new buffer begins with
}

func newFeeder(plugins []*Plugin, src Source) *feeder {
	ms := make([]*matcher.Matcher, len(plugins))
	for i, p := range plugins {
		ms[i] = p.Task.Matcher
	}
	f := &feeder{src: src, index: matcher.NewIndex(ms), wanted: len(ms)}
	if l, ok := src.(Lender); ok {
		f.lends = true
		l.Lend(f.lend)
	}
	return f
}

// lend is a buffer for a Lender.
func (f *feeder) lend(least int) []byte {
	f.fresh = true
	if last := len(f.spare) - 1; last >= 0 && least <= lentBytes {
		f.lent, f.spare = f.spare[last], f.spare[:last]
	} else {
		f.lent = make([]byte, max(lentBytes, least+batchSlack))
	}
	return f.lent
}

// fill reads and matches a batch.
func (f *feeder) fill(b *batch) {
	if len(b.lent) == lentBytes {
		f.spare = append(f.spare, b.lent)
	}
	*b = batch{views: b.views[:0], hits: b.hits, steps: b.steps[:0], buf: b.buf[:0], lent: f.lent}
	if b.hits == nil {
		b.hits = make([][]int32, f.wanted)
	}
	for i := range b.hits {
		b.hits[i] = b.hits[i][:0]
	}
	if f.first != nil {
		f.add(b, f.first)
		f.first = nil
	}
	for !f.full(b) {
		msg, err := f.src.Next()
		if err != nil {
			if b.end = errors.Is(err, io.EOF); !b.end {
				b.err = err
			}
			break
		}
		if f.fresh { // a batch of a Lender is what one buffer holds
			f.fresh = false
			if b.read > 0 {
				f.first = msg
				break
			}
			b.lent = f.lent
		}
		f.add(b, msg)
	}
	b.newest = f.newest
}

// full says whether a batch has enough. When it has not come to the end of a buffer then nobody may write into that again.
func (f *feeder) full(b *batch) bool {
	if !f.lends {
		return b.read >= batchRead || len(b.views) >= batchWanted || len(b.buf) >= batchBytes
	}
	if b.read < lentRead {
		return false
	}
	b.lent, f.lent = nil, nil
	return true
}

// add finds who wants a message and keeps it for them.
func (f *feeder) add(b *batch, msg []byte) {
	at := len(b.views)
	b.views = append(b.views, message.View{})
	v := &b.views[at]
	var err error
	if f.inflated, err = message.Decode(v, msg, f.inflated); err == nil {
		err = v.Whole()
	}
	if err != nil {
		b.views = b.views[:at]
		b.damaged++
		for inside := range message.Inside(msg) {
			f.add(b, inside)
		}
		return
	}
	b.read++
	b.bytes += int64(len(msg))
	f.ids = f.index.Match(v, f.ids[:0])
	ns := v.Timestamp()
	if len(f.ids) == 0 {
		b.views = b.views[:at]
	} else {
		for _, id := range f.ids {
			b.hits[id] = append(b.hits[id], int32(at))
		}
		if raw := v.Raw(); !f.lends || &raw[0] != &msg[0] {
			*v = v.Over(b.keep(raw))
		}
	}
	if ns > f.newest {
		f.newest = ns
		if s := ns / int64(time.Second); s > f.second {
			f.second = s
			b.steps = append(b.steps, step{at: at, ns: ns})
		}
	}
}

// keep copies a message into the batch.
func (b *batch) keep(raw []byte) []byte {
	if len(b.buf)+len(raw) > cap(b.buf) {
		b.buf = make([]byte, 0, max(batchBytes+batchSlack, len(raw))) // views keep the old one alive
	}
	start := len(b.buf)
	b.buf = append(b.buf, raw...)
	return b.buf[start:len(b.buf):len(b.buf)]
}
