package disk

import (
	"context"
	"fmt"

	"sandbar/host/stream"
)

// Commit implements stream.Store. The commit happens when the new checkpoint is renamed into place: what it
// speaks of is durable before, and readers see it after.
func (s *Store) Commit(ctx context.Context, c *stream.Commit) error {
	if err := c.Check(s.opt.MaxMessage, 0); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if err := s.lock(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	defer s.unlock()
	if err := s.commit(c); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func (s *Store) commit(c *stream.Commit) error {
	minFree := s.opt.MinFree / 4 // what came in at the door can still be worked off
	if len(c.Appends) == 0 {
		minFree = 0 // positions must move, or trimming cannot make room
	}
	if err := s.admit(minFree); err != nil {
		return err
	}
	next := s.cp.Load().clone()
	done, back, err := s.writeAppends(c, next)
	if err == nil {
		next.move(c)
		err = s.checkPositions(c, next)
	}
	if err == nil {
		err = s.states.write(c.States, next)
	}
	if err == nil {
		err = writeFile(s.opt.FS, s.path(checkpointTemp), next.appendTo(nil))
	}
	if err == nil {
		if err = s.opt.FS.Rename(s.path(checkpointTemp), s.path(checkpointName)); err != nil && !isFull(err) {
			return s.fail(fmt.Errorf("put the checkpoint into place: %w", err)) // see below
		}
	}
	if err != nil {
		s.states.clean(s.cp.Load())
		return s.undo(err, back...)
	}
	if err := s.opt.FS.SyncDir(s.dir); err != nil {
		// Nothing is taken back: the new checkpoint may be the one that a restart finds.
		return s.fail(fmt.Errorf("put the checkpoint into place: %w", err))
	}
	s.cp.Store(next)
	for name, w := range done {
		s.logs[name].publish(w)
	}
	s.states.clean(next)
	return nil
}

// writeAppends makes the messages durable behind the ends of their streams, and says how to take them back.
func (s *Store) writeAppends(c *stream.Commit, next *checkpoint) (map[string]written, []rewinding, error) {
	done := make(map[string]written, len(c.Appends))
	var back []rewinding
	for _, name := range stream.Names() {
		msgs := c.Appends[name]
		if len(msgs) == 0 {
			continue
		}
		t := &s.logs[name].tail
		back = append(back, rewinding{t, t.at})
		w, err := t.addAll(msgs)
		if err != nil {
			return nil, back, fmt.Errorf("append to stream %s: %w", name, err)
		}
		done[name] = w
		next.ends[name] = w.end
	}
	return done, back, nil
}

// checkPositions refuses positions that no reader can have reached: behind them messages would be missed.
func (s *Store) checkPositions(c *stream.Commit, next *checkpoint) error {
	for reader, positions := range c.Positions {
		for name, p := range positions {
			end, ok := next.ends[name]
			if !ok {
				end = s.logs[name].End()
			}
			if end.Before(p) {
				return fmt.Errorf("reader %q at %s of stream %s: %w %s", reader, p, name, stream.ErrAhead, end)
			}
		}
	}
	return nil
}
