package disk

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"sandbar/host/stream"
)

// segment is one file of a log.
type segment struct {
	id       int64
	size     int64 // bytes of it that may be read
	modified time.Time
}

func (s segment) end() stream.Position { return stream.Position{Segment: s.id, Offset: s.size} }

// log is one stream. What may be read of it is segments and end; what is being written is in tail.
type log struct {
	store *Store
	fs    FS
	name  string
	dir   string
	tail  tail // the flusher's for raw, the holder of Store.turn's for the others

	requests chan *request // raw only
	stopped  chan struct{} // closed when the flusher has ended; raw only

	skipped atomic.Int64

	mu       sync.Mutex
	segments []segment // ascending, never empty; the last is the one that grows
	end      stream.Position
	gone     stream.Position // behind the newest message that was trimmed away
	changed  chan struct{}   // closed when end moves; nil when nobody waits
	stats    stream.Stats
}

func (l *log) First() stream.Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return stream.Position{Segment: l.segments[0].id}
}

func (l *log) Store() stream.ID { return l.store.ID() }

// Within implements stream.Log.
func (l *log) Within(end stream.Position, size int) (stream.Position, bool) {
	return stream.Position{Segment: end.Segment, Offset: max(end.Offset-int64(size), 0)}, true
}

// Earlier implements stream.Log: where the segment before begins.
func (l *log) Earlier(p stream.Position) stream.Position {
	at := stream.Position{Segment: max(p.Segment-1, 0)}
	if first := l.First(); at.Before(first) {
		return first
	}
	return at
}

func (l *log) Distance(from, to stream.Position) int64 {
	if !from.Before(to) {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	bytes := to.Offset - from.Offset
	for _, seg := range l.segments {
		if seg.id >= from.Segment && seg.id < to.Segment {
			bytes += seg.size
		}
	}
	return max(bytes, 0)
}

func (l *log) End() stream.Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.end
}

func (l *log) Stats() stream.Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Skipped = l.skipped.Load()
	for _, seg := range l.segments {
		s.Stored += seg.size
	}
	return s
}

// wait returns when the end is after p, or with the context's error.
func (l *log) wait(ctx context.Context, p stream.Position) error {
	for {
		l.mu.Lock()
		if p.Before(l.end) {
			l.mu.Unlock()
			return nil
		}
		if l.changed == nil {
			l.changed = make(chan struct{})
		}
		changed := l.changed
		l.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-l.store.closing:
			return stream.ErrClosed
		}
	}
}

// publish lets readers see what was written.
func (l *log) publish(w written) {
	now := l.store.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, g := range w.grown {
		g.modified = now
		last := &l.segments[len(l.segments)-1]
		switch {
		case last.id != g.id:
			l.segments = append(l.segments, g)
		case last.size != g.size:
			*last = g
		}
	}
	l.end = w.end
	l.stats.Messages += w.messages
	l.stats.Bytes += w.bytes
	l.stats.Syncs += w.syncs
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// locate moves a position over the ends of segments to where data is, and returns how long the data of
// that segment is.
func (l *log) locate(p stream.Position) (at stream.Position, limit int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, seg := range l.segments {
		if seg.id < p.Segment {
			continue
		}
		if seg.id > p.Segment {
			lost := p.Before(l.gone)
			p = stream.Position{Segment: seg.id}
			if lost {
				return p, 0, fmt.Errorf("stream %s: %w", l.name, stream.ErrTrimmed)
			}
		}
		if p.Offset < seg.size {
			return p, seg.size, nil
		}
	}
	return p, 0, io.EOF
}
