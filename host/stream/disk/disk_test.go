package disk_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sandbar/host/stream"
	"sandbar/host/stream/disk"
	"sandbar/host/stream/disk/faultfs"
	"sandbar/host/stream/streamtest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(child(dir))
	}
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, dir string, opt disk.Options) *disk.Store {
	t.Helper()
	s, err := disk.Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int64{"small segments": 2000, "large segments": 1 << 20} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			streamtest.Run(t, func(t *testing.T) func() stream.Store {
				dir := t.TempDir()
				return func() stream.Store {
					return open(t, dir, disk.Options{MaxMessage: streamtest.MaxMessage, SegmentSize: size})
				}
			})
		})
	}
	t.Run("in memory", func(t *testing.T) {
		t.Parallel()
		streamtest.Run(t, func(t *testing.T) func() stream.Store {
			fs := faultfs.New(1)
			return func() stream.Store {
				return open(t, "/streams", disk.Options{FS: fs, MaxMessage: streamtest.MaxMessage, SegmentSize: 5000})
			}
		})
	})
}

// raw makes a store whose raw stream holds the messages, closes it, and returns its directory.
func raw(t *testing.T, opt disk.Options, msgs ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	s := open(t, dir, opt)
	for _, m := range msgs {
		appendRaw(t, s, m)
	}
	closeStore(t, s)
	return dir
}

func appendRaw(t *testing.T, s *disk.Store, msgs ...string) stream.Position {
	t.Helper()
	var list [][]byte
	for _, m := range msgs {
		list = append(list, []byte(m))
	}
	p, err := s.Log(stream.Raw).Append(t.Context(), list...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func closeStore(t *testing.T, s *disk.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func readAll(t *testing.T, l stream.Log, from stream.Position) string {
	t.Helper()
	r, err := l.NewReader(from)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var list []string
	var b stream.Batch
	for {
		err := r.Read(&b, 0)
		if errors.Is(err, io.EOF) {
			return strings.Join(list, " ")
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range b.Messages {
			list = append(list, string(m))
		}
	}
}

// edit changes a file of a closed store.
func edit(t *testing.T, change func(b []byte) []byte, path ...string) {
	t.Helper()
	name := filepath.Join(path...)
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestLockWhileProcessesStart: a process that is started, by anybody, does not hold the lock on for a moment after the store was closed.
func TestLockWhileProcessesStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	var starting sync.WaitGroup
	for range 2 {
		starting.Go(func() {
			for ctx.Err() == nil {
				if err := exec.Command(os.Args[0], "-test.run", "^$").Run(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 100 {
		closeStore(t, open(t, dir, disk.Options{}))
	}
	stop()
	starting.Wait()
}

func TestOneProcessAtATime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, disk.Options{})
	_, err := disk.Open(dir, disk.Options{})
	if !errors.Is(err, disk.ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Errorf("error is %v; it should be ErrLocked and name %s", err, dir)
	}
	closeStore(t, s)
	closeStore(t, open(t, dir, disk.Options{}))
}

// The layout is Hindsight's: framed messages in N.log from 0 on, the next begun when one is long enough.
func TestFilesAreFramedMessages(t *testing.T) {
	t.Parallel()
	dir := raw(t, disk.Options{SegmentSize: 10}, "one", "two", "three")
	want := map[string]string{"0.log": "\x1e\x02\x08\x03\x1fone\x1e\x02\x08\x03\x1ftwo", "1.log": "\x1e\x02\x08\x05\x1fthree"}
	for name, content := range want {
		if got, err := os.ReadFile(filepath.Join(dir, "raw", name)); err != nil || string(got) != content {
			t.Errorf("%s is %q, %v; want %q", name, got, err, content)
		}
	}
	if files, _ := os.ReadDir(filepath.Join(dir, "raw")); len(files) != len(want) {
		t.Errorf("there are %d files", len(files))
	}
}

func TestTrimByAgeAndSize(t *testing.T) {
	t.Parallel()
	now := time.Now() // files found at the start have the file system's times
	s := open(t, t.TempDir(), disk.Options{SegmentSize: 1, Now: func() time.Time { return now }})
	defer closeStore(t, s)
	l := s.Log(stream.Raw)
	for _, m := range []string{"a", "b", "c", "d", "e", "f"} { // one segment of 6 bytes each
		appendRaw(t, s, m)
		now = now.Add(time.Hour)
	}
	steps := []struct {
		keepBytes int64
		keepAge   time.Duration
		removed   int64
		left      string
	}{
		{-1, -1, 0, "a b c d e f"},
		{-1, 7 * time.Hour, 0, "a b c d e f"},
		{-1, 6 * time.Hour, 6, "b c d e f"},
		{25, -1, 0, "b c d e f"},
		{24, -1, 6, "c d e f"},
		{13, 4 * time.Hour, 6, "d e f"}, // c is too old, d is not, and 12 bytes are newer
		{0, 0, 12, "f"},
	}
	for _, step := range steps {
		removed, err := l.Trim(t.Context(), step.keepBytes, step.keepAge)
		if left := readAll(t, l, stream.Position{}); err != nil || removed != step.removed || left != step.left {
			t.Errorf("Trim(%d, %v) removed %d, left %q, %v; want %d, %q", step.keepBytes, step.keepAge, removed, left, err, step.removed, step.left)
		}
	}
}

// A log keeps the numbers of its segments when everything but the newest was trimmed.
func TestPositionsGoOnAfterTrim(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	opt := disk.Options{SegmentSize: 1}
	s := open(t, dir, opt)
	last := appendRaw(t, s, "a", "b", "c")
	if _, err := s.Log(stream.Raw).Trim(t.Context(), 0, -1); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	s = open(t, dir, opt)
	defer closeStore(t, s)
	if first := s.Log(stream.Raw).First(); first.Segment != 2 {
		t.Errorf("First is %s", first)
	}
	if next := appendRaw(t, s, "d"); !last.Before(next) {
		t.Errorf("after %s came %s", last, next)
	}
}

// logged collects log lines.
func logged(b *strings.Builder) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }
