package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"sandbar/host/catalog"
	"sandbar/host/stream/kafka"
	"sandbar/host/stream/kafka/kafkatest"
	"sandbar/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// host is a catalog that follows.
type host struct {
	*Control
	t     *testing.T
	cat   *catalog.Catalog
	close func()

	mu   sync.Mutex
	told []string
}

func topics(t *testing.T) kafka.Options {
	t.Helper()
	opt := kafka.Options{Brokers: kafkatest.Fake(t).ListenAddrs(), Now: time.Now, Logger: slog.New(slog.DiscardHandler), Timeout: 10 * time.Second}
	if err := kafka.Create(t.Context(), opt, 1, 1); err != nil {
		t.Fatal(err)
	}
	return opt
}

func open(t *testing.T, opt kafka.Options, dir string) *host {
	t.Helper()
	h := &host{t: t}
	cluster, err := kafka.Connect(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	if h.cat, err = catalog.Open(filepath.Join(dir, "catalog.db")); err != nil {
		t.Fatal(err)
	}
	h.Control, err = Open(t.Context(), Options{Table: cluster.Table(kafka.Control), Catalog: h.cat, Timeout: 10 * time.Second, Log: opt.Logger,
		Report: func(err error) {
			if err != nil {
				t.Error(err)
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	h.Tell(func(name string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.told = append(h.told, name)
	})
	h.close = sync.OnceFunc(func() {
		if err := errors.Join(h.Close(), cluster.Close(), h.cat.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(h.close)
	return h
}

func (h *host) decide(d catalog.Decision) {
	h.t.Helper()
	if err := h.Decide(h.t.Context(), func() (catalog.Decision, error) { return d, nil }); err != nil {
		h.t.Fatal(err)
	}
}

// has waits until the host has heard of all and compares the catalog.
func (h *host) has(want ...catalog.Plugin) {
	h.t.Helper()
	if err := h.opt.Table.Ready(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	got, err := h.cat.List(h.t.Context())
	if err != nil || cmp.Diff(got, want) != "" {
		h.t.Errorf("%v %s", err, cmp.Diff(got, want))
	}
}

func plugin(name string) catalog.Plugin {
	return catalog.Plugin{Name: "analysis." + name, Kind: sandbox.Analysis, Config: "message_matcher = 'TRUE'", Source: []byte{0, 1, 0xff}, Shipped: "abc", Run: true,
		Updated: time.Unix(12, 345).UTC(), Author: "10.0.0.1", Outcome: "runtime error", Reason: "why", Line: 7, Message: "\xff\x00"}
}

// TestHosts: what one host decides is in the catalogs of all, whole, and the others are told; a host that was away hears of it when it
// comes, also of what was removed.
func TestHosts(t *testing.T) {
	t.Parallel()
	opt := topics(t)
	a, b, away := open(t, opt, t.TempDir()), open(t, opt, t.TempDir()), t.TempDir()
	p, q := plugin("p"), plugin("q")
	a.decide(catalog.Decision{Put: &p})
	b.decide(catalog.Decision{Put: &q})
	c := open(t, opt, away)
	for _, h := range []*host{a, b, c} {
		h.has(p, q)
	}
	c.close()
	q.Run, q.Message = false, ""
	a.decide(catalog.Decision{Put: &q})
	for i := range 3 {
		q.Version, q.Note, q.Updated = 0, fmt.Sprint("try ", i), q.Updated.Add(time.Second)
		[]*host{a, b}[i%2].decide(catalog.Decision{Put: &q, Event: catalog.Event{At: q.Updated, Actor: "me", What: "replace", Note: q.Note}})
	}
	b.decide(catalog.Decision{Remove: p.Name, Event: catalog.Event{At: q.Updated, Actor: "you", What: "remove"}})
	c = open(t, opt, away)
	for _, h := range []*host{a, b, c} {
		h.has(q)
		if gone, err := h.cat.Removed(t.Context(), p.Name); !gone || err != nil {
			t.Errorf("that it was removed is not known: %v", err)
		}
		versions, err := h.cat.Versions(t.Context(), q.Name)
		if err != nil || len(versions) != 4 || versions[0].Note != "try 2" || versions[3].Note != "" || q.Version != 4 {
			t.Errorf("%v, versions %+v", err, versions)
		}
		if v, err := h.cat.Version(t.Context(), q.Name, 2); err != nil || cmp.Diff(v.Source, q.Source) != "" || v.Note != "try 0" {
			t.Errorf("%v, version 2 is %+v", err, v)
		}
		events, err := h.cat.Events(t.Context(), "", 10, 0)
		if err != nil || len(events) != 4 || events[0].What != "remove" || events[0].Plugin != p.Name || events[1].Version != 4 || events[3].Note != "try 0" {
			t.Errorf("%v, events %+v", err, events)
		}
	}
	if !slices.Equal(a.told, []string{q.Name, q.Name, p.Name}) || !slices.Equal(b.told, []string{p.Name, q.Name, q.Name, q.Name}) || c.told != nil {
		t.Errorf("told of %v, %v and %v", a.told, b.told, c.told)
	}
	refused := errors.New("refused")
	if err := a.Decide(t.Context(), func() (catalog.Decision, error) { return catalog.Decision{}, refused }); !errors.Is(err, refused) {
		t.Errorf("decided: %v", err)
	}
}

// TestBring: the first host brings its plugins along, and what it removed; what the topic has already wins.
func TestBring(t *testing.T) {
	t.Parallel()
	opt := topics(t)
	dirs := []string{t.TempDir(), t.TempDir()}
	first, second := plugin("p"), plugin("p")
	second.Config = "another"
	q := plugin("q")
	first.Version, second.Version, q.Version = 1, 1, 1
	for i, plugins := range [][]catalog.Plugin{{first}, {second, q}} {
		cat, err := catalog.Open(filepath.Join(dirs[i], "catalog.db"))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range plugins {
			if err := cat.Put(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(cat.Apply(t.Context(), catalog.Decision{Remove: fmt.Sprint("output.gone", i)}), cat.Close()); err != nil {
			t.Fatal(err)
		}
	}
	a := open(t, opt, dirs[0])
	a.has(first)
	b := open(t, opt, dirs[1])
	for _, h := range []*host{a, b} {
		h.has(first, q)
		if v, err := h.cat.Versions(t.Context(), first.Name); err != nil || len(v) != 1 || v[0].Config != first.Config {
			t.Errorf("%v, versions %+v", err, v)
		}
		if names, err := h.cat.RemovedNames(t.Context(), time.Time{}); err != nil || !slices.Equal(names, []string{"output.gone0", "output.gone1"}) {
			t.Errorf("removed were %v, %v", names, err)
		}
	}
}

// TestInTurn: hosts that decide about the same plugin at the same time see each other's decisions.
func TestInTurn(t *testing.T) {
	t.Parallel()
	opt := topics(t)
	hosts := []*host{open(t, opt, t.TempDir()), open(t, opt, t.TempDir())}
	p := plugin("p")
	p.Line = 0
	hosts[0].decide(catalog.Decision{Put: &p})
	var deciding sync.WaitGroup
	for _, h := range hosts {
		deciding.Go(func() {
			for range 5 {
				err := h.Decide(context.Background(), func() (catalog.Decision, error) {
					now, err := h.cat.Get(context.Background(), p.Name)
					now.Line++
					return catalog.Decision{Put: &now}, err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	deciding.Wait()
	p.Line = 10
	for _, h := range hosts {
		h.has(p)
	}
}

// TestDamaged: an entry that cannot be read keeps no other away.
func TestDamaged(t *testing.T) {
	t.Parallel()
	opt := topics(t)
	a := open(t, opt, t.TempDir())
	table := a.opt.Table.(*kafka.Table)
	for key, value := range map[string]string{"version/analysis.p/1": `{"plugin":"analysis.p","n":2}`, "version/x": "{}", "event/7": `{"n":8,"what":"x"}`, "event/x": "no json",
		"plugin/analysis.x": "no json", "plugin/": "{}", "other": "{}", "plugin/output.y": `{"kind":"analysis"}`} {
		if err := table.Put(t.Context(), key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.Put(t.Context(), "plugin/analysis.none", nil); err != nil {
		t.Fatal(err)
	}
	p := plugin("p")
	a.decide(catalog.Decision{Put: &p})
	a.has(p)
	open(t, opt, t.TempDir()).has(p)
}

func FuzzDecode(f *testing.F) {
	p := plugin("p")
	p.Version, p.Note, p.Warning = 3, "why", "careful"
	for _, d := range []catalog.Decision{{Put: &p}, {Remove: "analysis.p"}} {
		e, err := encode(d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(e.Key, e.Value)
	}
	v := catalog.VersionOf(&p)
	e, err := encodeVersion(&v)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(e.Key, e.Value)
	if e, err = encodeEvent(&catalog.Event{N: 10_001, At: p.Updated, Actor: "me", What: "stop", Plugin: p.Name, Version: 3}); err != nil {
		f.Fatal(err)
	}
	f.Add(e.Key, e.Value)
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		e := kafka.Entry{Key: key, Value: value}
		again(t, e, decode, encode)
		again(t, e, decodeVersion, func(v catalog.Version) (kafka.Entry, error) { return encodeVersion(&v) })
		again(t, e, decodeEvent, func(v catalog.Event) (kafka.Entry, error) { return encodeEvent(&v) })
	})
}

// again holds that what can be read can be written again, and is the same then.
func again[T any](t *testing.T, e kafka.Entry, decode func(kafka.Entry) (T, error), encode func(T) (kafka.Entry, error)) {
	t.Helper()
	v, err := decode(e)
	if err != nil {
		return
	}
	written, err := encode(v)
	if err != nil {
		t.Fatalf("what was read cannot be written again: %v", err)
	}
	back, err := decode(written)
	if err != nil || written.Key != e.Key || cmp.Diff(back, v, cmpopts.EquateEmpty()) != "" {
		t.Errorf("%v %s", err, cmp.Diff(back, v, cmpopts.EquateEmpty()))
	}
}

// TestItems: what is saved on one host is there on another, also on one that comes later with items of its own.
func TestItems(t *testing.T) {
	t.Parallel()
	opt := topics(t)
	a, b := open(t, opt, t.TempDir()), open(t, opt, t.TempDir())
	now := time.Unix(1000, 0).UTC()
	a.decide(catalog.Decision{Item: &catalog.Item{Kind: "dashboard", ID: "up", Value: []byte(`{"title":"Up"}`), Updated: now, Author: "ann"},
		Event: catalog.Event{At: now, Actor: "ann", What: "save"}})
	b.decide(catalog.Decision{Item: &catalog.Item{Kind: "silence", ID: "1", Value: []byte(`{}`), Updated: now}})
	b.decide(catalog.Decision{Item: &catalog.Item{Kind: "silence", ID: "1", Updated: now}}) // removed
	dir := t.TempDir()
	own, err := catalog.Open(filepath.Join(dir, "catalog.db"))
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(own.Apply(t.Context(), catalog.Decision{Item: &catalog.Item{Kind: "dashboard", ID: "mine", Value: []byte(`1`), Updated: now}}), own.Close())
	if err != nil {
		t.Fatal(err)
	}
	c := open(t, opt, dir)
	for i, h := range []*host{a, b, c} {
		h.has()
		items, err := h.cat.Items(t.Context(), "")
		if err != nil || len(items) != 3 || items[0].ID != "mine" || string(items[1].Value) != `{"title":"Up"}` || items[1].Author != "ann" || items[1].Version != 1 || items[2].Value != nil || items[2].Version != 2 {
			t.Errorf("host %d has %+v, %v", i, items, err)
		}
		if len(h.told) != 0 {
			t.Errorf("host %d was told of plugins: %v", i, h.told)
		}
	}
}
