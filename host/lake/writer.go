package lake

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"sandbar/host/bucket"
	"sandbar/host/stream"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// ErrFull says that a plugin wrote far more in one go than the lake collects between two flushes.
var ErrFull = errors.New("lake: too much was written before a flush; write less in one call")

// overshoot is how far above its bounds a writer may go before writing fails. A flush is due at the
// bounds; what a plugin writes until the host gets to it must still find room.
const overshoot = 2

// Writer is the lake as one output plugin has it. Heka, Parquet and Flush are called by the plugin's own
// goroutine, Publish and Stats by any.
type Writer struct {
	lake   *Lake
	logger string
	life   string // random, of the first flush ever
	ledger *bucket.Ledger

	mu    sync.Mutex
	open  map[string]*buffer // by key without the object's name
	bytes int64              // in open
	full  bool               // one of open is at its bound
	since time.Time          // when Due first saw something in open
	dirty bool               // written to since the last Flush that succeeded
	flush int64              // number of the newest Flush
	stats Stats
}

var _ sandbox.Lake = (*Writer)(nil)

// Stats are a writer's numbers since the host started.
type Stats struct {
	Logger    string `json:"logger"`
	Open      int    `json:"open"`      // objects that are being filled
	Buffered  int64  `json:"buffered"`  // bytes in them
	Sealed    int    `json:"sealed"`    // objects that wait for a commit or to be published
	Rows      int64  `json:"rows"`      // messages and rows written
	Published int64  `json:"published"` // objects
	Bytes     int64  `json:"bytes"`     // in published objects
	Flushes   int64  `json:"flushes"`
	Parquet   Misfit `json:"parquet"`
}

// Misfit counts what did not fit into columns of Parquet files.
type Misfit struct {
	Rows    int64 `json:"rows"`    // whose payload was no JSON document; they have message columns only
	Columns int64 `json:"columns"` // left out as a file had too many
	Widened int64 `json:"widened"` // columns that became text, or double, as messages disagreed on the type
}

func (m *Misfit) add(n Misfit) {
	m.Rows += n.Rows
	m.Columns += n.Columns
	m.Widened += n.Widened
}

// Heka appends the message, framed, to the object that is being filled under lake/heka/path.
func (w *Writer) Heka(path string, msg []byte) error {
	return w.add("lake/heka/", path, msg, nil, nil)
}

// Parquet appends a row to the object that is being filled under lake/parquet/path.
func (w *Writer) Parquet(path string, row sandbox.Row) error {
	var v message.View
	if err := v.Parse(row.Message); err != nil {
		return fmt.Errorf("lake: row for %.100q: %w", path, err)
	}
	return w.add("lake/parquet/", path, row.Message, &v, &row)
}

func (w *Writer) add(root, path string, msg []byte, v *message.View, row *sandbox.Row) error {
	path, err := CleanPath(path)
	if err != nil {
		return err
	}
	if len(msg) > message.MaxSize {
		return fmt.Errorf("lake: message of %d bytes is larger than %d", len(msg), message.MaxSize)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	opt := &w.lake.opt
	if w.bytes > overshoot*opt.MaxTotal {
		return ErrFull
	}
	b := w.open[root+path]
	if b == nil {
		if len(w.open) >= overshoot*opt.MaxPaths {
			return ErrFull
		}
		if w.open == nil {
			w.open = map[string]*buffer{}
		}
		b = &buffer{root: root, path: path}
		w.open[root+path] = b
	}
	w.release(b.size())
	b.add(msg, v, row)
	w.release(-b.size())
	w.full = w.full || b.bytes >= opt.MaxBytes || b.rows >= opt.MaxRows || len(w.open) >= opt.MaxPaths
	w.dirty = true
	w.stats.Rows++
	return nil
}

// Dirty says that something was written since the last Flush that succeeded.
func (w *Writer) Dirty() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dirty
}

