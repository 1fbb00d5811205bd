package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sandbar/host/stream"
	"sandbar/host/view/viewtest"
	"sandbar/sandbox/message"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// store is one in memory.
type store struct {
	log *viewtest.Log

	mu     sync.Mutex
	at     map[string]map[string]stream.Position
	states map[string][]byte
	broken error
	n      int
}

func newStore() *store {
	return &store{log: viewtest.New(1000), at: map[string]map[string]stream.Position{}, states: map[string][]byte{}}
}

func (s *store) Commit(_ context.Context, c *stream.Commit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	s.n++
	maps.Copy(s.at, c.Positions)
	maps.Copy(s.states, c.States)
	return nil
}

func (s *store) Readers() map[string]map[string]stream.Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.at)
}

func (s *store) State(_ context.Context, name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.states[name], nil
}

func (s *store) Log(string) stream.Log { return s.log }

// way keeps what it is given.
type way struct {
	mu   sync.Mutex
	got  []Notice
	to   []Target
	fail func(n *Notice, to Target) error
}

func (w *way) Send(_ context.Context, n *Notice, to Target) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail != nil {
		if err := w.fail(n, to); err != nil {
			return err
		}
	}
	w.got, w.to = append(w.got, *n), append(w.to, to)
	return nil
}

func (w *way) notices() []Notice {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Notice{}, w.got...)
}

// clock stands still where it was set, or goes on from there.
type clock struct {
	mu    sync.Mutex
	at    time.Time
	since time.Time

	moving bool
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.moving {
		return c.at
	}
	return c.at.Add(time.Since(c.since))
}

func (c *clock) set(minutes float64) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.since = time.Unix(0, int64(minutes*60e9)).UTC(), time.Now()
	return c.at
}

func alarm(plugin, id string, minute, throttle float64, to ...string) []byte {
	var b message.Builder
	b.SetTimestamp(int64(minute * 60e9))
	b.SetHeader(message.Type, message.TypeAlert)
	b.SetHeader(message.Logger, plugin)
	b.SetHeader(message.Payload, "detail of "+id)
	b.AddString(message.FieldAlertID, "", id)
	b.AddString(message.FieldSummary, "", "summary of "+id)
	b.AddDouble(message.FieldThrottle, "min", throttle)
	if len(to) > 0 {
		b.AddString("email.recipients", "", to...)
	}
	return b.AppendTo(nil)
}

func everything(*message.View) bool { return true }

// bench is a router whose time is told by the test.
type bench struct {
	*Router
	t     *testing.T
	store *store
	clock *clock
	way   *way
}

func newBench(t *testing.T, s *store, change func(*Options)) *bench {
	t.Helper()
	b := &bench{t: t, store: s, clock: &clock{at: time.Unix(0, 0).UTC(), since: time.Now()}, way: &way{}}
	o := Options{Store: s, Streams: []string{stream.Derived}, Ways: map[string]Way{"mail": b.way, "webhook": b.way}, CommitTime: time.Second, Now: b.clock.now,
		Logger: slog.New(slog.DiscardHandler), Link: func(key string) string { return "https://host/alerts/" + key },
		Routes: func() []Route {
			return []Route{{Name: "all", Match: everything, Targets: []Target{{Way: "webhook", Address: "x"}}, Wait: time.Minute, Interval: 10 * time.Minute, Repeat: time.Hour, Resolved: true}}
		}}
	if change != nil {
		change(&o)
	}
	r, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	b.Router = r
	return b
}

// at sets the clock, lets alerts come, and returns the notices that were made then.
func (b *bench) at(minute float64, alerts ...[]byte) []string {
	b.t.Helper()
	now := b.clock.set(minute)
	if len(alerts) > 0 {
		b.take(0, &stream.Batch{Messages: alerts})
	}
	b.mu.Lock()
	before := len(b.state.Jobs)
	b.mu.Unlock()
	b.tick(now)
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, j := range b.state.Jobs[before:] {
		out = append(out, brief(&j.Notice)+" to "+j.To.Address)
	}
	return out
}

func brief(n *Notice) string {
	var parts []string
	for _, s := range n.Firing {
		parts = append(parts, fmt.Sprintf("%s×%d", s.ID, s.Count))
	}
	for _, s := range n.Resolved {
		parts = append(parts, "-"+s.ID)
	}
	if n.More > 0 {
		parts = append(parts, fmt.Sprintf("+%d", n.More))
	}
	if n.Suppressed > 0 {
		parts = append(parts, fmt.Sprintf("(%d)", n.Suppressed))
	}
	if n.Repeated {
		parts = append(parts, "again")
	}
	return strings.Join(parts, " ")
}

