package lake_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"sandbar/host/bucket"
	"sandbar/host/bucket/dir"
	"sandbar/host/lake"
	"sandbar/host/stream"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

const logger = "output.test"

// faulty is a bucket whose operations fail when broken says so.
type faulty struct {
	bucket.Bucket
	broken func(op string) bool
}

var errBroken = errors.New("bucket is broken")

func (f *faulty) fails(op string) error {
	if f.broken != nil && f.broken(op) {
		return fmt.Errorf("%s: %w", op, errBroken)
	}
	return nil
}

func (f *faulty) Create(ctx context.Context, owner, key string) (bucket.Staged, error) {
	if err := f.fails("create"); err != nil {
		return nil, err
	}
	s, err := f.Bucket.Create(ctx, owner, key)
	return &faultyStaged{s, f}, err
}

func (f *faulty) Publish(ctx context.Context, token bucket.Token) error {
	if err := f.fails("publish"); err != nil {
		return err
	}
	return f.Bucket.Publish(ctx, token)
}

func (f *faulty) Tokens(ctx context.Context, owner string) ([]string, error) {
	if err := f.fails("tokens"); err != nil {
		return nil, err
	}
	return f.Bucket.Tokens(ctx, owner)
}

type faultyStaged struct {
	bucket.Staged
	f *faulty
}

func (s *faultyStaged) Write(p []byte) (int, error) {
	if err := s.f.fails("write"); err != nil {
		return 0, err
	}
	return s.Staged.Write(p)
}

func (s *faultyStaged) Seal() (bucket.Token, error) {
	if err := s.f.fails("seal"); err != nil {
		return bucket.Token{}, err
	}
	return s.Staged.Seal()
}

func openBucket(t testing.TB, root string) *faulty {
	t.Helper()
	b, err := dir.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return &faulty{Bucket: b}
}

func newLake(t testing.TB, b lake.Bucket, opt lake.Options, manifests map[string][]byte) *lake.Lake {
	t.Helper()
	opt.Logger = slog.New(slog.DiscardHandler)
	l := lake.New(b, opt)
	if err := errors.Join(l.Load(manifests), l.Recover(t.Context())); err != nil {
		t.Fatal(err)
	}
	return l
}

// keys are the visible objects.
func keys(t testing.TB, b bucket.Bucket) []string {
	t.Helper()
	var all []string
	for info, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, info.Key)
	}
	return all
}

