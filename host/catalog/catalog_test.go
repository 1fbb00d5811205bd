package catalog_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sandbar/host/catalog"
	"sandbar/sandbox"
)

func open(t *testing.T, path string) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func sample(name string) catalog.Plugin {
	return catalog.Plugin{Name: name, Kind: sandbox.Analysis, Config: "message_matcher = 'TRUE'\n", Source: []byte("-- \x00\xff é '\"; DROP TABLE plugins"), Shipped: "abc",
		Run: true, Updated: time.Unix(1_700_000_000, 123).UTC(), Outcome: "runtime_error", Reason: "why", Line: 12}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a ?b%20#&.db")
	c := open(t, path)
	ctx := t.Context()
	if list, err := c.List(ctx); err != nil || len(list) != 0 {
		t.Errorf("a new catalog holds %v, %v", list, err)
	}
	b, a := sample("analysis.b"), catalog.Plugin{Name: "analysis.a", Kind: sandbox.Output, Updated: time.Unix(0, 1).UTC()}
	for _, p := range []catalog.Plugin{b, a} {
		if err := c.Put(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	b.Source, b.Run = []byte("other"), false
	if err := c.Put(ctx, b); err != nil {
		t.Fatal(err)
	}
	a.Version, b.Version = 1, 2
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file is elsewhere: %v", err)
	}
	c = open(t, path)
	list, err := c.List(ctx)
	if diff := cmp.Diff([]catalog.Plugin{a, b}, list); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if got, err := c.Get(ctx, "analysis.b"); err != nil || !cmp.Equal(got, b) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := c.Get(ctx, "analysis.c"); !errors.Is(err, catalog.ErrNotFound) || !strings.Contains(err.Error(), "analysis.c") {
		t.Errorf("a plugin that is not there: %v", err)
	}
	if gone, err := c.Removed(ctx, "analysis.c"); gone || err != nil {
		t.Errorf("removed %v, %v", gone, err)
	}
	if err := c.Apply(ctx, catalog.Decision{Remove: "analysis.b"}); err != nil {
		t.Fatal(err)
	}
	if gone, err := c.Removed(ctx, "analysis.b"); !gone || err != nil {
		t.Errorf("removed %v, %v", gone, err)
	}
	if err := c.Put(ctx, b); err != nil {
		t.Fatal(err)
	}
	if gone, err := c.Removed(ctx, "analysis.b"); gone || err != nil {
		t.Errorf("put again, removed %v, %v", gone, err)
	}
}

func TestRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("data", 0o755); err != nil {
		t.Fatal(err)
	}
	open(t, filepath.Join("data", "catalog.db"))
	if _, err := os.Stat("data/catalog.db"); err != nil {
		t.Error(err)
	}
}

func TestBrokenFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := filepath.Join(dir, "good.db")
	c := open(t, good)
	for i := range 200 {
		if err := c.Put(t.Context(), sample(fmt.Sprint("analysis.p", i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	bytes, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	holes := append([]byte(nil), bytes...)
	for at := 4096; at < len(holes); at += 4096 {
		clear(holes[at : at+64])
	}
	newer := filepath.Join(dir, "newer.db")
	db, err := sql.Open("sqlite", newer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	fromNewer, err := os.ReadFile(newer)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"text": []byte(strings.Repeat("hello ", 1000)), "holes": holes, "cut": bytes[:len(bytes)/2], "newer version": fromNewer} {
		path := filepath.Join(dir, name+".broken")
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		c, err := catalog.Open(path)
		if err == nil {
			c.Close()
			t.Errorf("%s: opened", name)
		} else if !strings.Contains(err.Error(), path) {
			t.Errorf("%s: the error does not name the file: %v", name, err)
		}
	}
	if _, err := catalog.Open(filepath.Join(dir, "missing", "x.db")); err == nil {
		t.Error("a folder that is not there: opened")
	}
}

// A catalog of the first version keeps its plugins.
func TestOldVersion(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "c.db")
	c := open(t, path)
	if err := c.Put(t.Context(), sample("analysis.a")); err != nil {
		t.Fatal(err)
	}
	c.Close()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`DROP TABLE removed; DROP TABLE items; DROP TABLE ended_sessions; DROP TABLE versions; DROP TABLE events; ALTER TABLE plugins DROP COLUMN message;
		ALTER TABLE plugins DROP COLUMN author; ALTER TABLE plugins DROP COLUMN version; ALTER TABLE plugins DROP COLUMN note; ALTER TABLE plugins DROP COLUMN warning; PRAGMA user_version = 1`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	c = open(t, path)
	want := sample("analysis.a")
	want.Version = 1
	if p, err := c.Get(t.Context(), "analysis.a"); err != nil || !cmp.Equal(p, want) {
		t.Errorf("%v\n%s", err, cmp.Diff(want, p))
	}
	if v, err := c.Version(t.Context(), "analysis.a", 1); err != nil || string(v.Source) != string(want.Source) {
		t.Errorf("its first version: %+v, %v", v, err)
	}
	if err := c.Apply(t.Context(), catalog.Decision{Remove: "analysis.a"}); err != nil {
		t.Error(err)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "c.db")
	all := []*catalog.Catalog{open(t, path), open(t, path)} // as two processes would
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			c := all[i%2]
			for n := range 10 {
				name := fmt.Sprintf("analysis.p%d", i)
				p := sample(name)
				p.Line = n
				err := c.Put(t.Context(), p)
				got, gerr := c.Get(t.Context(), name)
				if _, lerr := c.List(t.Context()); err != nil || gerr != nil || lerr != nil || got.Line != n {
					t.Errorf("%v, %v, %v, line %d", err, gerr, lerr, got.Line)
				}
			}
		})
	}
	group.Wait()
	if list, err := all[0].List(t.Context()); err != nil || len(list) != 8 {
		t.Errorf("%d plugins, %v", len(list), err)
	}
}

// TestOldSources opens a catalog whose sources are text.
func TestOldSources(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "catalog.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	const old = "-- é\nfunction process_message() return 0 end"
	for _, stmt := range append(catalog.Migrations()[:5],
		"INSERT INTO plugins VALUES ('analysis.old', 'analysis', 'c', '"+old+"', '', 1, 5, '', '', 0, NULL, 'me')", "PRAGMA user_version = 5") {
		if _, err := db.Exec(stmt); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	c := open(t, path)
	want := catalog.Plugin{Name: "analysis.old", Kind: sandbox.Analysis, Config: "c", Source: []byte(old), Run: true, Updated: time.Unix(0, 5).UTC(), Author: "me", Version: 1}
	if got, err := c.Get(t.Context(), "analysis.old"); err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v\n%s", err, cmp.Diff(want, got))
	}
	want.Source = nil
	if all, err := c.Summaries(t.Context()); err != nil || !cmp.Equal(all, []catalog.Plugin{want}) {
		t.Errorf("%v\n%s", err, cmp.Diff([]catalog.Plugin{want}, all))
	}
}
