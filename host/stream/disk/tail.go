package disk

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"sandbar/host/stream"
	"sandbar/sandbox/message"
)

// writeChunk is how many bytes are gathered before they are written.
const writeChunk = 1 << 20

// tail is the writing end of a log. One goroutine at a time uses it.
//
// What is added is in doubt until sync has returned without an error. After any error the tail must be
// rewound to a place that is known to be durable.
type tail struct {
	fs    FS
	dir   string
	limit int64 // a segment that is this long is followed by the next

	file    File            // segment at.Segment; nil after a failed roll
	at      stream.Position // after the last message added
	buf     []byte          // frames not written yet; they end at at
	newName bool            // the directory has to be synced as well
	since   written         // since the last sync or rewind
}

// written is what was added to a log and made durable.
type written struct {
	grown    []segment // the segments that it lies in
	end      stream.Position
	messages int64
	bytes    int64 // of frames
	syncs    int64
}

// add puts a message behind the others.
func (t *tail) add(msg []byte) error {
	if t.at.Offset >= t.limit {
		if err := t.roll(); err != nil {
			return err
		}
	}
	before := len(t.buf)
	t.buf = message.AppendFrame(t.buf, msg)
	size := int64(len(t.buf) - before)
	t.at.Offset += size
	t.since.messages++
	t.since.bytes += size
	if len(t.buf) < writeChunk {
		return nil
	}
	return t.flush()
}

// addAll adds messages and makes them durable.
func (t *tail) addAll(msgs [][]byte) (written, error) {
	for _, m := range msgs {
		if err := t.add(m); err != nil {
			return written{}, err
		}
	}
	return t.sync()
}

// roll finishes the current segment, which is durable then, and begins the next.
func (t *tail) roll() error {
	if err := t.flush(); err != nil {
		return err
	}
	if err := t.syncFile(); err != nil {
		return err
	}
	t.file.Close() // synced, so nothing can come of it
	t.file = nil
	t.since.grown = append(t.since.grown, segment{id: t.at.Segment, size: t.at.Offset})
	t.at = stream.Position{Segment: t.at.Segment + 1}
	f, err := t.fs.Create(t.path(t.at.Segment))
	if err != nil {
		return fmt.Errorf("begin a segment: %w", err)
	}
	t.file, t.newName = f, true
	return nil
}

func (t *tail) flush() error {
	if len(t.buf) == 0 {
		return nil
	}
	if _, err := t.file.WriteAt(t.buf, t.at.Offset-int64(len(t.buf))); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	t.buf = t.buf[:0]
	if cap(t.buf) > 4*writeChunk { // one huge message should not cost memory for ever
		t.buf = nil
	}
	return nil
}

// sync makes everything added durable.
func (t *tail) sync() (written, error) {
	if err := t.flush(); err != nil {
		return written{}, err
	}
	if err := t.syncFile(); err != nil {
		return written{}, err
	}
	if t.newName {
		if err := t.fs.SyncDir(t.dir); err != nil {
			return written{}, &syncError{err}
		}
		t.newName = false
	}
	w := t.since
	w.grown = append(w.grown, segment{id: t.at.Segment, size: t.at.Offset})
	w.end = t.at
	t.since = written{}
	return w, nil
}

func (t *tail) syncFile() error {
	t.since.syncs++
	if err := t.file.Sync(); err != nil {
		return &syncError{err}
	}
	return nil
}

// rewind cuts off everything behind a place, durably.
func (t *tail) rewind(to stream.Position) error {
	last := t.at.Segment
	t.at, t.buf, t.since = to, nil, written{}
	if t.file != nil && last != to.Segment {
		t.file.Close()
		t.file = nil
	}
	for id := last; id > to.Segment; id-- {
		if err := t.fs.Remove(t.path(id)); err != nil && !isMissing(err) {
			return fmt.Errorf("take back a segment: %w", err)
		}
		t.newName = true
	}
	if t.file == nil {
		f, err := t.fs.OpenWrite(t.path(to.Segment))
		if err != nil {
			return fmt.Errorf("open a segment again: %w", err)
		}
		t.file = f
	}
	if err := t.file.Truncate(to.Offset); err != nil {
		return fmt.Errorf("cut a segment to %d bytes: %w", to.Offset, err)
	}
	_, err := t.sync()
	return err
}

func (t *tail) close() error {
	if t.file == nil {
		return nil
	}
	return t.file.Close()
}

func (t *tail) path(id int64) string { return segmentPath(t.dir, id) }

func segmentPath(dir string, id int64) string {
	return filepath.Join(dir, strconv.FormatInt(id, 10)+".log")
}

// syncError says that a sync failed: what the disk holds is unknown.
type syncError struct{ err error }

func (e *syncError) Error() string { return "sync: " + e.err.Error() }
func (e *syncError) Unwrap() error { return e.err }

func isSyncError(err error) bool {
	var s *syncError
	return errors.As(err, &s)
}