func read(t testing.TB, b bucket.Bucket, key string) []byte {
	t.Helper()
	r, err := b.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// frames are the payloads of a Heka object's messages.
func payloads(t testing.TB, data []byte) []string {
	t.Helper()
	var all []string
	r := message.NewReader(bytes.NewReader(data), message.MaxSize)
	for {
		msg, err := r.Next()
		if err == io.EOF {
			break
		}
		var v message.View
		if err != nil || v.Parse(msg) != nil {
			t.Fatalf("message %d: %v", len(all), err)
		}
		p, _ := v.Header(message.Payload)
		all = append(all, string(p))
	}
	if s := r.Skipped(); s.Bytes != 0 {
		t.Fatalf("%d bytes are damaged", s.Bytes)
	}
	return all
}

func payloadMessage(payload string) []byte {
	var b message.Builder
	b.SetTimestamp(1)
	b.SetHeader(message.Payload, payload)
	return b.AppendTo(nil)
}

// valid is a range of one stream.
func valid(from, to int) []stream.Range {
	return []stream.Range{{Stream: stream.Valid, From: stream.Position{Offset: int64(from)}, To: stream.Position{Offset: int64(to)}}}
}

func flush(t testing.TB, w *lake.Writer, covered []stream.Range) []byte {
	t.Helper()
	m, err := w.Flush(t.Context(), covered)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func publish(t testing.TB, w *lake.Writer) {
	t.Helper()
	w.Committed()
	if err := w.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestHeka(t *testing.T) {
	t.Parallel()
	for _, compressed := range []bool{false, true} {
		t.Run(fmt.Sprintf("zstd=%v", compressed), func(t *testing.T) {
			t.Parallel()
			b := openBucket(t, t.TempDir())
			w := newLake(t, b, lake.Options{HekaZstd: compressed}, nil).Writer(logger)
			want := map[string][]string{}
			for i := range 1000 {
				p := fmt.Sprintf("telemetry/doc%d", i%3)
				text := fmt.Sprint("message ", i)
				want[p] = append(want[p], text)
				if err := w.Heka(p, payloadMessage(text)); err != nil {
					t.Fatal(err)
				}
			}
			flush(t, w, valid(0, 99))
			if got := keys(t, b); got != nil {
				t.Fatalf("visible before Publish: %v", got)
			}
			publish(t, w)
			all := keys(t, b)
			if len(all) != 3 {
				t.Fatalf("objects: %v", all)
			}
			for _, key := range all {
				data := read(t, b, key)
				name := path.Base(key)
				if !strings.HasPrefix(name, "output.test-valid_0.0-0.99-") {
					t.Errorf("name is %s", name)
				}
				if compressed {
					z, _ := zstd.NewReader(nil)
					defer z.Close()
					var err error
					if data, err = z.DecodeAll(data, nil); err != nil || !strings.HasSuffix(key, ".heka.zst") {
						t.Fatal(key, err)
					}
				} else if !strings.HasSuffix(key, ".heka") {
					t.Error("name", key)
				}
				p := strings.TrimPrefix(path.Dir(key), "lake/heka/")
				if got := payloads(t, data); !slices.Equal(got, want[p]) {
					t.Errorf("%s holds %d messages, want %d", key, len(got), len(want[p]))
				}
			}
			if s := w.Stats(); s.Published != 3 || s.Rows != 1000 || s.Buffered != 0 || s.Open != 0 || s.Sealed != 0 {
				t.Errorf("stats: %+v", s)
			}
		})
	}
}

// A plugin may write in timer_event without having read: the same cover must not take the older object's place.
func TestSameCoverTwice(t *testing.T) {
	t.Parallel()
	b := openBucket(t, t.TempDir())
	w := newLake(t, b, lake.Options{}, nil).Writer(logger)
	var m []byte
	for i := range 3 {
		if err := w.Heka("p", payloadMessage(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		m = flush(t, w, nil)
		publish(t, w)
	}
	// Nor after a restart, nor when the positions were lost with the streams.
	for _, manifests := range []map[string][]byte{{logger: m}, nil} {
		w = newLake(t, b, lake.Options{}, manifests).Writer(logger)
		if err := w.Heka("p", payloadMessage("again")); err != nil {
			t.Fatal(err)
		}
		flush(t, w, nil)
		publish(t, w)
	}
	if got := keys(t, b); len(got) != 5 {
		t.Errorf("five flushes left %d objects: %v", len(got), got)
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	opt := lake.Options{MaxAge: time.Minute, MaxBytes: 64 << 10, MaxTotal: 256 << 10, MaxRows: 1000, MaxPaths: 8}
	start := time.Unix(1000, 0)
	small, big := payloadMessage("x"), payloadMessage(strings.Repeat("x", 16<<10))
	for _, c := range []struct {
		name  string
		write func(w *lake.Writer) error
		after time.Duration
		want  bool
	}{
		{"nothing", func(w *lake.Writer) error { return nil }, time.Hour, false},
		{"young", func(w *lake.Writer) error { return w.Heka("p", small) }, 59 * time.Second, false},
		{"old", func(w *lake.Writer) error { return w.Heka("p", small) }, time.Minute, true},
		{"rows", func(w *lake.Writer) error { return repeat(1000, func(int) error { return w.Heka("p", small) }) }, 0, true},
		{"fewer rows", func(w *lake.Writer) error { return repeat(999, func(int) error { return w.Heka("p", small) }) }, 0, false},
		{"bytes", func(w *lake.Writer) error { return repeat(5, func(int) error { return w.Heka("p", big) }) }, 0, true},
		{"paths", func(w *lake.Writer) error {
			return repeat(8, func(i int) error { return w.Heka(fmt.Sprint(i), small) })
		}, 0, true},
		{"fewer paths", func(w *lake.Writer) error {
			return repeat(7, func(i int) error { return w.Heka(fmt.Sprint(i), small) })
		}, 0, false},
		{"total", func(w *lake.Writer) error {
			return repeat(7*3, func(i int) error { return w.Heka(fmt.Sprint(i%7), big) })
		}, 0, true},
	} {
		b := openBucket(t, t.TempDir())
		w := newLake(t, b, opt, nil).Writer(logger)
		if err := c.write(w); err != nil {
			t.Fatal(c.name, err)
		}
		w.Due(start)
		if got := w.Due(start.Add(c.after)); got != c.want {
			t.Errorf("%s: due is %v", c.name, got)
		}
		flush(t, w, valid(0, 1))
		if w.Due(start.Add(10*time.Hour)) || w.Dirty() {
			t.Errorf("%s: due or dirty after a flush", c.name)
		}
	}
}

func repeat(n int, f func(i int) error) error {
	for i := range n {
		if err := f(i); err != nil {
			return err
		}
	}
	return nil
}

// What all writers collect together makes each of them due; far above, writing fails instead of taking memory.
func TestBounds(t *testing.T) {
	t.Parallel()
	b := openBucket(t, t.TempDir())
	l := newLake(t, b, lake.Options{MaxTotal: 1 << 20, MaxPaths: 10}, nil)
	one, two := l.Writer("output.one"), l.Writer("output.two")
	now := time.Unix(1000, 0)
	if err := two.Heka("p", payloadMessage("small")); err != nil {
		t.Fatal(err)
	}
	if two.Due(now) {
		t.Error("due with nothing much collected")
	}
	big := payloadMessage(strings.Repeat("x", 100<<10))
	err := repeat(1000, func(i int) error { return one.Heka("p", big) })
	if !errors.Is(err, lake.ErrFull) {
		t.Errorf("writing without an end gave %v", err)
	}
	if held := one.Stats().Buffered; held > 5<<20 {
		t.Errorf("%d bytes are held with a bound of 1 MiB", held)
	}
	if !two.Due(now) {
		t.Error("the other writer is not due")
	}
	flush(t, one, valid(0, 1))
	if two.Due(now) {
		t.Error("still due when there is room again")
	}
	if err := repeat(1000, func(i int) error { return one.Heka(fmt.Sprint(i), big[:0]) }); !errors.Is(err, lake.ErrFull) {
		t.Errorf("paths without an end gave %v", err)
	}
	if err := one.Heka("p", make([]byte, message.MaxSize+1)); err == nil {
		t.Error("a huge message was taken")
	}
	if err := one.Parquet("p", sandbox.Row{Message: []byte{0xff}}); err == nil {
		t.Error("a row that is no message was taken")
	}
	if err := one.Heka("", big); err == nil {
		t.Error("no path was taken")
	}
}

// A plugin that is started again reads from its committed position: what it had not flushed comes again.
func TestWriterAgain(t *testing.T) {
	t.Parallel()
	b := openBucket(t, t.TempDir())
	l := newLake(t, b, lake.Options{}, nil)
	w := l.Writer(logger)
	write := func(p, s string) {
		if err := w.Heka(p, payloadMessage(s)); err != nil {
			t.Fatal(err)
		}
	}
	write("p", "flushed")
	flush(t, w, valid(0, 1)) // its commit is on the way
	write("a", "sealed by a flush that fails")
	write("b", "not flushed")
	seals := 0
	b.broken = func(op string) bool {
		if op == "seal" {
			seals++
		}
		return op == "seal" && seals == 2
	}
	if _, err := w.Flush(t.Context(), valid(1, 2)); !errors.Is(err, errBroken) || !w.Dirty() {
		t.Fatalf("flush gave %v, dirty is %v", err, w.Dirty())
	}
	b.broken = nil

	w = l.Writer(logger)
	if w.Dirty() {
		t.Error("dirty at the beginning")
	}
	publish(t, w) // of c1
	write("a", "again")
	write("b", "again")
	flush(t, w, valid(2, 3))
	publish(t, w)
	var got []string
	for _, key := range keys(t, b) {
		got = append(got, payloads(t, read(t, b, key))...)
	}
	slices.Sort(got)
	if want := []string{"again", "again", "flushed"}; !slices.Equal(got, want) {
		t.Errorf("the lake holds %q, want %q", got, want)
	}
	if left, _ := b.Tokens(t.Context(), "lake00000000"); len(left) != 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestRecoverRefusesDamagedManifests(t *testing.T) {
	t.Parallel()
	b := openBucket(t, t.TempDir())
	w := newLake(t, b, lake.Options{}, nil).Writer(logger)
	if err := w.Heka("p", payloadMessage("x")); err != nil {
		t.Fatal(err)
	}
	flush(t, w, valid(0, 1))
	l := lake.New(b, lake.Options{Logger: slog.New(slog.DiscardHandler)})
	err := l.Load(map[string][]byte{logger: []byte("{")})
	if err == nil || !strings.Contains(err.Error(), logger) {
		t.Errorf("error is %v", err)
	}
	if left, _ := b.Tokens(t.Context(), "lake00000000"); len(left) != 1 {
		t.Error("an object was discarded although nobody knows whether it was committed")
	}
}