func (b *bench) wants(minute float64, alerts [][]byte, want ...string) {
	b.t.Helper()
	if got := b.at(minute, alerts...); fmt.Sprint(got) != fmt.Sprint(want) {
		b.t.Errorf("at minute %v: %q, want %q", minute, got, want)
	}
}

// TestGroups: alerts that come together are told together, news at the interval, what goes on again after a while, and its end.
func TestGroups(t *testing.T) {
	t.Parallel()
	b := newBench(t, newStore(), nil)
	one := func(ids ...string) (all [][]byte) {
		for _, id := range ids {
			all = append(all, alarm("analysis.a", id, 0, 30))
		}
		return all
	}
	b.wants(0, one("x"))
	b.wants(0.5, one("y", "y"))
	b.wants(1, nil, "x×1 y×2 to x")
	b.wants(2, one("z", "x")) // news wait for the interval
	b.wants(10, nil)
	b.wants(11, nil, "z×1 x×2 y×2 (1) to x") // what is new is first
	b.wants(30, nil)
	b.wants(35.5, nil, "-x -y -z to x") // over: 30 minutes and five after minute 0
	b.wants(36, nil)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.state.Groups) != 0 {
		t.Errorf("%d groups are left", len(b.state.Groups))
	}
}

// TestRepeat: what goes on is told again, but not when somebody looks after it.
func TestRepeat(t *testing.T) {
	t.Parallel()
	seen := false
	b := newBench(t, newStore(), func(o *Options) {
		o.Seen = func(plugin, subject string, began time.Time) bool { return seen && subject == "x" }
	})
	b.wants(0, [][]byte{alarm("analysis.a", "x", 0, 600)})
	b.wants(1, nil, "x×1 to x")
	b.wants(60, nil)
	b.wants(61, nil, "x×1 again to x")
	seen = true
	b.wants(122, nil)
	seen = false
	b.wants(123, nil, "x×1 again to x")
	b.wants(100, nil) // the clock jumps back: nothing is lost, nothing is told twice at once
	b.wants(184, nil, "x×1 again to x")
}

// TestSilence: what is silenced is told when the silence is over and it still goes on, and not when it is over before.
func TestSilence(t *testing.T) {
	t.Parallel()
	quiet := true
	b := newBench(t, newStore(), func(o *Options) {
		o.Quiet = func(plugin, subject string, at time.Time) bool { return quiet && plugin == "analysis.a" }
	})
	b.wants(0, [][]byte{alarm("analysis.a", "x", 0, 10), alarm("analysis.a", "y", 0, 60), alarm("analysis.b", "z", 0, 60)})
	b.wants(1, nil, "z×1 to x")
	b.wants(16, nil)
	quiet = false
	b.wants(17, nil, "y×1 to x")
}

// TestRoutes: who is told is said by the routes, and by alerts that name their recipients.
func TestRoutes(t *testing.T) {
	t.Parallel()
	var routes []Route
	b := newBench(t, newStore(), func(o *Options) { o.Routes = func() []Route { return routes } })
	of := func(name, plugin string, bySubject bool, to ...string) Route {
		rt := Route{Name: name, BySubject: bySubject, Match: func(v *message.View) bool { l, _ := v.Header(message.Logger); return string(l) == plugin }}
		for _, a := range to {
			rt.Targets = append(rt.Targets, Target{Way: "webhook", Address: a})
		}
		return rt
	}
	routes = []Route{of("a", "analysis.a", false, "one", "two"), of("b", "analysis.b", true, "three"), of("none", "analysis.a", false)}
	b.wants(0, [][]byte{alarm("analysis.a", "x", 0, 1), alarm("analysis.b", "y", 0, 1), alarm("analysis.b", "z", 0, 1), alarm("analysis.c", "w", 0, 1)},
		"x×1 to one", "x×1 to two", "y×1 to three", "z×1 to three")
	b.wants(1, [][]byte{alarm("analysis.c", "x", 1, 1, "<ann@example.com>", "<bob@example.com>")})
	b.wants(2, nil, "x×1 to ann@example.com", "x×1 to bob@example.com")
	routes = nil
	b.wants(3, [][]byte{alarm("analysis.a", "x", 3, 1)})
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, g := range b.state.Groups {
		if g.Route != "" {
			t.Errorf("the group %s of a route that was removed is left", key)
		}
	}
}

