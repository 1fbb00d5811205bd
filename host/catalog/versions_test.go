package catalog_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sandbar/host/catalog"
)

// TestVersions: what is submitted gets the next number, also under the name of a plugin that was removed; other changes do not.
func TestVersions(t *testing.T) {
	t.Parallel()
	c := open(t, filepath.Join(t.TempDir(), "c.db"))
	ctx := t.Context()
	apply := func(d catalog.Decision) {
		t.Helper()
		if err := c.Apply(ctx, d); err != nil {
			t.Fatal(err)
		}
	}
	at := func(n int) time.Time { return time.Unix(int64(n), 0).UTC() }
	event := func(what string) catalog.Event {
		return catalog.Event{At: at(1), Actor: "me", What: what, Note: "why " + what}
	}
	p := sample("analysis.p")
	p.Author, p.Note, p.Warning = "me", "first", "careful"
	apply(catalog.Decision{Put: &p, Event: event("submit")})
	q := sample("analysis.q")
	apply(catalog.Decision{Put: &q, Event: event("submit")})
	if p.Version != 1 || q.Version != 1 {
		t.Errorf("versions %d and %d, want 1", p.Version, q.Version)
	}
	p.Run = false
	apply(catalog.Decision{Put: &p, Event: event("stop")})
	second := p
	second.Version, second.Config, second.Updated, second.Note = 0, "other", at(3), "second"
	apply(catalog.Decision{Put: &second, Event: event("replace")})
	same := second
	same.Version = 0 // as a host that knows no versions writes it
	apply(catalog.Decision{Put: &same})
	apply(catalog.Decision{Remove: p.Name, Event: event("remove")})
	again := p
	again.Version, again.Updated = 0, at(4)
	apply(catalog.Decision{Put: &again})
	if second.Version != 2 || same.Version != 2 || again.Version != 3 {
		t.Errorf("versions %d, %d, %d, want 2, 2, 3", second.Version, same.Version, again.Version)
	}
	list, err := c.Versions(ctx, p.Name)
	if err != nil || len(list) != 3 || list[0].N != 3 || list[1].Note != "second" || list[2].Warning != "careful" || len(list[2].Source) != 0 {
		t.Errorf("%v %+v", err, list)
	}
	if v, err := c.Version(ctx, p.Name, 2); err != nil || v.Config != "other" || string(v.Source) != string(p.Source) || !v.Updated.Equal(at(3)) {
		t.Errorf("%v %+v", err, v)
	}
	if _, err := c.Version(ctx, p.Name, 4); !errors.Is(err, catalog.ErrNoVersion) {
		t.Errorf("a version that is not there: %v", err)
	}
	what := func(events []catalog.Event, err error) (list []string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			list = append(list, fmt.Sprint(e.N, " ", e.What, " ", e.Plugin, " ", e.Version, " ", e.Note))
		}
		return list
	}
	if got := what(c.Events(ctx, "", 2, 0)); !slices.Equal(got, []string{"5 remove analysis.p 0 why remove", "4 replace analysis.p 2 why replace"}) {
		t.Errorf("events %q", got)
	}
	if got := what(c.Events(ctx, "analysis.p", 9, 4)); !slices.Equal(got, []string{"3 stop analysis.p 1 why stop", "1 submit analysis.p 1 why submit"}) {
		t.Errorf("events of p %q", got)
	}
}

// TestVersionsAreBounded: in number and in bytes, for each plugin; the newest is kept, however large it is. So are events in number.
func TestVersionsAreBounded(t *testing.T) {
	t.Parallel()
	c := open(t, filepath.Join(t.TempDir(), "c.db"))
	submit := func(name string, n, size int) {
		t.Helper()
		p := sample(name)
		p.Source, p.Updated = make([]byte, size), time.Unix(int64(n), 0)
		if err := c.Apply(t.Context(), catalog.Decision{Put: &p, Event: catalog.Event{What: "submit"}}); err != nil {
			t.Fatal(err)
		}
	}
	kept := func(name string) (n []int) {
		t.Helper()
		list, err := c.Versions(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list {
			n = append(n, v.N)
		}
		return n
	}
	for n := range catalog.KeepVersions + 3 {
		submit("analysis.many", n, 10)
	}
	for n := range 4 {
		submit("analysis.large", n, 30<<20)
	}
	submit("analysis.huge", 0, 100)
	submit("analysis.huge", 1, 70<<20)
	if got := kept("analysis.many"); len(got) != catalog.KeepVersions || got[0] != catalog.KeepVersions+3 {
		t.Errorf("versions %v", got)
	}
	if got := kept("analysis.large"); !slices.Equal(got, []int{4, 3}) {
		t.Errorf("large versions %v", got)
	}
	if got := kept("analysis.huge"); !slices.Equal(got, []int{2}) {
		t.Errorf("huge versions %v", got)
	}
	if err := errors.Join(c.Apply(t.Context(), catalog.Decision{Remove: "analysis.huge"}), c.DropVersions(t.Context(), []string{"analysis.huge", "analysis.large"})); err != nil {
		t.Fatal(err)
	}
	if got, still := kept("analysis.huge"), kept("analysis.large"); got != nil || len(still) != 2 {
		t.Errorf("versions %v of one that was removed, %v of one that is there", got, still)
	}
	if err := c.PutEvent(t.Context(), catalog.Event{N: catalog.KeepEvents + 5, What: "x", Plugin: "p"}); err != nil {
		t.Fatal(err)
	}
	events, err := c.Events(t.Context(), "", 1000, 0)
	if err != nil || events[len(events)-1].N != 6 {
		t.Errorf("%v, the oldest is %+v", err, events[len(events)-1])
	}
}
