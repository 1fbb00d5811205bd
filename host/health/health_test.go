package health_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"sandbar/host/health"
)

func TestBoard(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	now := time.Unix(1000, 0)
	b := health.NewBoard(func() time.Time { return now }, slog.New(slog.NewTextHandler(&log, nil)))
	b.Report("bucket", nil)
	if got := b.Troubles(); len(got) != 0 || log.Len() > 0 {
		t.Fatalf("a part that works is in trouble: %v", got)
	}
	b.Report("bucket", errors.New("first"))
	now = now.Add(time.Minute)
	b.Report("bucket", errors.New("second"))
	b.Report("commits", errors.New("other"))
	got := b.Troubles()
	if len(got) != 2 || got[0] != (health.Trouble{Part: "bucket", Since: time.Unix(1000, 0), Text: "second"}) || got[1].Part != "commits" {
		t.Errorf("troubles are %v", got)
	}
	now = now.Add(time.Minute)
	b.Report("bucket", nil)
	if got := b.Troubles(); len(got) != 1 || got[0].Part != "commits" {
		t.Errorf("troubles are %v", got)
	}
	if n := strings.Count(log.String(), "\n"); n != 3 || !strings.Contains(log.String(), "lasted=2m0s") {
		t.Errorf("the log is\n%s", &log)
	}
}
