package notify

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sandbar/sandbox/message"
)

func from(plugin string) func(v *message.View) bool {
	return func(v *message.View) bool {
		h, _ := v.Header(message.Logger)
		return string(h) == plugin
	}
}

// with is a route to x with what the test changes.
func with(change func(r *Route)) func(o *Options) {
	return func(o *Options) {
		r := Route{Name: "all", Match: everything, Targets: []Target{{Way: "webhook", Address: "x"}}, Interval: 10 * time.Minute, Repeat: time.Hour, Resolved: true}
		change(&r)
		o.Routes = func() []Route { return []Route{r} }
	}
}

// TestUnless: while the host is down nobody is told what follows from that; what goes on afterwards is told then.
func TestUnless(t *testing.T) {
	t.Parallel()
	s := newStore()
	rule := with(func(r *Route) { r.Unless = from("analysis.host") })
	b := newBench(t, s, rule)
	b.wants(0, [][]byte{alarm("analysis.host", "down", 0, 5)}, "down×1 to x")
	b.wants(1, [][]byte{alarm("analysis.a", "short", 1, 1), alarm("analysis.b", "long", 1, 60)})
	b.wants(8, nil) // short is over
	if err := b.save(b.from); err != nil {
		t.Fatal(err)
	}
	b = newBench(t, s, rule) // it is kept over a restart
	b.wants(9, nil)
	b.wants(10.1, nil, "long×1 to x", "-down to x")
	b.wants(11, [][]byte{alarm("analysis.b", "other", 11, 60)})
	b.wants(21, nil, "other×1 long×1 to x")
}

// ending says that a subject is as usual again.
func ending(plugin, id string, minute float64) []byte {
	var m message.Builder
	m.SetTimestamp(int64(minute * 60e9))
	m.SetHeader(message.Type, message.TypeOver)
	m.SetHeader(message.Logger, plugin)
	m.AddString(message.FieldAlertID, "", id)
	return m.AppendTo(nil)
}

// TestUnlessIsOver: others wait until the last of what they wait for is over, and no longer; nothing is remembered of it then.
func TestUnlessIsOver(t *testing.T) {
	t.Parallel()
	b := newBench(t, newStore(), with(func(r *Route) { r.Unless, r.Resolved, r.Interval = from("analysis.host"), false, 0 }))
	b.wants(0, [][]byte{alarm("analysis.host", "one", 0, 90), alarm("analysis.host", "two", 0, 90)}, "one×1 two×1 to x")
	b.wants(1, [][]byte{alarm("analysis.b", "long", 1, 90), ending("analysis.host", "one", 1), ending("analysis.b", "two", 1)})
	b.wants(2, [][]byte{ending("analysis.host", "two", 2)}, "long×1 to x")
	if len(b.state.Held) != 0 {
		t.Errorf("%v", b.state.Held)
	}
	var many [][]byte
	for i := range 2 * mostHeld {
		many = append(many, alarm("analysis.host", fmt.Sprint(i), 3, 10))
	}
	b.at(3, many...)
	if n := len(b.state.Held["all"]); n != mostHeld+1 {
		t.Errorf("it waits for %d", n)
	}
	b.at(20)
	if len(b.state.Held) != 0 {
		t.Errorf("%v", b.state.Held)
	}
	old, err := decodeState([]byte(`{"format":1,"unless":{"all":"2024-05-01T00:00:00Z"}}`))
	if err != nil || !old.Held["all"][""].Equal(time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)) || old.Unless != nil {
		t.Errorf("of a version before: %+v, %v", old, err)
	}
}

// TestGroupBy: alerts with the same values of labels are told together.
func TestGroupBy(t *testing.T) {
	t.Parallel()
	b := newBench(t, newStore(), with(func(r *Route) { r.GroupBy = []string{"country"} }))
	labelled := func(id, country string) []byte {
		var m message.Builder
		m.SetHeader(message.Type, message.TypeAlert)
		m.SetHeader(message.Logger, "analysis.a")
		m.AddString(message.FieldAlertID, "", id)
		m.AddString(message.FieldSummary, "", id)
		if country != "" {
			m.AddString(message.LabelPrefix+"country", "", country)
		}
		return m.AppendTo(nil)
	}
	b.wants(0, [][]byte{labelled("a", "DE"), labelled("b", "SE"), labelled("c", "DE"), labelled("d", "")}, "d×1 to x", "a×1 c×1 to x", "b×1 to x")
	if s := b.state.Jobs[len(b.state.Jobs)-1].Notice.Firing[0]; len(s.Labels) > 1 {
		t.Errorf("%+v", s)
	}
}

// TestQuietHours: what comes at night is told in the morning.
func TestQuietHours(t *testing.T) {
	t.Parallel()
	b := newBench(t, newStore(), with(func(r *Route) {
		r.Quiet = func(t time.Time) bool { return t.Minute() >= 10 && t.Minute() < 40 }
	}))
	b.wants(5, [][]byte{alarm("analysis.a", "evening", 5, 90)}, "evening×1 to x")
	b.wants(15, [][]byte{alarm("analysis.a", "night", 15, 90), alarm("analysis.b", "short", 15, 1)})
	b.wants(39, nil)
	b.wants(40, nil, "night×1 evening×1 to x", "short×1 to x")
}

