// Package gate decides by a trial whether a submission may run: it must not end, stay within a part of its limits, cost little and raise few
// alerts over the newest messages.
//
// It knows what a trial tells; it must not know who submitted, nor what becomes of what does not pass.
package gate

import (
	"context"
	"fmt"
	"time"

	"sandbar/host/try"
	"sandbar/sandbox"
)

// Rules say what a submission may do in its trial. A zero sets no rule, but for Messages, which turns the gate off.
type Rules struct {
	Messages int     // the newest ones that it wants, over which it is tried
	Alerts   int     // that it may raise; negative for any
	Use      float64 // part of its limits of instructions and memory
	Cost     float64 // part of a core, by the messages' time
	Time     time.Duration
}

// Trials is what a gate asks of them.
type Trials interface {
	Start(r try.Request) (id string, err error)
	Wait(ctx context.Context, id string) (try.Report, error)
	Cancel(id string) error
}

// Gate tries submissions.
type Gate struct {
	rules  Rules
	trials Trials
}

// New makes a gate.
func New(rules Rules, trials Trials) *Gate { return &Gate{rules, trials} }

// Check tries a plugin, and says why it should not run; nothing when it passes.
func (g *Gate) Check(ctx context.Context, cfg *sandbox.Config, source []byte) (why []string, err error) {
	id, err := g.trials.Start(try.Request{Tried: try.Version{Config: cfg, Source: source}, Last: g.rules.Messages})
	if err != nil {
		return nil, fmt.Errorf("try it before it runs: %w", err)
	}
	defer g.trials.Cancel(id)
	limited, cancel := context.WithTimeout(ctx, g.rules.Time)
	defer cancel()
	r, err := g.trials.Wait(limited, id)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case limited.Err() != nil:
		return []string{fmt.Sprintf("its trial over %d messages lasts longer than %v", g.rules.Messages, g.rules.Time)}, nil
	case err != nil:
		return nil, fmt.Errorf("try it before it runs: %w", err)
	case r.State != try.Done:
		return nil, fmt.Errorf("try it before it runs: the trial is %s: %s", r.State, r.Problem)
	}
	return g.rules.judge(&r.Tried), nil
}

// judge says which rules a plugin broke.
func (rules *Rules) judge(t *try.Result) (why []string) {
	because := func(broken bool, format string, args ...any) {
		if broken {
			why = append(why, fmt.Sprintf(format, args...))
		}
	}
	if e := t.Ended; e != nil {
		where := ""
		if e.Line > 0 {
			where = fmt.Sprintf(", line %d", e.Line)
		}
		because(true, "it would be terminated in call %d%s: %s: %s", e.Call, where, e.Outcome, e.Text)
	}
	part := func(n, limit int64) float64 { return float64(n) / float64(max(limit, 1)) }
	because(rules.Use > 0 && part(t.Fuel.Max, t.FuelLimit) > rules.Use, "a call uses %d of %d instructions, more than %.0f %%", t.Fuel.Max, t.FuelLimit, 100*rules.Use)
	because(rules.Use > 0 && part(t.MemoryMax, t.MemLimit) > rules.Use, "it holds %d of %d bytes, more than %.0f %%", t.MemoryMax, t.MemLimit, 100*rules.Use)
	because(rules.Cost > 0 && t.Cost > rules.Cost, "it takes %.3g %% of a core, more than %.3g %%", 100*t.Cost, 100*rules.Cost)
	because(rules.Alerts >= 0 && t.Alerted > int64(rules.Alerts), "it raises %d alerts, more than %d", t.Alerted, rules.Alerts)
	return why
}
