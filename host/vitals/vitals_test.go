package vitals

import (
	"math"
	"testing"
	"time"

	"sandbar/host/runner"
)

func TestHistory(t *testing.T) {
	t.Parallel()
	v := New()
	at := time.Unix(1_700_000_010, 0)
	s := runner.Status{Name: "analysis.p"}
	note := func(after time.Duration, matched int64) {
		at = at.Add(after)
		s.Stats.Matched += matched
		s.Stats.Nanos += matched * 1e6
		s.Stats.Memory, s.LagBytes = 7, 9
		v.Note(at, []runner.Status{s, {Name: "analysis.q"}})
	}
	note(0, 0)
	if g := v.History("analysis.p"); len(g) != 3 || g[0].Data.Rows != 0 {
		t.Errorf("at its beginning: %+v", g)
	}
	note(time.Second, 100) // too early
	if r := v.Now("analysis.p"); r != (Rates{}) {
		t.Errorf("after a second: %+v", r)
	}
	note(9*time.Second, 100)
	if r := v.Now("analysis.p"); r.Matched != 20 || math.Abs(r.Cost-0.02) > 1e-9 {
		t.Errorf("after ten seconds: %+v", r)
	}
	for range 3 * (points + 5) {
		note(Every, 50)
	}
	g := v.History("analysis.p")
	if d := g[0].Data; d.Rows != points || len(d.Values) != points || d.Values[points-1][0] != 5 || d.Values[0][0] != 5 || d.Time+int64(d.Rows*d.SecondsPerRow) > at.Unix() || d.Time+int64((d.Rows+1)*d.SecondsPerRow) <= at.Unix()-30 {
		t.Errorf("%d rows from %d at %d, the newest %v", d.Rows, d.Time, at.Unix(), d.Values[len(d.Values)-1])
	}
	if c := g[1].Data.Values[3][0]; math.Abs(c-0.5) > 1e-6 {
		t.Errorf("cost %v", c)
	}
	if m := g[2].Data.Values[3]; m[0] != 7 || m[1] != 9 {
		t.Errorf("memory and lag %v", m)
	}
	s.Stats = runner.Stats{} // started anew
	note(Every, 30)
	if r := v.Now("analysis.p"); r.Matched != 3 {
		t.Errorf("started anew: %+v", r)
	}
	note(5*time.Minute, 0) // the host slept
	note(Every, 0)
	gaps := 0
	for _, row := range v.History("analysis.p")[0].Data.Values {
		if math.IsNaN(row[0]) {
			gaps++
		}
	}
	if gaps < 8 || gaps > 10 {
		t.Errorf("%d gaps for five minutes", gaps)
	}
	v.Note(at, nil)
	if g := v.History("analysis.p"); len(g) != 0 || v.Now("analysis.p") != (Rates{}) {
		t.Errorf("of one that has gone: %+v", g)
	}
}
