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
	b.decide(catalog.Decision{Remove: p.Name})
	c = open(t, opt, away)
	for _, h := range []*host{a, b, c} {
		h.has(q)
		if gone, err := h.cat.Removed(t.Context(), p.Name); !gone || err != nil {
			t.Errorf("that it was removed is not known: %v", err)
		}
	}
	if !slices.Equal(a.told, []string{q.Name, p.Name}) || !slices.Equal(b.told, []string{p.Name, q.Name}) || c.told != nil {
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
		if names, err := h.cat.RemovedNames(t.Context()); err != nil || !slices.Equal(names, []string{"output.gone0", "output.gone1"}) {
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
	for key, value := range map[string]string{"plugin/analysis.x": "no json", "plugin/": "{}", "other": "{}", "plugin/output.y": `{"kind":"analysis"}`} {
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
	for _, d := range []catalog.Decision{{Put: &p}, {Remove: "analysis.p"}} {
		e, err := encode(d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(e.Key, e.Value)
	}
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		d, err := decode(kafka.Entry{Key: key, Value: value})
		if err != nil {
			return
		}
		e, err := encode(d)
		if err != nil {
			t.Fatalf("what was read cannot be written again: %v", err)
		}
		again, err := decode(e)
		if err != nil || cmp.Diff(again, d, cmpopts.EquateEmpty()) != "" {
			t.Errorf("%v %s", err, cmp.Diff(again, d, cmpopts.EquateEmpty()))
		}
	})
}
