// Package landfill is the view of stream raw that keeps everything that came in: framed messages in zstd files
// in the bucket, each message in exactly one of them.
//
// It knows messages as bytes. It must not know what is in them, or how a bucket keeps its objects.
package landfill

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"

	"sandbar/host/bucket"
	"sandbar/host/stream"
	"sandbar/sandbox/message"
)

const (
	// Reader is the name under which the position is committed. It holds back trimming of raw.
	Reader = "landfill"
	// stateName is the state that names the object of the last commit.
	stateName = "landfill"
	owner     = "landfill" // with whose raw it is behind

	batchBytes = 1 << 20
	retryAfter = time.Second
	hurryAge   = 5 * time.Second // of the first file after a failure, so that it is soon known to be over
)

// Store is what landfill needs of a stream.Store.
type Store interface {
	ID() stream.ID
	Log(name string) stream.Log
	Commit(ctx context.Context, c *stream.Commit) error
	Readers() map[string]map[string]stream.Position
	State(ctx context.Context, name string) ([]byte, error)
}

// Options of a Landfill.
type Options struct {
	Store  Store            // required
	Bucket bucket.Maker     // required
	Now    func() time.Time // required
	Logger *slog.Logger     // required
	Size   int64            // bytes of messages in a file; 128 MiB
	Age    time.Duration    // of the first message in an unfinished file; 10 min

	CommitTime time.Duration   // that a commit may take; 30 s
	Report     func(err error) // how it fares: an error, or nil when the last attempt went well; may be nil
}

// Landfill writes the files. Run does the work.
type Landfill struct {
	opt       Options
	owner     string
	at        stream.Position // committed
	committed []bucket.Entry  // by an earlier process, until recovered
	recovered bool
	failed    bool // the last attempt
	ledger    *bucket.Ledger
	files     atomic.Int64
	bytes     atomic.Int64
	since     atomic.Int64 // when the oldest message was read that is in no file, Unix nanoseconds; 0: none was
}

// Stats of a Landfill since it was opened.
type Stats struct {
	Files int64 `json:"files"`
	Bytes int64 `json:"bytes"` // of messages, before compression

	Waiting int64     `json:"waiting"` // bytes of raw that are in no file yet
	Since   time.Time `json:"since"`   // when the oldest of them was read; zero when there are none
}

// manifest names the objects that a commit made final.
type manifest struct {
	Objects []bucket.Entry `json:"objects"`

	Before bucket.Token `json:"-"` // one object, as manifests were written before
}

func (m *manifest) decode(state []byte) error {
	if len(state) == 0 {
		return nil
	}
	if err := errors.Join(json.Unmarshal(state, m), json.Unmarshal(state, &m.Before)); err != nil {
		return fmt.Errorf("read the committed manifest: %w", err)
	}
	if m.Before.ID != "" {
		m.Objects = append(m.Objects, bucket.Entry{Token: m.Before})
	}
	return nil
}

// Open keeps raw from being trimmed below what is in the bucket. Run finishes what an earlier process committed, and drops what
// it did not.
func Open(ctx context.Context, opt Options) (*Landfill, error) {
	opt.Size, opt.Age, opt.CommitTime = cmp.Or(opt.Size, 128<<20), cmp.Or(opt.Age, 10*time.Minute), cmp.Or(opt.CommitTime, 30*time.Second)
	if opt.Report == nil {
		opt.Report = func(error) {}
	}
	l := &Landfill{opt: opt, owner: owner + opt.Store.ID().Short()}
	l.ledger = bucket.NewLedger(opt.Bucket, l.owner)
	if err := l.loadManifest(ctx); err != nil {
		return nil, fmt.Errorf("open landfill: %w", err)
	}
	at, known := opt.Store.Readers()[Reader][stream.Raw]
	if !known {
		c := &stream.Commit{Positions: map[string]map[string]stream.Position{Reader: {stream.Raw: at}}}
		if err := l.commit(ctx, c); err != nil {
			return nil, fmt.Errorf("open landfill: commit its first position: %w", err)
		}
	}
	l.at = at
	return l, nil
}

func (l *Landfill) loadManifest(ctx context.Context) error {
	state, err := l.opt.Store.State(ctx, stateName)
	if err != nil {
		return err
	}
	var m manifest
	if err := m.decode(state); err != nil {
		return err
	}
	l.committed = m.Objects
	return nil
}

// recover finishes what an earlier process left, also one that knew no owner but landfill.
func (l *Landfill) recover(ctx context.Context) error {
	if l.recovered {
		return nil
	}
	if _, err := bucket.Recover(ctx, l.opt.Bucket, l.committed, l.owner, owner); err != nil {
		return err
	}
	l.recovered, l.committed = true, nil
	return nil
}

func (l *Landfill) commit(ctx context.Context, c *stream.Commit) error {
	ctx, cancel := context.WithTimeout(ctx, l.opt.CommitTime)
	defer cancel()
	return l.opt.Store.Commit(ctx, c)
}

// Stats may be called at any time.
func (l *Landfill) Stats() Stats {
	log := l.opt.Store.Log(stream.Raw)
	s := Stats{Files: l.files.Load(), Bytes: l.bytes.Load(), Waiting: log.Distance(l.opt.Store.Readers()[Reader][stream.Raw], log.End())}
	if since := l.since.Load(); since != 0 {
		s.Since = time.Unix(0, since)
	}
	return s
}

