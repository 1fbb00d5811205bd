package saved

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sandbar/host/catalog"
)

// journal decides for one catalog.
type journal struct {
	*catalog.Catalog
	mu sync.Mutex
}

func (j *journal) Decide(ctx context.Context, f func() (catalog.Decision, error)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	d, err := f()
	if err != nil {
		return err
	}
	return j.Apply(ctx, d)
}

func open(t *testing.T, now *time.Time) (*Store, *catalog.Catalog) {
	t.Helper()
	c, err := catalog.Open(filepath.Join(t.TempDir(), "c.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	may := func(by, _, _ string) error {
		if by == "mallory" {
			return errors.New("only others may")
		}
		return nil
	}
	return New(Options{&journal{Catalog: c}, c, func() time.Time { return *now }, may, func(r *Route) error {
		if r.Matcher == "bad" {
			return errors.New("the matcher is bad")
		}
		return nil
	}}), c
}

func TestDashboards(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0).UTC()
	s, c := open(t, &now)
	d := Dashboard{Head: Head{ID: "up"}, Title: "Up", Panels: []Panel{{Series: []Series{{"analysis.a", "g", "x"}, {"analysis.b", "h", "y"}}}, {Text: "Look here"}, {Payload: &Payload{"analysis.a", "t", "txt"}}}}
	before := s.Version()
	head, err := s.SaveDashboard(t.Context(), "ann", d, 0)
	if err != nil || head.Version != 1 || s.Version() == before {
		t.Fatalf("%+v %v", head, err)
	}
	if _, err := s.SaveDashboard(t.Context(), "bob", d, 0); !errors.Is(err, ErrChanged) {
		t.Errorf("saved over one that is there: %v", err)
	}
	d.Title = "Up and down"
	if head, err = s.SaveDashboard(t.Context(), "bob", d, 1); err != nil || head.Version != 2 {
		t.Errorf("%+v %v", head, err)
	}
	got, err := s.Dashboard(t.Context(), "up")
	if err != nil || got.Title != "Up and down" || got.Author != "bob" || got.Version != 2 || len(got.Panels) != 3 || got.Panels[0].Series[1].Column != "y" || !got.Updated.Equal(now) {
		t.Errorf("%+v %v", got, err)
	}
	if err := s.RemoveDashboard(t.Context(), "ann", "up"); err != nil {
		t.Error(err)
	}
	if err := s.RemoveDashboard(t.Context(), "ann", "up"); !errors.Is(err, ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	if _, err := s.Dashboard(t.Context(), "up"); !errors.Is(err, ErrNotFound) {
		t.Errorf("after its removal: %v", err)
	}
	if head, err = s.SaveDashboard(t.Context(), "bob", d, 0); err != nil || head.Version != 4 {
		t.Errorf("made again: %+v %v", head, err)
	}
	events, err := c.Events(t.Context(), "dashboard/up", 10, 0)
	if err != nil || len(events) != 4 || events[0].What != "save" || events[1].What != "remove" || events[0].Version != 4 {
		t.Errorf("%+v %v", events, err)
	}
	if _, err := s.SaveDashboard(t.Context(), "mallory", d, 4); !errors.Is(err, ErrDenied) {
		t.Errorf("one who may not: %v", err)
	}
	for name, bad := range map[string]Dashboard{
		"no title":        {Head: Head{ID: "x"}},
		"control letters": {Head: Head{ID: "x"}, Title: "a\x1b"},
		"its ID":          {Head: Head{ID: "../x"}, Title: "a"},
		"two kinds":       {Head: Head{ID: "x"}, Title: "a", Panels: []Panel{{Text: "a", Payload: &Payload{Plugin: "p"}}}},
		"no kind":         {Head: Head{ID: "x"}, Title: "a", Panels: []Panel{{Title: "b"}}},
		"many panels":     {Head: Head{ID: "x"}, Title: "a", Panels: make([]Panel, mostPanels+1)},
		"much text":       {Head: Head{ID: "x"}, Title: "a", Panels: []Panel{{Text: strings.Repeat("x", mostText+1)}}},
		"no plugin":       {Head: Head{ID: "x"}, Title: "a", Panels: []Panel{{Series: []Series{{Graph: "g"}}}}},
	} {
		if _, err := s.SaveDashboard(t.Context(), "eve", bad, 0); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSilences(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0).UTC()
	s, _ := open(t, &now)
	add := func(subject string, lasts time.Duration) string {
		t.Helper()
		h, err := s.Silence(t.Context(), "ann", Silence{Plugin: "analysis.a", Subject: subject, Why: "known", Until: now.Add(lasts)})
		if err != nil {
			t.Fatal(err)
		}
		return h.ID
	}
	add("x", time.Minute)
	second := add("", time.Hour)
	list, err := s.Silences(t.Context())
	if err != nil || len(list) != 2 || list[0].Author != "ann" || !list[0].Covers("analysis.a", "x", now) || list[0].Covers("analysis.a", "y", now) ||
		!list[1].Covers("analysis.a", "y", now) || list[1].Covers("analysis.b", "y", now) || list[1].Covers("analysis.a", "y", now.Add(2*time.Hour)) {
		t.Errorf("%+v %v", list, err)
	}
	now = now.Add(2 * time.Minute)
	if third := add("z", time.Hour); third != "1" {
		t.Errorf("the place of one that is over is not used again: %s", third)
	}
	if err := s.EndSilence(t.Context(), "bob", second); err != nil {
		t.Error(err)
	}
	if list, err = s.Silences(t.Context()); err != nil || len(list) != 1 || list[0].Subject != "z" {
		t.Errorf("%+v %v", list, err)
	}
	for _, bad := range []Silence{{Why: "w", Until: now.Add(1)}, {Plugin: "p", Until: now.Add(1)}, {Plugin: "p", Why: "w", Until: now}, {Plugin: "p", Why: "w", Until: now.Add(2 * longestSilence)}} {
		if _, err := s.Silence(t.Context(), "eve", bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestSeen(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0).UTC()
	s, _ := open(t, &now)
	mark := func(subject string, began time.Time) {
		t.Helper()
		if _, err := s.MarkSeen(t.Context(), "ann", Seen{Plugin: "analysis.a", Subject: subject, Began: began, Note: "mine"}); err != nil {
			t.Fatal(err)
		}
	}
	mark("x", now)
	mark("y", now)
	mark("x", now.Add(time.Hour)) // of one subject only the newest is kept
	list, err := s.AllSeen(t.Context())
	if err != nil || len(list) != 2 || !list[0].Began.Equal(now.Add(time.Hour)) || list[0].Version != 2 || list[1].Subject != "y" || list[1].Note != "mine" {
		t.Errorf("%+v %v", list, err)
	}
	now = now.Add(2 * keepSeen)
	mark("z", now)
	if list, err = s.AllSeen(t.Context()); err != nil || len(list) != 2 {
		t.Errorf("one that is old keeps its place: %+v %v", list, err)
	}
}

// TestUseless: how often a subject's incidents were seen and called useless is counted, once for each incident.
func TestUseless(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0).UTC()
	s, _ := open(t, &now)
	for i, c := range []struct {
		began         time.Duration
		useless       bool
		times, wasted int
	}{{0, false, 1, 0}, {0, true, 1, 1}, {0, true, 1, 1}, {0, false, 1, 1}, {time.Hour, false, 2, 1}, {2 * time.Hour, true, 3, 2}} {
		if _, err := s.MarkSeen(t.Context(), "ann", Seen{Plugin: "analysis.a", Subject: "x", Began: now.Add(c.began), Useless: c.useless, Times: 99, Wasted: 99}); err != nil {
			t.Fatal(err)
		}
		list, err := s.AllSeen(t.Context())
		if err != nil || len(list) != 1 || list[0].Times != c.times || list[0].Wasted != c.wasted {
			t.Errorf("%d: %+v %v, want %d and %d", i, list, err, c.times, c.wasted)
		}
	}
}

// FuzzDashboard: what cannot be saved is refused, and what can comes back as it was.
func FuzzDashboard(f *testing.F) {
	f.Add("up", "Up", "analysis.a", "graph", "text")
	f.Add("", "\x00", "\xff", strings.Repeat("x", 300), "")
	f.Fuzz(func(t *testing.T, id, title, plugin, name, text string) {
		now := time.Unix(1000, 0).UTC()
		s, _ := open(t, &now)
		d := Dashboard{Head: Head{ID: id}, Title: title, Panels: []Panel{{Series: []Series{{plugin, name, name}}}, {Text: text}}}
		head, err := s.SaveDashboard(t.Context(), "ann", d, 0)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		got, err := s.Dashboard(t.Context(), head.ID)
		if err != nil || got.Title != title || got.Panels[0].Series[0] != d.Panels[0].Series[0] || got.Panels[1].Text != text {
			t.Fatalf("%+v %v", got, err)
		}
	})
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0).UTC()
	s, _ := open(t, &now)
	r := Route{Head: Head{ID: "mine"}, Title: "Mine", Matcher: "TRUE", Mail: []string{"ann@example.com"}, Webhooks: []Hook{{URL: "https://example.com", Secret: "s3cret"}}, Wait: 30, Interval: 300, Resolved: true}
	if _, err := s.SaveRoute(t.Context(), "ann", r, 0); err != nil {
		t.Fatal(err)
	}
	r.Webhooks = []Hook{{URL: "https://example.com", Secret: ""}, {URL: "https://example.org"}}
	if _, err := s.SaveRoute(t.Context(), "bob", r, 1); err != nil {
		t.Fatal(err)
	}
	list, err := s.Routes(t.Context())
	if err != nil || len(list) != 1 || list[0].Webhooks[0].Secret != "s3cret" || list[0].Webhooks[1].Secret != "" || list[0].Version != 2 || list[0].Author != "bob" {
		t.Errorf("%+v %v", list, err)
	}
	if _, err := s.SaveRoute(t.Context(), "bob", r, 1); !errors.Is(err, ErrChanged) {
		t.Errorf("over an old version: %v", err)
	}
	for name, change := range map[string]func(*Route){
		"no title": func(r *Route) { r.Title = "" }, "nobody": func(r *Route) { r.Mail, r.Webhooks = nil, nil }, "many": func(r *Route) { r.Mail = make([]string, 30) },
		"its matcher": func(r *Route) { r.Matcher = "bad" }, "a negative wait": func(r *Route) { r.Wait = -1 }, "a long repeat": func(r *Route) { r.Repeat = 1 << 40 }, "control letters": func(r *Route) { r.Mail = []string{"a@b\x00"} },
	} {
		bad := r
		bad.ID = "bad"
		change(&bad)
		if _, err := s.SaveRoute(t.Context(), "eve", bad, 0); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.RemoveRoute(t.Context(), "ann", "mine"); err != nil {
		t.Error(err)
	}
	if list, err = s.Routes(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%+v %v", list, err)
	}
}
