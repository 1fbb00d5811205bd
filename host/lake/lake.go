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
	"iter"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sandbar/host/bucket"
	"sandbar/host/stream"
	"sandbar/schemas"
)

// owner marks the lake's tokens in the bucket, with whose streams it is of behind.
const owner = "lake"

// Bucket is what the lake needs of a bucket.Bucket, which has the promises.
type Bucket interface {
	bucket.Maker
	Open(ctx context.Context, key string) (io.ReadCloser, error)
	List(ctx context.Context, prefix string) iter.Seq2[bucket.Info, error]
}

// Columns tells which scalar values the schema of a document type declares.
type Columns interface {
	Columns(namespace, docType, version string) []schemas.Column
}

// Options bound the lake. A zero means the default.
type Options struct {
	Logger  *slog.Logger // required
	ID      stream.ID    // of the streams; keeps apart what several hosts seal in one bucket
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
	owner  string
	names  *names
	total  atomic.Int64 // bytes collected in all writers

	recovering sync.Mutex
	recovered  bool           // guarded by recovering, as is committed
	committed  []bucket.Entry // by an earlier process, until recovered

	mu      sync.Mutex
	writers map[string]*Writer
}

// New returns a lake. Load comes before the first Writer.
func New(bucket Bucket, opt Options) *Lake {
	opt.defaults()
	own := owner + opt.ID.Short()
	return &Lake{bucket: bucket, opt: opt, owner: own, names: &names{bucket: bucket, owner: own, declared: opt.Columns}, writers: map[string]*Writer{}}
}

// Load reads what an earlier process committed. manifests holds, by logger, the committed state of that StateName of every
// output plugin, also of those that do not run now.
func (l *Lake) Load(manifests map[string][]byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for logger, data := range manifests {
		if len(data) == 0 {
			continue
		}
		m, err := decodeManifest(data)
		if err != nil { // nothing may be discarded: who knows what it named
			return fmt.Errorf("read the lake manifest of %s from the last commit: %w", logger, err)
		}
		l.committed = append(l.committed, m.Objects...)
		l.writers[logger] = l.newWriter(logger, m.Life, m.Flush)
	}
	return nil
}

// Recover finishes what an earlier process left: it publishes every object that a committed manifest names
// and discards all others. It is done once; after an error the next call, or the first Flush, tries again.
func (l *Lake) Recover(ctx context.Context) error {
	l.recovering.Lock()
	defer l.recovering.Unlock()
	if l.recovered {
		return nil
	}
	visible, err := bucket.Recover(ctx, l.bucket, l.committed, l.owner, owner)
	for _, e := range visible {
		l.opt.Logger.Info("published a lake object that was committed before a restart", "key", e.Key)
	}
	if err != nil {
		return fmt.Errorf("recover the lake: %w", err)
	}
	l.recovered, l.committed = true, nil
	return nil
}

// Recovered says whether what an earlier process left is finished.
func (l *Lake) Recovered() bool {
	l.recovering.Lock()
	defer l.recovering.Unlock()
	return l.recovered
}

// Run tries to recover until that is done, and then waits for the end of ctx. report is told of each attempt.
func (l *Lake) Run(ctx context.Context, report func(err error)) error {
	tick := time.NewTicker(retryAfter)
	defer tick.Stop()
	for {
		err := l.Recover(ctx)
		if ctx.Err() != nil {
			return nil
		}
		report(err)
		if err == nil {
			<-ctx.Done()
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

const retryAfter = 2 * time.Second

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
	return &Writer{lake: l, logger: logger, life: life, flush: flush, ledger: bucket.NewLedger(l.bucket, l.owner)}
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
