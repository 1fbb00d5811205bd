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
	"time"

	"sandbar/host/stream"
)

// batchBytes is about how much of the stream a view takes at once.
const batchBytes = 1 << 20

// Follower reads a stream and hands it to a view. One goroutine runs it.
type Follower struct {
	Name   string // of the view, for log lines
	Log    stream.Log
	From   stream.Position
	Now    func() time.Time
	Logger *slog.Logger

	// Take gets the messages in order. The batch is reused: copy what is kept.
	Take func(b *stream.Batch)

	// Save keeps what was made of all messages before the position; nil for a view without a file. It is
	// called when there is something new: messages were read or the version changed. An error is logged
	// and Save is tried again later, since the stream still has what the file lacks.
	Save    func(at stream.Position) error
	Version *Version
	Every   time.Duration // the least time between two saves
}

// Run follows the stream until the context ends and then saves once more. Ending the context is no error.
func (f *Follower) Run(ctx context.Context) error {
	if err := f.follow(ctx); ctx.Err() == nil {
		return fmt.Errorf("view %s: %w", f.Name, err)
	}
	return nil
}

func (f *Follower) follow(ctx context.Context) error {
	reader, err := f.Log.NewReader(f.From)
	if err != nil {
		return fmt.Errorf("open a reader at %s: %w", f.From, err)
	}
	defer func() { reader.Close() }()
	s := saver{Follower: f, savedAt: f.From, next: f.Now().Add(f.Every)}
	at := f.From
	defer func() { s.save(at) }()
	var batch stream.Batch
	for ctx.Err() == nil {
		switch err := reader.Read(&batch, batchBytes); {
		case err == nil:
			f.Take(&batch)
			at = reader.Position()
		case errors.Is(err, io.EOF):
			at = reader.Position()
			if err := s.wait(ctx, reader); err != nil && !errors.Is(err, stream.ErrUnavailable) {
				return fmt.Errorf("wait for messages after %s: %w", at, err)
			}
		case errors.Is(err, stream.ErrTrimmed):
			f.Logger.Warn("messages were trimmed away before a view had read them", "view", f.Name, "position", at.String())
			next, err := f.Log.NewReader(at)
			if err != nil {
				return fmt.Errorf("open a reader after %s: %w", at, err)
			}
			reader.Close()
			reader = next
		case errors.Is(err, stream.ErrUnavailable): // tried again
		default:
			return fmt.Errorf("read at %s: %w", at, err)
		}
		s.saveWhenDue(at)
	}
	return ctx.Err()
}

// saver decides when a follower's view is saved.
type saver struct {
	*Follower
	savedAt      stream.Position
	savedVersion uint64
	next         time.Time
}

// wait returns when there are messages, when it is time to save, or with an error.
func (s *saver) wait(ctx context.Context, reader stream.Reader) error {
	if s.Save == nil {
		return reader.Wait(ctx)
	}
	short, cancel := context.WithTimeout(ctx, max(s.next.Sub(s.Now()), time.Millisecond))
	defer cancel()
	if err := reader.Wait(short); err != nil && short.Err() == nil {
		return err
	}
	return ctx.Err()
}

func (s *saver) saveWhenDue(at stream.Position) {
	now := s.Now()
	if s.Save == nil || now.Before(s.next) {
		return
	}
	s.save(at)
	end := s.Now()
	s.next = end.Add(max(s.Every, 20*end.Sub(now))) // a view that is long to write is written seldom
}

func (s *saver) save(at stream.Position) {
	if s.Save == nil {
		return
	}
	version := s.Version.Now() // before Save: what changes meanwhile is for the next
	if at == s.savedAt && version == s.savedVersion {
		return
	}
	if err := s.Save(at); err != nil {
		s.Logger.Error("a view could not be saved; it is tried again", "view", s.Name, "error", err)
		return
	}
	s.savedAt, s.savedVersion = at, version
}
