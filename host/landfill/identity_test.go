package landfill_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"sandbar/host/bucket/dir"
	"sandbar/host/landfill"
	"sandbar/host/stream"
	"sandbar/host/stream/disk"
)

// TestReplacedStreams: streams that begin anew beside an old bucket, on the same day and with the same positions, add to the
// archive and replace nothing.
func TestReplacedStreams(t *testing.T) {
	t.Parallel()
	b, err := dir.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	now := func() time.Time { return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) }
	quiet := slog.New(slog.DiscardHandler)
	lives := []string{"first life", "second life", "third life"}
	for _, text := range lives {
		s, err := disk.Open(t.TempDir(), disk.Options{MinFree: -1, Now: now, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		l, err := landfill.Open(t.Context(), landfill.Options{Store: s, Bucket: b, Now: now, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Log(stream.Raw).Append(t.Context(), []byte(text)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // it writes what there is and ends
		if err := l.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var found []string
	for o, err := range b.List(t.Context(), "landfill/") {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, readObject(t, b, o.Key))
	}
	for _, text := range lives {
		if n := strings.Count(strings.Join(found, "|"), text); n != 1 {
			t.Errorf("%q is %d times in the archive: %q", text, n, found)
		}
	}
}

func readObject(t *testing.T, b *dir.Bucket, key string) string {
	t.Helper()
	r, err := b.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	z, err := zstd.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(key, err)
	}
	return string(text)
}
