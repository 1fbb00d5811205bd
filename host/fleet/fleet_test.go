package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sandbar/host/partitions"
	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/host/stream/kafka"
)

// topic is a table in memory. Its clock is an hour behind that of the hosts.
type topic struct {
	mu      sync.Mutex
	entries []kafka.Entry
	grown   chan struct{}
	away    bool
}

var errAway = errors.New("away")

func (t *topic) Put(_ context.Context, key string, value []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.away {
		return errAway
	}
	t.entries = append(t.entries, kafka.Entry{Key: key, Value: value, Time: time.Now().Add(-time.Hour)})
	close(t.grown)
	t.grown = make(chan struct{})
	return nil
}

func (t *topic) Follow(ctx context.Context, apply func(kafka.Entry) error) error {
	for n := 0; ; {
		t.mu.Lock()
		fresh, grown := t.entries[n:], t.grown
		n = len(t.entries)
		t.mu.Unlock()
		for _, e := range fresh {
			if err := apply(e); err != nil {
				return err
			}
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil
		}
	}
}

// begin runs a host's part until end.
func begin(t *topic, id string, n *int64) (f *Fleet, end func()) {
	f = New(Options{Table: t, ID: id, Now: time.Now, Clock: func(error) {}, Log: slog.New(slog.DiscardHandler), Report: func() Report {
		*n += 20
		return Report{Host: "h" + id, Share: partitions.Share{Here: []int32{1}, Of: 4}, Streams: map[string]stream.Stats{stream.Raw: {Messages: *n, Bytes: 10 * *n}},
			Plugins: []runner.Status{{Name: "analysis.p", LagBytes: 7}}, Logs: map[string][]runner.LogLine{"analysis.p": {{Text: "from " + id}}}}
	}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- f.Run(ctx) }()
	return f, func() { cancel(); <-done }
}

func names(f *Fleet) (list []string) {
	for _, o := range f.Others() {
		list = append(list, o.Host)
	}
	return list
}

// TestFleet: hosts know of each other. One that ends is gone at once, one that falls silent after a while; when the brokers are away
// nobody is known.
func TestFleet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tab := &topic{grown: make(chan struct{})}
		var counts [3]int64
		a, endA := begin(tab, "a", &counts[0])
		b, endB := begin(tab, "b", &counts[1])
		c, endC := begin(tab, "c", &counts[2])
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := names(a); !slices.Equal(got, []string{"hb", "hc"}) {
			t.Fatalf("a knows %v", got)
		}
		others := c.Others()
		if r := others[0].Rates[stream.Raw]; r != (Rate{Messages: 10, Bytes: 100}) || others[0].Share.Here[0] != 1 {
			t.Errorf("of a it is told %+v", others[0])
		}
		if s := c.Status("analysis.p"); len(s) != 2 || s[1].Host != "hb" || s[1].LagBytes != 7 || c.Status("analysis.q") != nil {
			t.Errorf("a plugin elsewhere is %+v", s)
		}
		if lines := c.Logs("analysis.p"); len(lines) != 2 || lines[0].Text != "ha: from a" {
			t.Errorf("it printed %+v", lines)
		}
		endB()
		synctest.Wait()
		if got := names(a); !slices.Equal(got, []string{"hc"}) {
			t.Errorf("after b has ended a knows %v", got)
		}
		if err := tab.Put(t.Context(), "host/d", []byte(`{"host":"hd"}`)); err != nil { // which falls silent then
			t.Fatal(err)
		}
		for _, odd := range []kafka.Entry{{Key: "host/e", Value: []byte("no report")}, {Key: "other", Value: []byte("{}")}} {
			if err := tab.Put(t.Context(), odd.Key, odd.Value); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if got := names(a); !slices.Equal(got, []string{"hc", "hd"}) {
			t.Errorf("a knows %v", got)
		}
		time.Sleep(13 * time.Second)
		if got := names(a); !slices.Equal(got, []string{"hc"}) {
			t.Errorf("after d has been silent for 13 s a knows %v", got)
		}
		tab.mu.Lock()
		tab.away = true
		tab.mu.Unlock()
		time.Sleep(11 * time.Second)
		if got := names(a); got != nil {
			t.Errorf("with the brokers away a knows %v", got)
		}
		endA()
		endC()
		_ = b
	})
}

func FuzzApply(f *testing.F) {
	text, err := json.Marshal(Report{Host: "h", Plugins: []runner.Status{{Name: "p"}}, Streams: map[string]stream.Stats{"raw": {Messages: 1}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("host/x", text)
	f.Add("host/", []byte(`{"plugins":[{}],"logs":{"p":[{"text":"x"}]}}`))
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		fleet := New(Options{ID: "me", Clock: func(error) {}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		for range 2 {
			if err := fleet.apply(kafka.Entry{Key: key, Value: value, Time: time.Now()}); err != nil {
				t.Fatal(err)
			}
		}
		if others := fleet.Others(); len(others) > 1 || len(others) == 1 && !strings.HasPrefix(key, "host/") {
			t.Errorf("%q: %v", key, others)
		}
		fleet.Status("p")
		fleet.Logs("p")
	})
}

// TestSkew: a host hears that its clock is wrong, in either direction, and that it was set. However long a report takes is no fault.
func TestSkew(t *testing.T) {
	t.Parallel()
	var told error
	now := time.Unix(1e9, 0)
	f := New(Options{ID: "me", Now: func() time.Time { return now }, Clock: func(err error) { told = err }, Log: slog.New(slog.DiscardHandler)})
	hear := func(id string, at, written, heard time.Duration) string {
		t.Helper()
		text, err := json.Marshal(Report{Told: time.Unix(1e9, 0).Add(at)})
		if err != nil {
			t.Fatal(err)
		}
		now = time.Unix(1e9, 0).Add(heard)
		if err := f.apply(kafka.Entry{Key: "host/" + id, Value: text, Time: time.Unix(1e9, 0).Add(written)}); err != nil {
			t.Fatal(err)
		}
		if told == nil {
			return ""
		}
		return told.Error()
	}
	for _, c := range []struct {
		id                 string
		at, written, heard time.Duration
		want               string
	}{
		{"me", 0, 0, time.Second, ""},
		{"me", 0, 40 * time.Second, 90 * time.Second, ""},
		{"me", time.Hour, 0, time.Hour, "1h0m0s ahead"},
		{"other", 0, 0, 0, "1h0m0s ahead"}, // it speaks of its own clock
		{"me", 0, time.Minute, time.Minute, ""},
		{"me", 0, 2 * time.Minute, time.Second, "1m59s behind"},
		{"other", -time.Hour, 0, 0, "1m59s behind"},
		{"me", 0, time.Second, time.Second, ""},
	} {
		if got := hear(c.id, c.at, c.written, c.heard); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%+v: told %q", c, got)
		}
	}
}
