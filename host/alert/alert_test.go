package alert

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sandbar/host/stream"
	"sandbar/host/view/viewtest"
	"sandbar/sandbox/message"
)

func warning(logger, id string, at int64) []byte {
	var b message.Builder
	b.SetTimestamp(at)
	b.SetHeader(message.Type, "alert")
	b.SetHeader(message.Logger, logger)
	b.SetHeader(message.Payload, "the detail of "+id)
	b.SetSeverity(1)
	b.AddString("id", "", id)
	b.AddString("summary", "", "summary of "+id)
	b.AddString("email.recipients", "", "<a@b>", "<c@d>")
	b.AddInt("count", "", 5)
	return b.AppendTo(nil)
}

func open(t *testing.T, path string, log *viewtest.Log, opt Options) (*View, func()) {
	t.Helper()
	opt.Logger = slog.New(slog.DiscardHandler)
	if opt.Now == nil {
		opt.Now = time.Now
	}
	v, err := Open(path, []stream.Log{log}, opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- v.Run(ctx) }()
	return v, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func until(t *testing.T, v *View, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for seen := v.Version(); v.Count(Filter{}) != n; {
		var err error
		if seen, err = v.Wait(ctx, seen); err != nil {
			t.Fatalf("%d alerts, want %d: %v", v.Count(Filter{}), n, err)
		}
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	path, log := filepath.Join(t.TempDir(), "alerts"), viewtest.New(100)
	v, stop := open(t, path, log, Options{MaxPerLogger: 4})
	var other message.Builder
	other.SetHeader(message.Type, "inject_payload")
	log.Put(warning("analysis.a", "one", 1e9), other.AppendTo(nil), warning("analysis.b", "two", 2e9), []byte("no message"))
	until(t, v, 2)
	list := v.List(10, Filter{})
	if list[0].ID != "two" || list[1].Summary != "summary of one" || list[1].Detail != "the detail of one" || list[1].Severity != 1 ||
		list[0].Version <= list[1].Version || fmt.Sprint(list[1].Fields) != "[{email.recipients [<a@b> <c@d>]} {count [5]}]" {
		t.Errorf("%+v", list)
	}
	for _, c := range []struct {
		f    Filter
		want int
	}{{Filter{Logger: "analysis.a"}, 1}, {Filter{ID: "two"}, 1}, {Filter{Since: time.Unix(2, 0)}, 1}, {Filter{Newer: list[0].Version}, 0}, {Filter{Logger: "x"}, 0}} {
		if got := v.Count(c.f); got != c.want || len(v.List(10, c.f)) != c.want {
			t.Errorf("%+v: %d, want %d", c.f, got, c.want)
		}
	}
	stop()
	v, stop = open(t, path, log, Options{MaxPerLogger: 4})
	if got := v.List(10, Filter{}); len(got) != 2 || got[0].ID != "two" || len(got[1].Fields) != 2 {
		t.Errorf("after a restart %+v", got)
	}
	for i := range 20 { // a noisy plugin leaves the others theirs
		log.Put(warning("analysis.noisy", fmt.Sprint(i), int64(3e9)+int64(i)))
	}
	log.Put(warning("analysis.last", "last", 4e9)) // seven are there when all twenty were taken
	until(t, v, 7)
	marks := v.ForLogger("analysis.noisy")
	if len(marks) != 4 || marks[3].ID != "19" || marks[0].ID != "16" || v.Count(Filter{Logger: "analysis.a"}) != 1 {
		t.Errorf("marks %+v", marks)
	}
	stop()
}

// TestHostile: what a plugin wrote is clipped and becomes valid text.
func TestHostile(t *testing.T) {
	t.Parallel()
	var b message.Builder
	b.SetHeader(message.Type, "alert")
	b.SetHeader(message.Payload, strings.Repeat("\xff", 1<<20))
	for i := range 100 {
		b.AddString(fmt.Sprint("f", i), "", strings.Repeat("x", 10_000))
	}
	log := viewtest.New(10)
	v, stop := open(t, filepath.Join(t.TempDir(), "alerts"), log, Options{})
	log.Put(b.AppendTo(nil))
	until(t, v, 1)
	a := v.List(1, Filter{})[0]
	if len(a.Detail) > maxText || strings.ToValidUTF8(a.Detail, "") != a.Detail || len(a.Fields) > maxFields || a.size() > 4*maxBytes {
		t.Errorf("detail of %d bytes, %d fields, %d bytes in all", len(a.Detail), len(a.Fields), a.size())
	}
	stop()
}

// TestReplacedStream: a view that meets another store is made anew, also when the new stream is the longer one.
func TestReplacedStream(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "alerts")
	life := func(replaced bool, ids ...string) string {
		log := viewtest.New(100)
		if replaced {
			log.Replaced()
		}
		for i, id := range ids {
			log.Put(warning("analysis.x", id, int64(i)))
		}
		v, stop := open(t, path, log, Options{})
		until(t, v, len(ids))
		stop()
		var got []string
		for _, a := range v.List(10, Filter{}) {
			got = append(got, a.ID)
		}
		return strings.Join(got, " ")
	}
	life(false, "old1", "old2")
	if got := life(true, "new1", "new2", "new3"); got != "new3 new2 new1" {
		t.Errorf("after the streams were replaced: %s", got)
	}
}

// TestPartitions: the instances of a plugin in several partitions throttle their alerts each for itself; a subject is told of once.
func TestPartitions(t *testing.T) {
	t.Parallel()
	throttled := func(id string, at, minutes float64) []byte {
		var b message.Builder
		b.SetTimestamp(int64(at * 60e9))
		b.SetHeader(message.Type, message.TypeAlert)
		b.SetHeader(message.Logger, "analysis.a")
		b.AddString(message.FieldAlertID, "", id)
		b.AddString(message.FieldSummary, "", "s")
		if minutes > 0 {
			b.AddDouble(message.FieldThrottle, "min", minutes)
		}
		return b.AppendTo(nil)
	}
	logs := []*viewtest.Log{viewtest.New(100), viewtest.New(100)}
	logs[1].Replaced()
	path := filepath.Join(t.TempDir(), "alerts")
	begin := func() (v *View, stop func()) {
		v, err := Open(path, []stream.Log{logs[0], logs[1]}, Options{Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- v.Run(ctx) }()
		return v, func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	v, stop := begin()
	put := func(log int, want int, msg []byte) {
		t.Helper()
		want += v.Count(Filter{}) + 1               // counted before they can come
		logs[log].Put(msg, throttled("mark", 0, 0)) // the mark has no throttle: it is always told of
		until(t, v, want)
	}
	put(0, 1, throttled("x", 100, 10))
	put(1, 0, throttled("x", 101, 10)) // the same, elsewhere
	put(1, 0, throttled("x", 95, 10))  // a little before, and read later
	put(1, 1, throttled("y", 101, 10)) // about something else
	put(0, 1, throttled("x", 105, 10)) // by the same instance, which knows what it does
	put(1, 1, throttled("x", 116, 10)) // long after
	put(0, 1, throttled("z", 116, 0))
	put(1, 1, throttled("z", 116, 0)) // without a throttle everything is wanted
	stop()
	v, stop = begin()
	put(0, 0, throttled("x", 117, 10)) // it is remembered over a restart
	put(1, 1, throttled("x", 130, 10))
	stop()
	if a, _ := v.List(100, Filter{ID: "x"})[0], 0; len(a.Fields) != 0 {
		t.Errorf("the throttle is shown as %v", a.Fields)
	}
}