// TestEscalate: who is told when nobody acknowledges, once; nobody when somebody does.
func TestEscalate(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{"known": true}
	b := newBench(t, newStore(), func(o *Options) {
		with(func(r *Route) {
			r.Repeat = 0
			r.Escalate = &Escalation{After: 30 * time.Minute, Targets: []Target{{Way: "webhook", Address: "boss"}}}
		})(o)
		o.Seen = func(_, subject string, _ time.Time) bool { return seen[subject] }
	})
	b.wants(0, [][]byte{alarm("analysis.a", "one", 0, 90), alarm("analysis.a", "known", 0, 90)}, "known×1 one×1 to x")
	b.wants(29, nil)
	b.wants(30, nil, "one×1 to boss")
	b.wants(31, nil)
	b.wants(60, [][]byte{alarm("analysis.a", "two", 60, 90)}, "two×1 one×1 to x")
	seen["two"] = true
	b.wants(91, nil)
	b.wants(95.5, nil, "-known -one to x")
}

// TestOwner: what no route wants, and names nobody itself, goes to who owns the plugin.
func TestOwner(t *testing.T) {
	t.Parallel()
	b := newBench(t, newStore(), func(o *Options) {
		with(func(r *Route) { r.Match = from("analysis.routed") })(o)
		o.Owner = func(plugin string) []Target {
			if plugin == "analysis.unowned" {
				return nil
			}
			return []Target{{Way: "mail", Address: "owner of " + plugin}}
		}
	})
	b.wants(0, [][]byte{alarm("analysis.routed", "a", 0, 5), alarm("analysis.mine", "b", 0, 5), alarm("analysis.unowned", "c", 0, 5), alarm("analysis.named", "d", 0, 5, "<ann@example.com>")}, "a×1 to x")
	b.wants(0.6, nil, "b×1 to owner of analysis.mine", "d×1 to ann@example.com")
}

// TestOver: what a plugin says is over is told as over, without waiting for its throttle.
func TestOver(t *testing.T) {
	t.Parallel()
	b := newBench(t, newStore(), with(func(r *Route) { r.Interval = 0 }))
	end := func(id string, minute float64) []byte { return ending("analysis.a", id, minute) }
	b.wants(0, [][]byte{alarm("analysis.a", "x", 0, 90), alarm("analysis.b", "x", 0, 90)}, "x×1 to x", "x×1 to x")
	b.wants(2, [][]byte{end("x", 1), end("none", 1)}, "-x to x")
	b.wants(3, [][]byte{alarm("analysis.a", "x", 3, 90)}, "x×1 to x")
}

// TestBudget: a plugin that raises more incidents an hour than its budget is told of once an hour, its owner is told so, and it ends when it is quieter; others are told of as ever.
func TestBudget(t *testing.T) {
	t.Parallel()
	s := newStore()
	change := func(o *Options) {
		with(func(r *Route) { r.Interval, r.Repeat, r.Resolved = 0, 0, false })(o)
		o.Budget = 3
		o.Owner = func(plugin string) []Target { return []Target{{Way: "mail", Address: "owner"}} }
	}
	b := newBench(t, s, change)
	one := func(id string, minute float64) [][]byte { return [][]byte{alarm("analysis.a", id, minute, 0)} }
	for i, id := range []string{"a", "b", "c"} {
		if got := b.at(float64(i), one(id, float64(i))...); len(got) != 1 {
			t.Errorf("%s: %q", id, got)
		}
	}
	b.wants(3, one("d", 3))
	if j := b.state.Jobs[len(b.state.Jobs)-1]; brief(&j.Notice) != "noise×4" || j.To.Address != "owner" || !strings.Contains(j.Notice.Firing[0].Summary, "budget of 3 an hour") {
		t.Errorf("%+v", j)
	}
	b.wants(4, one("e", 4))
	b.wants(5, [][]byte{alarm("analysis.b", "x", 5, 0)}, "x×1 to x")
	if err := b.save(b.from); err != nil {
		t.Fatal(err)
	}
	b = newBench(t, s, change) // it is kept over a restart
	b.wants(61, one("f", 61))
	b.wants(62, nil, "d×1 e×1 f×1 to x")
	if j := b.state.Jobs[len(b.state.Jobs)-1]; !j.Notice.Digest {
		t.Errorf("%+v", j.Notice)
	}
	if d := b.Status().Digests; len(d) != 1 || d[0].Plugin != "analysis.a" || d[0].Begun != 0 || d[0].Budget != 3 {
		t.Errorf("%+v", d)
	}
	b.wants(122, nil) // an hour within the budget
	b.wants(123, one("g", 123), "g×1 to x")
}

// TestSilenceEnds: before a silence ends people are told, once, when what it covers still fires; and as ever when it has ended.
func TestSilenceEnds(t *testing.T) {
	t.Parallel()
	end := time.Unix(60*60, 0).UTC()
	b := newBench(t, newStore(), func(o *Options) {
		with(func(r *Route) { r.Interval, r.Repeat = 0, 0 })(o)
		o.Quiet = func(_, subject string, at time.Time) bool { return subject == "x" && at.Before(end) }
		o.Ends = func(_, subject string, _ time.Time) (time.Time, bool) { return end, subject == "x" }
	})
	b.wants(0, [][]byte{alarm("analysis.a", "x", 0, 90)})
	b.wants(44, nil)
	b.wants(45, nil, "x×1 to x")
	if n := b.state.Jobs[len(b.state.Jobs)-1].Notice; n.SilenceEnds == nil || !n.SilenceEnds.Equal(end) {
		t.Errorf("%+v", n)
	}
	b.wants(50, nil)
	b.wants(60, nil, "x×1 to x")
	b.wants(61, nil)
	b.wants(96, nil, "-x to x")
}
