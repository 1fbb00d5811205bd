package landfill

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"sandbar/host/bucket"
	"sandbar/host/bucket/dir"
	"sandbar/host/stream"
	"sandbar/host/stream/disk"
	"sandbar/sandbox/message"
)

// place is a store and a bucket that can be opened again.
type place struct {
	t    *testing.T
	root string
	n    int
}

func newPlace(t *testing.T) *place { return &place{t: t, root: t.TempDir()} }

func (p *place) store() *disk.Store {
	p.t.Helper()
	s, err := disk.Open(filepath.Join(p.root, "streams"), disk.Options{MinFree: -1, SegmentSize: 4 << 10})
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

func (p *place) put(s *disk.Store, n int) {
	p.t.Helper()
	for range n {
		var b message.Builder
		b.SetTimestamp(int64(p.n))
		b.SetHeader(message.Payload, fmt.Sprintf("message %d, with some text that fills it", p.n))
		if _, err := s.Log(stream.Raw).Append(context.Background(), b.AppendTo(nil)); err != nil {
			p.t.Fatal(err)
		}
		p.n++
	}
}

// failing is a bucket some of whose calls fail.
type failing struct {
	bucket.Bucket
	publish, create atomic.Int32 // calls that fail yet
}

var errDown = errors.New("the bucket is down")

func (f *failing) Publish(ctx context.Context, token bucket.Token) error {
	if f.publish.Add(-1) >= 0 {
		return errDown
	}
	return f.Bucket.Publish(ctx, token)
}

func (f *failing) Create(ctx context.Context, owner, key string) (bucket.Staged, error) {
	if f.create.Add(-1) >= 0 {
		return nil, errDown
	}
	return f.Bucket.Create(ctx, owner, key)
}

// run opens landfill and runs it until all of raw is read, or until stop ends it as a crash would.
func (p *place) run(s Store, b bucket.Bucket, opt Options) (*Landfill, func() error) {
	p.t.Helper()
	opt.Store, opt.Bucket, opt.Logger = s, b, slog.New(slog.DiscardHandler)
	if opt.Now == nil {
		opt.Now = time.Now
	}
	l, err := Open(p.t.Context(), opt)
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	return l, func() error { cancel(); return <-done }
}

// await waits until cond holds.
func (p *place) await(cond func() bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-ctx.Done():
			p.t.Fatal("waited too long")
		case <-tick.C:
		}
	}
}

func (p *place) bucket() *dir.Bucket {
	p.t.Helper()
	b, err := dir.Open(filepath.Join(p.root, "bucket"))
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

// check reads all files: every message is in exactly one of them, in order.
func (p *place) check() int {
	p.t.Helper()
	files, err := filepath.Glob(filepath.Join(p.root, "bucket", "landfill", "*", "*.heka.zst"))
	if err != nil {
		p.t.Fatal(err)
	}
	slices.Sort(files)
	next := int64(0)
	for _, name := range files {
		f, err := OpenFile(name)
		if err != nil {
			p.t.Fatal(err)
		}
		r := message.NewReader(f, message.MaxSize)
		for {
			m, err := r.Next()
			if err == io.EOF {
				break
			}
			var v message.View
			if err != nil || v.Parse(m) != nil || v.Timestamp() != next {
				p.t.Fatalf("%s: message %d, want %d: %v", name, v.Timestamp(), next, err)
			}
			next++
		}
		f.Close()
	}
	if next != int64(p.n) {
		p.t.Fatalf("%d messages in %d files, want %d", next, len(files), p.n)
	}
	return len(files)
}

func TestAllOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for range 3 {
		s, b := p.store(), p.bucket()
		_, stop := p.run(s, b, Options{Size: 2000})
		p.put(s, 200)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if got := s.Readers()[Reader][stream.Raw]; got != s.Log(stream.Raw).End() {
			t.Errorf("committed at %s, raw ends at %s", got, s.Log(stream.Raw).End())
		}
		s.Close()
		b.Close()
	}
	if n := p.check(); n < 10 {
		t.Errorf("%d files of 2000 bytes", n)
	}
}

func TestRetries(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := p.store()
	defer s.Close()
	b := &failing{Bucket: p.bucket()}
	b.create.Store(1)
	b.publish.Store(2)
	_, stop := p.run(s, b, Options{Size: 50})
	p.put(s, 100)
	p.await(func() bool { return s.Readers()[Reader][stream.Raw] == s.Log(stream.Raw).End() })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	p.check()
}

// TestCommittedNotShown: the process dies after the commit and before the object has its key, and another time
// before the commit.
func TestCommittedNotShown(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s, real := p.store(), p.bucket()
	b := &failing{Bucket: real}
	b.publish.Store(1000)
	_, stop := p.run(s, b, Options{})
	p.put(s, 50)
	if err := stop(); !errors.Is(err, errDown) {
		t.Fatalf("stopped with %v", err)
	}
	orphan, err := real.Create(context.Background(), owner+s.ID().Short(), "landfill/orphan")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := orphan.Seal(); err != nil {
		t.Fatal(err)
	}
	s.Close()
	real.Close()
	s, real = p.store(), p.bucket()
	defer s.Close()
	defer real.Close()
	_, stop = p.run(s, real, Options{})
	p.put(s, 10)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	p.check()
	if tokens, err := real.Tokens(context.Background(), owner+s.ID().Short()); err != nil || len(tokens) > 0 {
		t.Errorf("tokens %v %v", tokens, err)
	}
}

func TestHoldsBackTrimming(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s, b := p.store(), p.bucket()
	defer s.Close()
	defer b.Close()
	if _, err := Open(context.Background(), Options{Store: s, Bucket: b, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	p.put(s, 500)
	if n, err := s.Log(stream.Raw).Trim(t.Context(), 0, -1); err != nil || n != 0 {
		t.Errorf("%d bytes were trimmed before landfill had them: %v", n, err)
	}
	_, stop := p.run(s, b, Options{})
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Log(stream.Raw).Trim(t.Context(), 0, -1); err != nil || n == 0 {
		t.Errorf("%d bytes were trimmed after: %v", n, err)
	}
	p.check()
}

func TestOpenFile(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	content := message.AppendFrame(nil, []byte("abc"))
	for name, w := range map[string]func(io.Writer) io.WriteCloser{
		"plain": func(w io.Writer) io.WriteCloser { return w.(io.WriteCloser) },
		"gzip":  func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		"zstd":  func(w io.Writer) io.WriteCloser { z, _ := zstd.NewWriter(w); return z },
	} {
		path := filepath.Join(root, name)
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		z := w(f)
		z.Write(content)
		z.Close()
		f.Close()
		in, err := OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(in)
		if err != nil || string(got) != string(content) {
			t.Errorf("%s: %q %v", name, got, err)
		}
		in.Close()
	}
	if _, err := OpenFile(filepath.Join(root, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