// TestFlood: a plugin that sends thousands of alerts makes one notice, of a bounded size, and what it leaves out is counted.
func TestFlood(t *testing.T) {
	t.Parallel()
	b := newBench(t, newStore(), nil)
	var all [][]byte
	for i := range 5000 {
		all = append(all, alarm("analysis.a", fmt.Sprint("s", i%3000), 0, 60))
	}
	big := alarm("analysis.b", strings.Repeat("i", 1000), 0, 60)
	b.wants(0, append(all, big))
	got := b.at(1)
	if len(got) != 2 || !strings.HasSuffix(got[0], fmt.Sprintf(" +%d to x", 5000-mostShown*2)) {
		t.Errorf("%q", got)
	}
	if n := len(b.state.encode()); n > 100_000 {
		t.Errorf("the state has %d bytes", n)
	}
	all = all[:0]
	for p := range mostGroups + 500 {
		all = append(all, alarm(fmt.Sprint("analysis.p", p), "x", 2, 60))
	}
	b.at(2, all...)
	if s := b.Status(); s.Groups > mostGroups || s.Dropped < 400 || len(s.Waiting) > mostJobs {
		t.Errorf("%d groups, %d dropped, %d waiting", s.Groups, s.Dropped, len(s.Waiting))
	}
	b.at(4)
	if s := b.Status(); len(s.Waiting) > mostJobs || s.Failed == 0 || len(s.Dead) > mostDead || len(b.state.encode()) > 2*mostBytes+mostGroups*2000 {
		t.Errorf("%d waiting, %d failed, %d dead, %d bytes", len(s.Waiting), s.Failed, len(s.Dead), len(b.state.encode()))
	}
}

// running is a router at work.
func running(t *testing.T, b *bench) (stop func()) {
	t.Helper()
	b.clock.mu.Lock()
	b.clock.moving, b.clock.since = true, time.Now()
	b.clock.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- b.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

// TestRestart: what was told is not told again after a restart, what waits is delivered then, under the same ID, and nothing is sent before it is committed.
func TestRestart(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.log.Put(alarm("analysis.a", "old", 0, 60)) // was there before there was a router
	b := newBench(t, s, nil)
	var mu sync.Mutex
	var ids []string
	b.way.fail = func(n *Notice, _ Target) error {
		mu.Lock()
		defer mu.Unlock()
		if !strings.Contains(string(s.states[stateName]), n.ID) {
			t.Error("a notice is sent that was not committed")
		}
		ids = append(ids, n.ID)
		return errors.New("away")
	}
	stop := running(t, b)
	s.log.Put(alarm("analysis.a", "x", 0, 60))
	until(t, "the alert", func() bool { return b.Status().Groups == 1 })
	b.clock.set(2)
	until(t, "an attempt", func() bool { w := b.Status().Waiting; return len(w) == 1 && w[0].Attempts == 1 && w[0].Error == "away" })
	stop()

	b = newBench(t, s, nil)
	b.clock.set(2.5)
	stop = running(t, b)
	until(t, "the delivery", func() bool { return len(b.way.notices()) == 1 })
	until(t, "that it is known", func() bool { return b.Status().Sent == 1 && len(b.Status().Waiting) == 0 })
	stop()
	mu.Lock()
	if got := b.way.notices()[0]; got.ID != ids[0] || brief(&got) != "x×1" || !strings.HasPrefix(got.Firing[0].Link, "https://host/alerts/") {
		t.Errorf("%+v, first %v", got, ids)
	}
	mu.Unlock()

	b = newBench(t, s, nil)
	b.clock.set(3)
	stop = running(t, b)
	s.log.Put(alarm("analysis.a", "y", 3, 60))
	until(t, "the next alert", func() bool { return b.Status().Groups == 1 })
	b.clock.set(14)
	until(t, "the next notice", func() bool { return len(b.way.notices()) == 1 })
	if got := brief(&b.way.notices()[0]); got != "y×1 x×1" {
		t.Errorf("after the restart: %s", got)
	}
	stop()
}

// TestGivenUp: what fails is tried again with growing pauses for a day, what is refused for good is given up at once; both are shown and can be tried again.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	b := newBench(t, newStore(), func(o *Options) {
		o.Routes = func() []Route {
			return []Route{{Name: "all", Match: everything, Targets: []Target{{Way: "webhook", Address: "hangs", Secret: "s3cret"}, {Way: "mail", Address: "refused"}, {Way: "irc", Address: "unknown"}, {Way: "mail", Address: "panics"}}}}
		}
	})
	var mu sync.Mutex
	well := false
	b.way.fail = func(_ *Notice, to Target) error {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case well:
			return nil
		case to.Address == "refused":
			return fmt.Errorf("no such mailbox: %w", ErrPermanent)
		case to.Address == "panics":
			panic("as told")
		}
		return errors.New("it answered 500")
	}
	stop := running(t, b)
	b.store.log.Put(alarm("analysis.a", "x", 0, 6000))
	b.clock.set(0)
	until(t, "the first attempts", func() bool {
		s := b.Status()
		return len(s.Dead) == 2 && len(s.Waiting) == 2 && s.Waiting[0].Attempts == 1 && s.Waiting[1].Attempts == 1
	})
	for _, j := range append(b.Status().Waiting, b.Status().Dead...) {
		if j.To.Secret != "" || j.Error == "" {
			t.Errorf("%+v", j)
		}
	}
	for n, minute := 2, 0.2; n <= 8; n, minute = n+1, minute*2+0.2 {
		b.clock.set(minute)
		until(t, fmt.Sprint("attempt ", n), func() bool { w := b.Status().Waiting; return len(w) == 2 && w[0].Attempts == n && w[1].Attempts == n })
	}
	b.clock.set(25 * 60)
	until(t, "the end", func() bool { return len(b.Status().Dead) == 4 && b.Status().Failed == 4 })
	mu.Lock()
	well = true
	mu.Unlock()
	for _, j := range b.Status().Dead {
		if j.To.Way != "irc" && !b.Again(j.ID) {
			t.Errorf("%s cannot be tried again", j.ID)
		}
	}
	until(t, "what is tried again", func() bool { return len(b.way.notices()) == 3 && len(b.Status().Dead) == 1 })
	if b.Again("nothing") {
		t.Error("nothing was tried again")
	}
	if err := b.Test(t.Context(), "all", Target{Way: "webhook", Address: "y"}); err != nil || !b.way.notices()[3].Test {
		t.Errorf("a test: %v", err)
	}
	stop()
}

