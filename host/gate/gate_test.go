package gate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"sandbar/host/try"
	"sandbar/sandbox"
)

// fake is trials with one outcome.
type fake struct {
	report try.Report
	starts error
	hangs  bool
	ended  int
	asked  try.Request
}

func (f *fake) Start(r try.Request) (string, error) { f.asked = r; return "x", f.starts }
func (f *fake) Cancel(string) error                 { f.ended++; return nil }
func (f *fake) Wait(ctx context.Context, _ string) (try.Report, error) {
	if f.hangs {
		<-ctx.Done()
	}
	return f.report, ctx.Err()
}

func TestCheck(t *testing.T) {
	t.Parallel()
	fine := try.Result{Fuel: try.Spread{Max: 500}, FuelLimit: 1000, MemoryMax: 10, MemLimit: 100, Cost: 0.01, Alerted: 2}
	rules := Rules{Messages: 7, Alerts: 2, Use: 0.8, Cost: 0.05, Time: time.Minute}
	for _, tt := range []struct {
		name   string
		change func(*try.Result, *fake, *Rules)
		want   []string
	}{
		{"fine", func(*try.Result, *fake, *Rules) {}, nil},
		{"terminated", func(r *try.Result, _ *fake, _ *Rules) {
			r.Ended = &try.End{Outcome: "runtime_error", Text: "as told", Line: 4, Call: 9}
		}, []string{"it would be terminated in call 9, line 4: runtime_error: as told"}},
		{"fuel", func(r *try.Result, _ *fake, _ *Rules) { r.Fuel.Max = 801 }, []string{"a call uses 801 of 1000 instructions, more than 80 %"}},
		{"memory and cost", func(r *try.Result, _ *fake, _ *Rules) { r.MemoryMax, r.Cost = 81, 0.06 }, []string{"it holds 81 of 100 bytes, more than 80 %", "it takes 6 % of a core, more than 5 %"}},
		{"alerts", func(r *try.Result, _ *fake, _ *Rules) { r.Alerted = 3 }, []string{"it raises 3 alerts, more than 2"}},
		{"no rules", func(r *try.Result, _ *fake, g *Rules) {
			r.Alerted, r.Cost, r.MemoryMax = 1000, 1, 99
			g.Alerts, g.Use, g.Cost = -1, 0, 0
		}, nil},
		{"slow", func(_ *try.Result, f *fake, g *Rules) { f.hangs, g.Time = true, time.Millisecond }, []string{"its trial over 7 messages lasts longer than 1ms"}},
	} {
		r, f, g := fine, &fake{}, rules
		tt.change(&r, f, &g)
		f.report = try.Report{State: try.Done, Tried: r}
		why, err := New(g, f).Check(t.Context(), &sandbox.Config{}, []byte("s"))
		if err != nil || !slices.Equal(why, tt.want) || f.ended != 1 || f.asked.Last != 7 || string(f.asked.Tried.Source) != "s" {
			t.Errorf("%s: %q, %v, asked %+v", tt.name, why, err, f.asked)
		}
	}
	if _, err := New(rules, &fake{starts: try.ErrBusy}).Check(t.Context(), &sandbox.Config{}, nil); !errors.Is(err, try.ErrBusy) {
		t.Errorf("busy: %v", err)
	}
	if _, err := New(rules, &fake{report: try.Report{State: try.Failed, Problem: "disk"}}).Check(t.Context(), &sandbox.Config{}, nil); err == nil || !strings.Contains(err.Error(), "disk") {
		t.Errorf("failed: %v", err)
	}
}
