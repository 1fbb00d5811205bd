// Package view is what the views of a stream share: following the stream from a position on, a file that
// holds a position together with what was made of the messages before it, and a version that pages wait on.
//
// It knows positions and messages as bytes; it must not know what a view makes of them.
package view

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"sandbar/host/stream"
)

// batchBytes is about how much of the stream a view takes at once.
const batchBytes = 1 << 20

// Follower reads the logs of a stream, one of each store, and hands what it reads to a view. One goroutine runs it.
type Follower struct {
	Name   string // of the view, for log lines
	Logs   []stream.Log
	From   []stream.Position // of each log; nil: the oldest place ever
	Now    func() time.Time
	Logger *slog.Logger

	// Take gets the messages of a log in order, and is called by one goroutine at a time. The batch is reused: copy what is kept.
	Take func(log int, b *stream.Batch)

	// Save keeps what was made of all messages before the positions; nil for a view without a file. It is
	// called when there is something new: messages were read or the version changed. An error is logged
	// and Save is tried again later, since the stream still has what the file lacks.
	Save    func(at []stream.Position) error
	Version *Version
	Every   time.Duration // the least time between two saves
}

// Run follows the stream until the context ends and then saves once more. Ending the context is no error.
func (f *Follower) Run(ctx context.Context) error {
	from := f.From
	if from == nil {
		from = make([]stream.Position, len(f.Logs))
	}
	s := &saver{Follower: f, at: slices.Clone(from), savedAt: slices.Clone(from), next: f.Now().Add(f.Every)}
	all, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var following sync.WaitGroup
	for i := range f.Logs {
		following.Go(func() { cancel(s.follow(all, i)) })
	}
	following.Wait()
	s.save()
	if ctx.Err() == nil && len(f.Logs) > 0 {
		return fmt.Errorf("view %s: %w", f.Name, context.Cause(all))
	}
	return nil
}

// follow reads one log until the context ends.
func (s *saver) follow(ctx context.Context, i int) error {
	log, at := s.Logs[i], s.at[i]
	reader, err := openReader(ctx, log, at)
	if err != nil {
		return err
	}
	defer func() { reader.Close() }()
	var batch stream.Batch
	for ctx.Err() == nil {
		switch err := reader.Read(&batch, batchBytes); {
		case err == nil:
			at = reader.Position()
			s.take(i, &batch, at)
		case errors.Is(err, io.EOF):
			at = reader.Position()
			s.take(i, nil, at)
			if err := s.wait(ctx, reader); err != nil && !errors.Is(err, stream.ErrUnavailable) {
				return fmt.Errorf("wait for messages after %s: %w", at, err)
			}
		case errors.Is(err, stream.ErrTrimmed):
			s.Logger.Warn("messages were trimmed away before a view had read them", "view", s.Name, "position", at.String())
			next, err := openReader(ctx, log, at)
			if err != nil {
				return err
			}
			reader.Close()
			reader = next
		case errors.Is(err, stream.ErrUnavailable): // tried again
		default:
			return fmt.Errorf("read at %s: %w", at, err)
		}
		s.saveWhenDue()
	}
	return ctx.Err()
}

// openReader waits, until ctx ends, while the store does not say what it has.
func openReader(ctx context.Context, log stream.Log, at stream.Position) (stream.Reader, error) {
	for {
		reader, err := log.NewReader(at)
		if err == nil {
			return reader, nil
		}
		if !errors.Is(err, stream.ErrUnavailable) || ctx.Err() != nil {
			return nil, fmt.Errorf("open a reader at %s: %w", at, err)
		}
	}
}

// saver is a follower at work. It decides when the view is saved.
type saver struct {
	*Follower

	mu           sync.Mutex
	at           []stream.Position // that was taken
	savedAt      []stream.Position
	savedVersion uint64
	next         time.Time
}

func (s *saver) take(log int, b *stream.Batch, at stream.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b != nil {
		s.Take(log, b)
	}
	s.at[log] = at
}

// wait returns when there are messages, when it is time to save, or with an error.
func (s *saver) wait(ctx context.Context, reader stream.Reader) error {
	if s.Save == nil {
		return reader.Wait(ctx)
	}
	s.mu.Lock()
	next := s.next
	s.mu.Unlock()
	short, cancel := context.WithTimeout(ctx, max(next.Sub(s.Now()), time.Millisecond))
	defer cancel()
	if err := reader.Wait(short); err != nil && short.Err() == nil {
		return err
	}
	return ctx.Err()
}

func (s *saver) saveWhenDue() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	if s.Save == nil || now.Before(s.next) {
		return
	}
	s.save()
	end := s.Now()
	s.next = end.Add(max(s.Every, 20*end.Sub(now))) // a view that is long to write is written seldom
}

// save is called by one goroutine at a time.
func (s *saver) save() {
	if s.Save == nil {
		return
	}
	version := s.Version.Now() // before Save: what changes meanwhile is for the next
	if slices.Equal(s.at, s.savedAt) && version == s.savedVersion {
		return
	}
	if err := s.Save(slices.Clone(s.at)); err != nil {
		s.Logger.Error("a view could not be saved; it is tried again", "view", s.Name, "error", err)
		return
	}
	copy(s.savedAt, s.at)
	s.savedVersion = version
}
