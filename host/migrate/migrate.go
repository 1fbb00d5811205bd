// Package migrate copies all that a store has into another, empty one: messages, positions and states. Positions are other
// ones there: a reader stands behind the same message.
//
// The positions and states come last, in one commit, so that a copy that broke off is not taken for a whole one.
package migrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"sandbar/host/stream"
)

// Source is a store that can say which states it has.
type Source interface {
	stream.Store
	States() []string
}

// ErrNotEmpty says that the store to copy into has something.
var ErrNotEmpty = errors.New("the streams to copy into are not empty")

// batchBytes is how much is copied at once.
const batchBytes = 1 << 20

// Copy copies from into to. progress is told how many messages of a stream were copied, now and then.
func Copy(ctx context.Context, from Source, to stream.Store, progress func(name string, messages int)) error {
	if err := empty(to); err != nil {
		return err
	}
	readers := from.Readers()
	final := &stream.Commit{Positions: map[string]map[string]stream.Position{}, States: map[string][]byte{}}
	for _, name := range stream.Names() {
		c := copying{ctx: ctx, name: name, from: from.Log(name), to: to, progress: progress}
		for reader, positions := range readers {
			if p, ok := positions[name]; ok {
				c.marks = append(c.marks, mark{reader, p})
			}
		}
		places, err := c.run()
		if err != nil {
			return fmt.Errorf("copy stream %s: %w", name, err)
		}
		for reader, p := range places {
			if final.Positions[reader] == nil {
				final.Positions[reader] = map[string]stream.Position{}
			}
			final.Positions[reader][name] = p
		}
	}
	for _, name := range from.States() {
		state, err := from.State(ctx, name)
		if err != nil {
			return fmt.Errorf("copy state %s: %w", name, err)
		}
		final.States[name] = state
	}
	if err := to.Commit(ctx, final); err != nil {
		return fmt.Errorf("commit positions and states: %w", err)
	}
	return nil
}

func empty(to stream.Store) error {
	if len(to.Readers()) > 0 {
		return fmt.Errorf("%w: they have positions of readers", ErrNotEmpty)
	}
	for _, name := range stream.Names() {
		if l := to.Log(name); l.First() != l.End() || l.End() != (stream.Position{}) {
			return fmt.Errorf("%w: stream %s goes to %s", ErrNotEmpty, name, l.End())
		}
	}
	return nil
}

// mark is a reader's position in the stream that is copied.
type mark struct {
	reader string
	at     stream.Position
}

// copying is the copy of one stream.
type copying struct {
	ctx      context.Context
	name     string
	from     stream.Log
	to       stream.Store
	marks    []mark
	progress func(name string, messages int)

	places map[string]stream.Position // of readers, in the copy
	n      int
}

// run copies and returns where each reader stands in the copy.
func (c *copying) run() (map[string]stream.Position, error) {
	c.places = map[string]stream.Position{}
	slices.SortFunc(c.marks, func(a, b mark) int {
		return cmp.Or(cmp.Compare(a.at.Segment, b.at.Segment), cmp.Compare(a.at.Offset, b.at.Offset))
	})
	r, err := c.from.NewReader(stream.Position{})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	c.pass(func(m mark) bool { return !r.Position().Before(m.at) }) // those who have read nothing of what is kept
	var batch stream.Batch
	for {
		switch err := r.Read(&batch, batchBytes); {
		case errors.Is(err, io.EOF):
			c.pass(func(mark) bool { return true })
			return c.places, nil
		case err != nil:
			return nil, err
		}
		if err := c.batch(&batch); err != nil {
			return nil, err
		}
		c.n += len(batch.Messages)
		c.progress(c.name, c.n)
	}
}

// batch copies a batch. It is cut where a reader stands, so that the place is the end of what was appended.
func (c *copying) batch(b *stream.Batch) error {
	for from := 0; from < len(b.Messages); {
		to := c.cut(b.Ends, from)
		if err := c.append(b.Messages[from:to]); err != nil {
			return err
		}
		done := b.Ends[to-1]
		c.pass(func(m mark) bool { return !done.Before(m.at) })
		from = to
	}
	return nil
}

// cut is how far the next piece of a batch goes. A reader that stands between two messages, where something was damaged, or
// at the start of a segment, stands behind the one before.
func (c *copying) cut(ends []stream.Position, from int) int {
	for len(c.marks) > 0 {
		at := c.marks[0].at
		i := slices.IndexFunc(ends[from:], func(end stream.Position) bool { return !end.Before(at) })
		switch {
		case i < 0:
			return len(ends)
		case ends[from+i] == at:
			return from + i + 1
		case i > 0:
			return from + i
		}
		c.pass(func(m mark) bool { return m.at == at })
	}
	return len(ends)
}

func (c *copying) append(msgs [][]byte) error {
	if c.name == stream.Raw {
		_, err := c.to.Log(c.name).Append(c.ctx, msgs...)
		return err
	}
	return c.to.Commit(c.ctx, &stream.Commit{Appends: map[string][][]byte{c.name: msgs}})
}

// pass notes the place of the readers that stand here.
func (c *copying) pass(here func(m mark) bool) {
	for len(c.marks) > 0 && here(c.marks[0]) {
		c.places[c.marks[0].reader] = c.to.Log(c.name).End()
		c.marks = c.marks[1:]
	}
}