// Due says that it is time to Flush: something collected is too old, too large, or in too many objects.
// Ages begin when Due first sees something, so it is to be called often.
func (w *Writer) Due(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.dirty {
		return false
	}
	if w.since.IsZero() {
		w.since = now
	}
	return w.full || now.Sub(w.since) >= w.lake.opt.MaxAge || w.lake.total.Load() >= w.lake.opt.MaxTotal
}

// Flush finishes all that was written as sealed objects, durable but not visible. covered are the ranges of the streams
// that they hold. The manifest has to be committed, as the state StateName, together with these
// positions; Committed is called after that commit, and Publish makes the objects visible.
//
// After an error nothing may be committed; Flush can be tried again.
func (w *Writer) Flush(ctx context.Context, covered []stream.Range) (manifest []byte, err error) {
	if err := w.lake.Recover(ctx); err != nil { // before anything new is sealed
		return nil, err
	}
	name, keys := w.beginFlush(covered)
	for _, key := range keys {
		// The lock is not held while bytes are written. Only this goroutine changes what is open.
		misfit, err := w.seal(ctx, w.open[key], name)
		w.mu.Lock()
		w.stats.Parquet.add(misfit)
		if err != nil {
			w.mu.Unlock()
			return nil, fmt.Errorf("finish lake object %s of %s: %w", key, w.logger, err)
		}
		w.release(w.open[key].size())
		delete(w.open, key)
		w.mu.Unlock()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.full, w.dirty, w.since = false, false, time.Time{}
	w.stats.Flushes++
	return w.manifest(), nil
}

// beginFlush returns the name that the flush's objects get, and what is open.
func (w *Writer) beginFlush(covered []stream.Range) (name string, keys []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flush++
	return objectName(w.logger, covered, w.life, w.flush), slices.Sorted(maps.Keys(w.open))
}

// manifest is called with the lock held.
func (w *Writer) manifest() []byte {
	m := manifest{Format: manifestFormat, Life: w.life, Flush: w.flush, Objects: w.ledger.Manifest()}
	return m.encode()
}

// seal writes one object.
func (w *Writer) seal(ctx context.Context, b *buffer, name string) (Misfit, error) {
	key := b.root + b.path + "/" + name + b.ext(&w.lake.opt)
	object, err := w.ledger.Create(ctx, key)
	if err != nil {
		return Misfit{}, err
	}
	misfit, err := b.encode(ctx, object, &w.lake.opt, w.lake.names)
	if err == nil {
		err = object.Seal(int64(b.rows))
	}
	if err != nil {
		return misfit, errors.Join(err, object.Abort())
	}
	return misfit, nil
}

// Committed says that the manifest of the oldest Flush of which that was not known yet is committed. It is called once after
// every commit of a manifest, in their order.
func (w *Writer) Committed() { w.ledger.Committed() }

// Publish makes visible what is committed. After an error the objects stay sealed: manifests go on naming them, and the next
// Publish or Recover makes them visible.
func (w *Writer) Publish(ctx context.Context) error {
	visible, err := w.ledger.Publish(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range visible {
		w.stats.Published++
		w.stats.Bytes += e.Bytes
	}
	if err != nil {
		return fmt.Errorf("publish lake objects of %s: %w", w.logger, err)
	}
	return nil
}

// restart forgets what no commit can name: what was not flushed, or by a Flush that failed.
func (w *Writer) restart() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.release(w.bytes)
	w.open, w.full, w.dirty, w.since = nil, false, false, time.Time{}
	if err := w.ledger.Discard(context.Background()); err != nil {
		w.lake.opt.Logger.Warn("unfinished lake objects stay until the next start", "plugin", w.logger, "error", err)
	}
}

// release gives bytes back. The lock is held.
func (w *Writer) release(bytes int64) {
	w.bytes -= bytes
	w.lake.total.Add(-bytes)
}

// Stats returns the writer's numbers.
func (w *Writer) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.stats
	s.Logger, s.Open, s.Buffered, s.Sealed = w.logger, len(w.open), w.bytes, w.ledger.Len()
	return s
}
