package alert

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"sandbar/host/stream"
	"sandbar/host/view"
	"sandbar/host/view/viewtest"
	"sandbar/sandbox/message"
)

// alerting is an alert of a throttle, at a minute.
func alerting(id string, minute, throttle float64) []byte {
	var b message.Builder
	b.SetTimestamp(int64(minute * 60e9))
	b.SetHeader(message.Type, message.TypeAlert)
	b.SetHeader(message.Logger, "analysis.a")
	b.AddString("sandbar.began", "", "a plugin's own")
	b.AddString(message.FieldAlertID, "", id)
	b.AddString(message.FieldSummary, "", "s")
	b.AddDouble(message.FieldThrottle, "min", throttle)
	return b.AppendTo(nil)
}

// TestIncidents: alerts of a subject are one incident as long as the next comes within its throttle and five minutes.
func TestIncidents(t *testing.T) {
	t.Parallel()
	path, log := filepath.Join(t.TempDir(), "alerts"), viewtest.New(100)
	now := time.Unix(20*60, 0)
	v, stop := open(t, path, log, Options{Now: func() time.Time { return now }})
	log.Put(alerting("x", 0, 10), alerting("x", 12, 10), alerting("y", 13, 0), alerting("x", 28, 10), alerting("x", 30, 1))
	until(t, v, 5)
	firing := v.Firing()
	if len(firing) != 1 || firing[0].ID != "x" || firing[0].Count != 2 || !firing[0].Began.Equal(time.Unix(28*60, 0)) || !firing[0].Until.Equal(time.Unix(43*60, 0)) {
		t.Errorf("%+v", firing)
	}
	check := func(v *View) {
		t.Helper()
		list := v.List(10, Filter{ID: "x"})
		first, ok := v.Get(list[3].Key)
		if !ok || first.Key == list[2].Key {
			t.Fatalf("no alert %s", list[3].Key)
		}
		over := v.Incident(first)
		if over.Count != 2 || !over.Until.Equal(time.Unix(27*60, 0)) || over.Key != list[2].Key || v.Count(Filter{ID: "x", Began: first.Began}) != 2 {
			t.Errorf("%+v", over)
		}
		msg, err := func() ([]byte, error) {
			_, at, err := view.ParsePlace(1, first.Position)
			if err != nil {
				return nil, err
			}
			return view.At(log, at)
		}()
		var m message.View
		if err != nil || m.Parse(msg) != nil || m.Timestamp() != 0 {
			t.Errorf("at %s there is %v %v", first.Position, m.Timestamp(), err)
		}
		if len(first.Fields) != 1 || first.Fields[0].Values[0] != "a plugin's own" {
			t.Errorf("its fields are %v", first.Fields)
		}
	}
	check(v)
	stop()
	again, err := Open(path, []stream.Log{log}, Options{Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	check(again)
	if got := again.Firing(); len(got) != 1 || got[0].Count != 2 {
		t.Errorf("after a restart %+v", got)
	}
	now = time.Unix(44*60, 0)
	if got := again.Firing(); len(got) != 0 {
		t.Errorf("fires on: %+v", got)
	}
}

// TestForgotten: incidents whose alerts are not kept any more are not either.
func TestForgotten(t *testing.T) {
	t.Parallel()
	log := viewtest.New(1000)
	v, stop := open(t, filepath.Join(t.TempDir(), "alerts"), log, Options{Max: 10, Now: func() time.Time { return time.Unix(0, 0) }})
	for i := range 100 {
		log.Put(alerting(string(rune('a'+i)), float64(i), 1e6))
	}
	log.Put(alerting("last", 100, 1e6))
	for seen := uint64(0); len(v.List(1, Filter{ID: "last"})) == 0; {
		seen, _ = v.Wait(t.Context(), seen)
	}
	if n := len(v.Firing()); n != 10 {
		t.Errorf("%d incidents of 10 alerts", n)
	}
	stop()
}

// BenchmarkManyAlerts looks into 100 000 alerts as the page does: the newest hundred with their number, by text, and one by its key.
func BenchmarkManyAlerts(b *testing.B) {
	now := time.Unix(100_000, 0)
	v, err := Open(filepath.Join(b.TempDir(), "alerts"), nil, Options{Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler), MaxPerLogger: 100_000})
	if err != nil {
		b.Fatal(err)
	}
	for i := range 100_000 {
		v.add(0, alerting(string(rune('a'+i%26))+"-subject", float64(i)/60, 1), "0:1")
	}
	oldest := v.List(100_000, Filter{})
	for name, look := range map[string]func() int{
		"newest":  func() int { return len(v.List(100, Filter{})) + v.Count(Filter{}) },
		"text":    func() int { return len(v.List(100, Filter{Text: "z-subj"})) + v.Count(Filter{Text: "z-subj"}) },
		"firing":  func() int { return len(v.Firing()) },
		"one":     func() int { a, _ := v.Get(oldest[len(oldest)-1].Key); return len(a.Key) },
		"nothing": func() int { return len(v.List(100, Filter{Text: "none has this"})) + 1 },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if look() == 0 {
					b.Fatal("nothing is found")
				}
			}
		})
	}
}

// over says that a subject is as usual again.
func over(id string, minute float64) []byte {
	var b message.Builder
	b.SetTimestamp(int64(minute * 60e9))
	b.SetHeader(message.Type, message.TypeOver)
	b.SetHeader(message.Logger, "analysis.a")
	b.AddString(message.FieldAlertID, "", id)
	b.AddString(message.FieldSummary, "", id+" is over")
	return b.AppendTo(nil)
}

// TestOver: an incident ends when its plugin says so, also after a restart; the next alert begins another. What nobody was alerted about cannot be over.
func TestOver(t *testing.T) {
	t.Parallel()
	path, log := filepath.Join(t.TempDir(), "alerts"), viewtest.New(100)
	now := time.Unix(8*60, 0)
	v, stop := open(t, path, log, Options{Now: func() time.Time { return now }})
	log.Put(over("x", 0), alerting("x", 1, 60), alerting("y", 1, 60), over("x", 5), alerting("x", 5.5, 60), over("x", 7), over("z", 7))
	until(t, v, 5)
	check := func(v *View) {
		t.Helper()
		list := v.List(10, Filter{ID: "x"})
		if len(list) != 4 || !list[0].Over || list[1].Over || !list[2].Over {
			t.Fatalf("%+v", list)
		}
		first := v.Incident(list[3])
		if first.Count != 1 || !first.Until.Equal(time.Unix(5*60, 0)) || list[1].Began.Equal(first.Began) || !list[2].Began.Equal(first.Began) {
			t.Errorf("%+v", first)
		}
		if marks := v.ForLogger("analysis.a"); len(marks) != 3 {
			t.Errorf("%d marks", len(marks))
		}
		if firing := v.Firing(); len(firing) != 1 || firing[0].ID != "y" {
			t.Errorf("%+v", firing)
		}
	}
	check(v)
	stop()
	v, stop = open(t, path, log, Options{Now: func() time.Time { return now }})
	check(v)
	stop()
}
