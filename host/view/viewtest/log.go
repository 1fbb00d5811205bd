// Package viewtest is a stream.Log in memory, for tests of what reads a stream. It must not be used by
// anything but tests.
package viewtest

import (
	"context"
	"io"
	"sync"
	"time"

	"sandbar/host/stream"
	"sandbar/sandbox/message"
)

// Log keeps its messages in memory, in segments of PerSegment messages.
type Log struct {
	mu         sync.Mutex
	perSegment int64
	msgs       [][]byte
	starts     []stream.Position // starts[i] is the position before msgs[i]; one more than messages
	trimmed    int               // messages that are gone
	grown      chan struct{}
	life       byte
}

var _ stream.Log = (*Log)(nil)

// New returns an empty log.
func New(perSegment int) *Log {
	return &Log{perSegment: int64(perSegment), starts: make([]stream.Position, 1), grown: make(chan struct{})}
}

// Put appends messages.
func (l *Log) Put(msgs ...[]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range msgs {
		next := l.starts[len(l.starts)-1]
		next.Offset += int64(message.FrameSize(len(m)))
		l.msgs = append(l.msgs, m)
		if int64(len(l.msgs))%l.perSegment == 0 {
			next = stream.Position{Segment: next.Segment + 1}
		}
		l.starts = append(l.starts, next)
	}
	close(l.grown)
	l.grown = make(chan struct{})
}

// Drop trims the oldest messages until n are gone.
func (l *Log) Drop(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trimmed = n
}

// Store is the same for all logs of tests, unless Replaced was called.
func (l *Log) Store() stream.ID { return stream.ID{1 + l.life} }

// Replaced makes the log one of another store.
func (l *Log) Replaced() { l.life++ }

// Distance is what the interface asks for, without segments.
func (l *Log) Distance(from, to stream.Position) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	bytes := int64(0)
	for i, m := range l.msgs {
		if p := l.starts[i]; !p.Before(from) && p.Before(to) {
			bytes += int64(message.FrameSize(len(m)))
		}
	}
	return bytes
}

// Append is Put as stream.Log has it.
func (l *Log) Append(_ context.Context, msgs ...[]byte) (stream.Position, error) {
	l.Put(msgs...)
	return l.End(), nil
}

// First is the position before the oldest message that was not dropped.
func (l *Log) First() stream.Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.starts[l.trimmed]
}

// End is the position after the newest message.
func (l *Log) End() stream.Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.starts[len(l.starts)-1]
}

// Wait returns when there is something to read.
func (r *reader) Wait(ctx context.Context) error {
	for {
		r.log.mu.Lock()
		ready, grown := r.next < len(r.log.msgs), r.log.grown
		r.log.mu.Unlock()
		if ready {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Within says that messages are certain.
func (l *Log) Within(end stream.Position, _ int) (stream.Position, bool) { return end, false }

// Earlier is where the segment before begins.
func (l *Log) Earlier(p stream.Position) stream.Position {
	at := stream.Position{Segment: max(p.Segment-1, 0)}
	if first := l.First(); at.Before(first) {
		return first
	}
	return at
}

// Trim does nothing; see Drop.
func (l *Log) Trim(context.Context, int64, time.Duration) (int64, error) { return 0, nil }

// Stats are not kept.
func (l *Log) Stats() stream.Stats { return stream.Stats{} }

// NewReader reads from the first message at or after the position.
func (l *Log) NewReader(from stream.Position) (stream.Reader, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := l.trimmed
	for next < len(l.msgs) && l.starts[next].Before(from) {
		next++
	}
	return &reader{log: l, next: next}, nil
}

type reader struct {
	log  *Log
	next int
}

func (r *reader) Read(b *stream.Batch, maxBytes int) error {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	b.Messages, b.Ends = b.Messages[:0], b.Ends[:0]
	if r.next < r.log.trimmed {
		return stream.ErrTrimmed
	}
	for size := 0; r.next < len(r.log.msgs) && size < maxBytes; r.next++ {
		msg := r.log.msgs[r.next]
		size += len(msg)
		b.Messages = append(b.Messages, msg)
		b.Ends = append(b.Ends, r.log.starts[r.next+1])
	}
	if len(b.Messages) == 0 {
		return io.EOF
	}
	return nil
}

func (r *reader) Position() stream.Position {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	return r.log.starts[r.next]
}

func (r *reader) Close() error { return nil }
