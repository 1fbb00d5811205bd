package disk

import (
	"errors"
	"fmt"
	"io"

	"sandbar/host/stream"
)

// recoverRaw cuts the torn end off the last segment. Everything before that was synced when it was rolled.
func (l *log) recoverRaw(known stream.Position) error {
	var end stream.Position
	if n := len(l.segments); n > 0 {
		last := l.segments[n-1]
		whole, err := l.wholeFrames(last)
		if err != nil {
			return err
		}
		if whole < last.size {
			l.store.opt.Logger.Warn("cut an append that was not finished", "stream", l.name, "segment", last.id, "bytes", last.size-whole)
		}
		end = stream.Position{Segment: last.id, Offset: whole}
		l.segments[n-1].size = whole
	}
	return l.begin(end, known)
}

// recoverCommitted cuts off what belongs to no commit.
func (l *log) recoverCommitted(end stream.Position) (stream.Position, error) {
	known := end
	for n := len(l.segments); n > 0 && l.segments[n-1].id > end.Segment; n-- {
		if err := l.fs.Remove(segmentPath(l.dir, l.segments[n-1].id)); err != nil {
			return end, err
		}
		l.segments = l.segments[:n-1]
	}
	n := len(l.segments)
	if n == 0 || l.segments[n-1].id < end.Segment {
		end = stream.Position{Segment: end.Segment} // its file is missing
	} else {
		end.Offset = min(end.Offset, l.segments[n-1].size)
		l.segments[n-1].size = end.Offset
	}
	err := l.begin(end, known)
	return l.end, err
}

// begin opens the segment that grows. A place that is known to have been durable once is never given to
// other messages: when the data there is gone, the next segment is begun, so that no reader's position and
// no file that is named after positions means two things.
func (l *log) begin(end, known stream.Position) error {
	if end.Before(known) {
		l.store.opt.Logger.Error("messages that were durable are gone: the disk lost them or files were removed",
			"stream", l.name, "from", end.String(), "to", known.String())
		end = stream.Position{Segment: known.Segment + 1}
	}
	t := &l.tail
	t.at, t.newName = end, true
	if n := len(l.segments); n == 0 || l.segments[n-1].id < end.Segment {
		f, err := l.fs.Create(t.path(end.Segment))
		if err != nil {
			return err
		}
		t.file = f
		l.segments = append(l.segments, segment{id: end.Segment, modified: l.store.now()})
	}
	l.end = end
	// After this what readers find is durable, also what the process before wrote and did not sync.
	return t.rewind(end)
}

// wholeFrames returns the end of the last whole frame of a segment. A frame at the very end that claims
// more bytes than there are is a torn one, and what lies in it is not looked at: it may be somebody's
// message with frames in it. Damage before the end is stepped over.
func (l *log) wholeFrames(seg segment) (int64, error) {
	f, err := l.fs.Open(segmentPath(l.dir, seg.id))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var whole, off int64
	block := make([]byte, min(seg.size, writeChunk))
	for off < seg.size {
		block = block[:min(int64(cap(block)), seg.size-off)]
		if n, err := f.ReadAt(block, off); n < len(block) {
			return 0, fmt.Errorf("read segment %d: %w", seg.id, errors.Join(err, io.ErrUnexpectedEOF))
		}
		at, need := 0, 0
		for at < len(block) {
			if off+int64(at) == whole && isTorn(block[at:], seg.size-whole, l.store.opt.MaxMessage) {
				return whole, nil
			}
			f := nextFrame(block, at, seg.size-off)
			at = f.start
			if f.msg == nil {
				need = f.need
				break
			}
			at = f.end
			whole = off + int64(at)
		}
		off += int64(at)
		if need > cap(block) {
			block = make([]byte, need)
		}
	}
	return whole, nil
}
