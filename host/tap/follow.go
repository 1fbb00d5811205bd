package tap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"sandbar/host/stream"
	"sandbar/sandbox/message"
)

const (
	followers = 16                     // at once
	tellEvery = 500 * time.Millisecond // between two events
	// MaxRate is how many messages an event has at most.
	MaxRate  = 50
	farBytes = 64 << 20 // who is further behind goes on at the end
)

// Event is what came since the one before.
type Event struct {
	Seen
	Messages []Message `json:"list"`              // the newest of those that were wanted, the newest first
	Skipped  int64     `json:"skipped,omitempty"` // bytes that were not looked at, since more came than one can look at
}

// window is what has come since the last event.
type window struct {
	mu      sync.Mutex
	seen    Seen
	skipped int64
	keep    newest
}

// Follow hands on what comes, twice a second, until ctx or tell ends it. An event has at most rate messages. Nothing is sent while nothing
// comes, but for an event every few seconds.
func (t *Tap) Follow(ctx context.Context, q Query, rate int, tell func(Event) error) error {
	logs, err := t.partitions(q.Stream)
	if err != nil {
		return err
	}
	select {
	case t.following <- struct{}{}:
		defer func() { <-t.following }()
	default:
		return ErrBusy
	}
	w := &window{}
	w.keep = newest{most: min(rate, MaxRate), place: t.places(q.Stream)}
	ctx, cancel := context.WithCancelCause(ctx)
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel(nil)
	for i, log := range logs {
		r, err := log.NewReader(log.End())
		if err != nil {
			return fmt.Errorf("look into stream %s: %w", q.Stream, err)
		}
		reading.Go(func() {
			if err := t.follow(ctx, log, r, i, q, w); err != nil {
				cancel(fmt.Errorf("look into stream %s: %w", q.Stream, err))
			}
		})
	}
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	const quiet = 10       // ticks without anything
	for idle := quiet; ; { // the first event says that it begins
		e := w.take()
		if idle++; e.Seen.Messages > 0 || e.Skipped > 0 || idle >= quiet {
			idle = 0
			if err := tell(e); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// take empties the window.
func (w *window) take() Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := Event{Seen: w.seen, Messages: w.keep.list(), Skipped: w.skipped}
	w.seen, w.skipped, w.keep = Seen{}, 0, newest{most: w.keep.most, place: w.keep.place}
	return e
}

// follow reads a partition from its end on.
func (t *Tap) follow(ctx context.Context, log stream.Log, r stream.Reader, i int, q Query, w *window) error {
	defer func() { r.Close() }()
	var b stream.Batch
	var v message.View
	for ctx.Err() == nil {
		if end := log.End(); log.Distance(r.Position(), end) > farBytes {
			next, err := log.NewReader(end)
			if err != nil {
				return err
			}
			w.mu.Lock()
			w.skipped += log.Distance(r.Position(), end)
			w.mu.Unlock()
			r.Close()
			r = next
		}
		at := r.Position()
		switch err := r.Read(&b, batchBytes); {
		case errors.Is(err, io.EOF):
			if err := r.Wait(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, stream.ErrUnavailable) {
				return err
			}
			continue
		case errors.Is(err, stream.ErrUnavailable), errors.Is(err, stream.ErrTrimmed):
			continue
		case err != nil:
			return err
		}
		w.mu.Lock()
		for k, msg := range b.Messages {
			w.seen.count(msg, &v, q.Matcher, func() { w.keep.take(i, at, &v) })
			at = b.Ends[k]
		}
		w.mu.Unlock()
	}
	return nil
}
