package disk

import (
	"context"
	"fmt"
	"io"
	"slices"

	"sandbar/host/stream"
)

const (
	defaultBlock = 256 << 10
	minBlock     = 4 << 10
)

// reader reads whole blocks straight into the caller's batch. What a block holds of a frame that is not
// whole is read again with the next one, so that nothing is kept in between.
type reader struct {
	log  *log
	pos  stream.Position
	file File  // nil when not open
	open int64 // its segment
}

// NewReader implements stream.Log.
func (l *log) NewReader(from stream.Position) (stream.Reader, error) {
	if l.store.closed.Load() {
		return nil, stream.ErrClosed
	}
	if end := l.End(); end.Before(from) {
		return nil, fmt.Errorf("read stream %s from %s: %w %s", l.name, from, stream.ErrAhead, end)
	}
	if first := l.First(); from.Before(first) {
		from = first
	}
	return &reader{log: l, pos: from}, nil
}

func (r *reader) Position() stream.Position { return r.pos }

// Wait implements stream.Reader.
func (r *reader) Wait(ctx context.Context) error { return r.log.wait(ctx, r.pos) }

func (r *reader) Close() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}

func (r *reader) Read(b *stream.Batch, maxBytes int) error {
	b.Messages, b.Ends = b.Messages[:0], b.Ends[:0]
	if maxBytes <= 0 {
		maxBytes = defaultBlock
	}
	for len(b.Messages) == 0 {
		limit, err := r.seek()
		if err != nil {
			return err
		}
		if err := r.fill(b, maxBytes, limit); err != nil {
			return fmt.Errorf("read stream %s at %s: %w", r.log.name, r.pos, err)
		}
	}
	return nil
}

// seek finds the segment that has data after the position, opens it, and returns how long its data is.
func (r *reader) seek() (limit int64, err error) {
	for {
		if r.log.store.closed.Load() {
			return 0, stream.ErrClosed
		}
		pos, limit, err := r.log.locate(r.pos)
		r.pos = pos
		if err != nil {
			return 0, err
		}
		if r.file != nil && r.open == pos.Segment {
			return limit, nil
		}
		r.Close()
		f, err := r.log.fs.Open(segmentPath(r.log.dir, pos.Segment))
		if isMissing(err) && pos.Before(r.log.First()) {
			continue // trimmed in this moment
		}
		if err != nil {
			return 0, err
		}
		r.file, r.open = f, pos.Segment
	}
}

// fill reads one block into b, or none when there is nothing but damage in it.
func (r *reader) fill(b *stream.Batch, maxBytes int, limit int64) error {
	want := max(maxBytes, minBlock)
	for {
		left := limit - r.pos.Offset
		size := int(min(int64(want), left))
		b.Buf = slices.Grow(b.Buf[:0], size)[:size]
		if n, err := r.file.ReadAt(b.Buf, r.pos.Offset); n < size {
			if err == io.EOF { // the store knows of more
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		need := r.cut(b, maxBytes, left)
		if need == 0 || len(b.Messages) > 0 {
			return nil
		}
		want = need
	}
}

// cut takes the messages out of the block in b.Buf, until they have maxBytes. A result above 0 says how
// large the block must be to hold the next frame.
func (r *reader) cut(b *stream.Batch, maxBytes int, left int64) (need int) {
	base := r.pos.Offset
	at, skipped := 0, 0
	for at < len(b.Buf) && (at < maxBytes || len(b.Messages) == 0) {
		f := nextFrame(b.Buf, at, left)
		skipped += f.start - at
		at = f.start
		if f.msg == nil {
			need = f.need
			break
		}
		at = f.end
		b.Messages = append(b.Messages, f.msg)
		b.Ends = append(b.Ends, stream.Position{Segment: r.pos.Segment, Offset: base + int64(at)})
	}
	r.pos.Offset = base + int64(at)
	if skipped > 0 {
		r.log.skipped.Add(int64(skipped))
	}
	return need
}
