// Package lake is the view that output plugins write: Heka and Parquet files in the bucket, each message
// exactly once.
//
// It takes messages and rows under paths that plugins choose, finishes them as objects when a flush is due,
// and makes these visible after the commit that holds the plugin's position. It must not know a stream, a
// plugin's config, or how a bucket keeps its objects.
package lake

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sandbar/host/bucket"
	"sandbar/schemas"
)

// owner marks the lake's tokens in the bucket.
const owner = "lake"

// Bucket is what the lake needs of a bucket.Bucket, which has the promises.
type Bucket interface {
	bucket.Maker
	Open(ctx context.Context, key string) (io.ReadCloser, error)
}

// Columns tells which scalar values the schema of a document type declares.
type Columns interface {
	Columns(namespace, docType, version string) []schemas.Column
}

// Options bound the lake. A zero means the default.
type Options struct {
	Logger  *slog.Logger // required
	Columns Columns      // nil: no payload columns

	MaxAge   time.Duration // of what is collected before a flush is due; 60 s
	MaxBytes int64         // of one object before it is encoded; 32 MiB
	MaxTotal int64         // of all that is collected, in all writers; 64 MiB
	MaxRows  int           // messages of one object; 500 000
	MaxPaths int           // objects that one writer fills at once; 1000

	HekaZstd bool // write .heka.zst instead of .heka
}

func (o *Options) defaults() {
	o.MaxAge = cmp.Or(o.MaxAge, 60*time.Second)
	o.MaxBytes = cmp.Or(o.MaxBytes, 32<<20)
	o.MaxTotal = cmp.Or(o.MaxTotal, 64<<20)
	o.MaxRows = cmp.Or(o.MaxRows, 500_000)
	o.MaxPaths = cmp.Or(o.MaxPaths, 1000)
}

// StateName is the name of the state under which a writer's manifest is committed.
func StateName(logger string) string { return "lake." + logger }

// Lake is the lake of one host.
type Lake struct {
	bucket Bucket
	opt    Options
	names  *names
	total  atomic.Int64 // bytes collected in all writers

	mu      sync.Mutex
	writers map[string]*Writer
}

// New returns a lake. Recover comes before the first Writer.
func New(bucket Bucket, opt Options) *Lake {
	opt.defaults()
	return &Lake{bucket: bucket, opt: opt, names: &names{bucket: bucket, declared: opt.Columns}, writers: map[string]*Writer{}}
}

// Recover finishes what an earlier process left: it publishes every object that a committed manifest names
// and discards all others. manifests holds, by logger, the committed state of that StateName of every
// output plugin, also of those that do not run now.
func (l *Lake) Recover(ctx context.Context, manifests map[string][]byte) error {
	read := map[string]manifest{}
	for logger, data := range manifests {
		if len(data) == 0 {
			continue
		}
		m, err := decodeManifest(data)
		if err != nil { // nothing may be discarded: who knows what it named
			return fmt.Errorf("read the lake manifest of %s from the last commit: %w", logger, err)
		}
		read[logger] = m
	}
	var committed []bucket.Entry
	for _, m := range read {
		committed = append(committed, m.Objects...)
	}
	visible, err := bucket.Recover(ctx, l.bucket, owner, committed)
	for _, e := range visible {
		l.opt.Logger.Info("published a lake object that was committed before a restart", "key", e.Key)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for logger, m := range read {
		l.writers[logger] = l.newWriter(logger, m.Life, m.Flush)
	}
	if err != nil {
		return fmt.Errorf("recover the lake: %w", err)
	}
	return nil
}

// Writer returns the plugin's writer. What an earlier user of it has written and not flushed is dropped,
// as its position was never committed.
func (l *Lake) Writer(logger string) *Writer {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.writers[logger]
	if w == nil {
		w = l.newWriter(logger, newLife(), 0)
		l.writers[logger] = w
	}
	w.restart()
	return w
}

func (l *Lake) newWriter(logger, life string, flush int64) *Writer {
	return &Writer{lake: l, logger: logger, life: life, flush: flush, ledger: bucket.NewLedger(l.bucket, owner)}
}

// Stats returns the numbers of every writer, by logger.
func (l *Lake) Stats() []Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]Stats, 0, len(l.writers))
	for _, w := range l.writers {
		all = append(all, w.Stats())
	}
	slices.SortFunc(all, func(a, b Stats) int { return cmp.Compare(a.Logger, b.Logger) })
	return all
}

func newLife() string {
	var b [4]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