// TestStoreAway: while nothing can be committed nothing is sent; it is when the store is back.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	b := newBench(t, newStore(), nil)
	b.store.mu.Lock()
	b.store.broken = errors.New("away")
	b.store.mu.Unlock()
	stop := running(t, b)
	b.store.log.Put(alarm("analysis.a", "x", 0, 60))
	until(t, "the alert", func() bool { return b.Status().Groups == 1 })
	b.clock.set(2)
	until(t, "a notice", func() bool { return len(b.Status().Waiting) == 1 })
	if len(b.way.notices()) != 0 {
		t.Error("it was sent before it was committed")
	}
	b.store.mu.Lock()
	b.store.broken = nil
	b.store.mu.Unlock()
	until(t, "the delivery", func() bool {
		b.clock.set(b.clock.now().Sub(time.Unix(0, 0)).Minutes() + 0.1)
		return len(b.way.notices()) == 1
	})
	stop()
}

// FuzzState: whatever a state holds, it is refused or can be worked with.
func FuzzState(f *testing.F) {
	f.Add([]byte(`{"format":1,"groups":{"a":{"subjects":{"x":{"id":"x"}},"route":"all"}},"jobs":[{"id":"1","to":{"way":"mail"}}]}`))
	f.Add([]byte(`{"format":1,"groups":{"a":null},"jobs":[null],"dead":[null]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := newStore()
		s.states[stateName] = text
		r, err := Open(t.Context(), Options{Store: s, Streams: []string{stream.Derived}, Ways: map[string]Way{}, CommitTime: time.Second, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
			Link: func(string) string { return "" }, Routes: func() []Route {
				return []Route{{Name: "all", Match: everything, Targets: []Target{{}}, Resolved: true}}
			}})
		if err != nil {
			return
		}
		r.take(0, &stream.Batch{Messages: [][]byte{alarm("analysis.a", "x", 0, 1)}})
		r.tick(time.Now())
		r.Status()
		if j := r.next(time.Now()); j != nil {
			r.attempt(t.Context(), j)
		}
	})
}
