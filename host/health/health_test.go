package health_test

import (
	"errors"
	"log/slog"
	"slices"
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

func TestScope(t *testing.T) {
	t.Parallel()
	b := health.NewBoard(time.Now, slog.New(slog.DiscardHandler))
	s, other := b.Scope("partition 1: "), b.Scope("partition 2: ")
	s.Report("lake", errors.New("a"))
	s.Report("commits", errors.New("b"))
	other.Report("lake", errors.New("c"))
	s.Report("commits", nil)
	parts := func() (names []string) {
		for _, trouble := range b.Troubles() {
			names = append(names, trouble.Part)
		}
		slices.Sort(names)
		return names
	}
	if got := parts(); !slices.Equal(got, []string{"partition 1: lake", "partition 2: lake"}) {
		t.Errorf("troubles of %q", got)
	}
	s.Leave()
	s.Report("lake", errors.New("late"))
	if got := parts(); !slices.Equal(got, []string{"partition 2: lake"}) {
		t.Errorf("troubles of %q after one left", got)
	}
}