// Run writes files until ctx ends, and then the last one. What cannot be written now, it tries again: raw
// keeps it.
func (l *Landfill) Run(ctx context.Context) error {
	for {
		err := l.fill(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if errors.Is(err, stream.ErrBroken) || errors.Is(err, stream.ErrClosed) {
			return err
		}
		l.failed = true
		l.opt.Report(err)
		pause, cancel := context.WithTimeout(ctx, retryAfter)
		<-pause.Done()
		cancel()
	}
}

// fill reads raw from the committed position on. It returns nil when ctx has ended and all is committed.
func (l *Landfill) fill(ctx context.Context) error {
	if err := l.recover(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	if _, err := l.ledger.Publish(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	log := l.opt.Store.Log(stream.Raw)
	reader, err := log.NewReader(l.at)
	if err != nil {
		return fmt.Errorf("read raw at %s: %w", l.at, err)
	}
	defer reader.Close()
	var f *file
	defer func() { f.abort() }()
	var batch stream.Batch
	for {
		err := reader.Read(&batch, batchBytes)
		switch {
		case err == nil:
			l.since.CompareAndSwap(0, l.opt.Now().UnixNano())
			if f == nil {
				if f, err = l.begin(ctx); err != nil {
					return err
				}
			}
			if err := f.write(batch.Messages, reader.Position()); err != nil {
				return err
			}
		case errors.Is(err, stream.ErrTrimmed): // cannot be: the committed position holds trimming back
			l.opt.Logger.Error("raw was trimmed before landfill had it", "position", l.at.String())
			continue
		case !errors.Is(err, io.EOF):
			return fmt.Errorf("read raw at %s: %w", l.at, err)
		}
		if f != nil && (f.size >= l.opt.Size || !l.opt.Now().Before(f.due) || ctx.Err() != nil && err != nil) {
			if err := l.finish(context.WithoutCancel(ctx), f); err != nil { // also while the host stops
				return err
			}
			f = nil
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		wait, cancel := ctx, context.CancelFunc(func() {})
		if f != nil {
			wait, cancel = context.WithTimeout(ctx, max(f.due.Sub(l.opt.Now()), time.Millisecond))
		}
		err = reader.Wait(wait)
		expired := wait.Err() != nil
		cancel()
		if err != nil && !expired {
			return fmt.Errorf("wait for raw: %w", err)
		}
	}
}

// file is an object that is being written.
type file struct {
	object *bucket.Object
	zip    *zstd.Encoder
	end    stream.Position // of what is in it
	due    time.Time
	rows   int64
	size   int64
	frame  []byte
}

// begin begins a file. Its key is whose raw it is of, and where in it the file begins, so no two have the same.
func (l *Landfill) begin(ctx context.Context) (*file, error) {
	now := l.opt.Now().UTC()
	key := fmt.Sprintf("landfill/%s/%s-%s.heka.zst", now.Format("20060102"), l.opt.Store.ID().Short(), l.at.Sortable())
	object, err := l.ledger.Create(context.WithoutCancel(ctx), key)
	if err != nil {
		return nil, err
	}
	zip, err := zstd.NewWriter(object, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		object.Abort()
		return nil, fmt.Errorf("begin a landfill file: %w", err)
	}
	age := l.opt.Age
	if l.failed {
		age = min(age, hurryAge)
	}
	return &file{object: object, zip: zip, end: l.at, due: now.Add(age)}, nil
}

func (f *file) write(msgs [][]byte, end stream.Position) error {
	for _, m := range msgs {
		f.frame = message.AppendFrame(f.frame[:0], m)
		if _, err := f.zip.Write(f.frame); err != nil {
			return fmt.Errorf("write landfill: %w", err)
		}
		f.size += int64(len(f.frame))
	}
	f.rows += int64(len(msgs))
	f.end = end
	return nil
}

// abort gives up a file that was not finished.
func (f *file) abort() {
	if f != nil {
		f.zip.Close()
		f.object.Abort()
	}
}

// finish makes a file durable, commits it with the position after it, and then shows it.
func (l *Landfill) finish(ctx context.Context, f *file) error {
	if err := f.zip.Close(); err != nil {
		return fmt.Errorf("write landfill: %w", err)
	}
	if err := f.object.Seal(f.rows); err != nil {
		return err
	}
	state, err := json.Marshal(manifest{Objects: l.ledger.Manifest()})
	if err != nil {
		return err
	}
	c := &stream.Commit{States: map[string][]byte{stateName: state},
		Positions: map[string]map[string]stream.Position{Reader: {stream.Raw: f.end}}}
	if err := l.commit(ctx, c); err != nil {
		err = fmt.Errorf("commit landfill: %w", err)
		if errors.Is(err, stream.ErrBroken) {
			return err // it may be there after a restart, and name the object
		}
		return errors.Join(err, l.ledger.Retract(ctx))
	}
	l.at = f.end
	l.files.Add(1)
	l.bytes.Add(f.size)
	l.since.Store(0)
	l.ledger.Committed()
	if _, err := l.ledger.Publish(ctx); err != nil {
		return err
	}
	l.failed = false
	l.opt.Report(nil)
	return nil
}
