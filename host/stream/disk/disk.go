// Package disk keeps streams in files of framed messages, as Hindsight does, so that its tools read them.
//
//	DIR/lock                held by the process that has the directory open
//	DIR/checkpoint          what the newest commit made true; the formats are described in docs/format
//	DIR/states/N            the states that changed in one commit
//	DIR/{raw,valid,errors,derived}/N.log
//
// Raw is appended to at any time: a message is there when its segment was synced. The other streams end
// where the checkpoint says; whatever is found behind that belongs to a commit that did not happen.
//
// The package knows framed bytes; it must not know what a message holds, nor who reads or writes.
package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"sandbar/host/stream"
	"sandbar/sandbox/message"
)

// ErrLocked says that another process has the directory open.
var ErrLocked = errors.New("disk: in use by another sandbar; stop that one or choose another directory")

// Options of a Store. The zero value is usable.
type Options struct {
	FS          FS               // nil: the operating system's
	MaxMessage  int              // bytes of the largest message; default message.MaxSize
	SegmentSize int64            // a segment that is this long is followed by the next; default 64 MiB
	MinFree     int64            // raw takes nothing while less is free on the disk; default 256 MiB, negative: no limit
	Now         func() time.Time // for the age of segments; nil: they have none, and trimming by age does nothing
	Logger      *slog.Logger     // nil: silent
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = osFS{}
	}
	if o.MaxMessage <= 0 {
		o.MaxMessage = message.MaxSize
	}
	o.MaxMessage = min(o.MaxMessage, maxReadable)
	if o.SegmentSize <= 0 {
		o.SegmentSize = 64 << 20
	}
	if o.MinFree == 0 {
		o.MinFree = 256 << 20
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Store implements stream.Store.
type Store struct {
	dir  string
	opt  Options
	lk   io.Closer
	logs map[string]*log

	turn    chan struct{} // capacity 1; full while somebody commits or trims
	closing chan struct{}
	closed  atomic.Bool
	broken  atomic.Pointer[error]

	cp     atomic.Pointer[checkpoint] // what the file says; replaced, never changed
	states states                     // the holder of turn's
}

var _ stream.Store = (*Store)(nil)

// Log implements stream.Store.
func (s *Store) Log(name string) stream.Log {
	if l := s.logs[name]; l != nil {
		return l
	}
	return nil
}

// ID implements stream.Store.
func (s *Store) ID() stream.ID { return s.cp.Load().id }

// Readers implements stream.Store.
func (s *Store) Readers() map[string]map[string]stream.Position {
	all := make(map[string]map[string]stream.Position)
	for reader, positions := range s.cp.Load().readers {
		all[reader] = make(map[string]stream.Position, len(positions))
		for name, p := range positions {
			all[reader][name] = p
		}
	}
	return all
}

// slowest is the lowest committed position in a stream, if there is any.
func (s *Store) slowest(name string) (low stream.Position, held bool) {
	for _, positions := range s.cp.Load().readers {
		if p, ok := positions[name]; ok && (!held || p.Before(low)) {
			low, held = p, true
		}
	}
	return low, held
}

// States lists the names of all states.
func (s *Store) States() []string { return slices.Sorted(maps.Keys(s.cp.Load().states)) }

// State implements stream.Store.
func (s *Store) State(ctx context.Context, name string) ([]byte, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.unlock()
	ref, ok := s.cp.Load().states[name]
	if !ok {
		return nil, nil
	}
	b, err := s.states.read(ref)
	if err != nil {
		return nil, fmt.Errorf("state %q: %w", name, err)
	}
	return b, nil
}

// Close waits for the append and the commit that are under way; later ones get stream.ErrClosed.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	close(s.closing)
	<-s.logs[stream.Raw].stopped
	s.turn <- struct{}{} // for ever
	return s.release()
}

// release closes the files.
func (s *Store) release() error {
	var errs []error
	for _, l := range s.logs {
		errs = append(errs, l.tail.close())
	}
	errs = append(errs, s.lk.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close streams in %s: %w", s.dir, err)
	}
	return nil
}

// lock waits for the turn to commit or trim.
func (s *Store) lock(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing:
		return stream.ErrClosed
	}
	if s.closed.Load() {
		s.unlock()
		return stream.ErrClosed
	}
	return nil
}

func (s *Store) unlock() { <-s.turn }

// Writable returns why raw would take nothing now: ErrBroken, ErrFull, or nil.
func (s *Store) Writable() error { return s.admit(s.opt.MinFree) }

// admit refuses to write while the store is broken or the disk nearly full.
func (s *Store) admit(minFree int64) error {
	if err := s.broken.Load(); err != nil {
		return *err
	}
	if minFree <= 0 {
		return nil
	}
	free, err := s.opt.FS.Free(s.dir)
	if err != nil {
		return fmt.Errorf("ask for free space: %w", err)
	}
	if free < minFree {
		return fmt.Errorf("%w: %d MiB are free in %s, and %d MiB are kept free", stream.ErrFull, free>>20, s.dir, minFree>>20)
	}
	return nil
}

// rewinding is a tail and the place behind which nothing may stay.
type rewinding struct {
	tail *tail
	to   stream.Position
}

// undo takes back what was written before a write failed, so that it can be tried again, and returns what
// the writer is to be told. When a sync failed, nobody knows what the disk holds, and the system may say
// that all is well the next time: then the store takes no more writes. What was not acknowledged is cut off
// even so, lest a restart takes it out of the system's memory for durable.
func (s *Store) undo(err error, what ...rewinding) error {
	broken := isSyncError(err) && !isFull(err)
	for _, w := range what {
		if rerr := w.tail.rewind(w.to); rerr != nil {
			broken = true
			err = fmt.Errorf("%w; and to take it back: %w", err, rerr)
		}
	}
	if broken {
		return s.fail(err)
	}
	if isFull(err) {
		return fmt.Errorf("%w (%w)", stream.ErrFull, err)
	}
	return err
}

// fail refuses all later writes because of err.
func (s *Store) fail(err error) error {
	err = fmt.Errorf("%w (%w, in %s)", stream.ErrBroken, err, s.dir)
	if s.broken.CompareAndSwap(nil, &err) {
		s.opt.Logger.Error("streams take no more writes", "error", err)
	}
	return err
}

func (s *Store) now() time.Time {
	if s.opt.Now == nil {
		return time.Time{}
	}
	return s.opt.Now()
}

func (s *Store) path(name ...string) string {
	return filepath.Join(append([]string{s.dir}, name...)...)
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
