package partitions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sandbar/host/landfill"
	"sandbar/host/runner"
	"sandbar/host/runner/commit"
	"sandbar/host/stream"
	"sandbar/sandbox"
)

// fake is a runner with at most one plugin, and an archive.
type fake struct {
	fails  error // Start, Check
	status *runner.Status
	logs   []runner.LogLine
	stats  landfill.Stats
	calls  []string
	kept   []int
}

func (f *fake) call(what string) { f.calls = append(f.calls, what) }
func (f *fake) Check(context.Context, *sandbox.Config, []byte) ([]sandbox.Finding, error) {
	f.call("check")
	return []sandbox.Finding{{Text: "careful"}}, f.fails
}
func (f *fake) Hold(*sandbox.Config) error { f.call("hold"); return nil }
func (f *fake) Start(_ context.Context, cfg *sandbox.Config, _ []byte, _ runner.From) error {
	f.call("start")
	return f.fails
}
func (f *fake) Adopt(context.Context, string, int, string) error { f.call("adopt"); return nil }
func (f *fake) TurnTo(context.Context, string, int, int) error   { f.call("turn"); return nil }
func (f *fake) States(context.Context, string) ([]int, error)    { return f.kept, nil }
func (f *fake) Purge(context.Context, []string) error            { f.call("purge"); return nil }
func (f *fake) Stop(context.Context, string) error               { f.call("stop"); return nil }
func (f *fake) Replace(context.Context, string) error            { f.call("replace"); return nil }
func (f *fake) Remove(context.Context, string) error             { f.call("remove"); return nil }
func (f *fake) Logs(string) []runner.LogLine                     { return f.logs }
func (f *fake) Commits() commit.Stats                            { return commit.Stats{Commits: 2, Failed: 1, Time: time.Second} }
func (f *fake) Stats() landfill.Stats                            { return f.stats }
func (f *fake) List() []runner.Status {
	if f.status == nil {
		return nil
	}
	return []runner.Status{*f.status}
}
func (f *fake) Status(string) (runner.Status, bool) {
	if f.status == nil {
		return runner.Status{}, false
	}
	return *f.status, true
}

func set(t *testing.T, members ...*fake) *Set {
	t.Helper()
	s := New(9, func(context.Context, *sandbox.Config, []byte) ([]sandbox.Finding, error) {
		return []sandbox.Finding{{Text: "alone"}}, nil
	}, func([]string) {})
	for i, f := range members {
		s.Come(int32(i), f, f)
	}
	return s
}

func TestEach(t *testing.T) {
	t.Parallel()
	a, b := &fake{}, &fake{}
	s := set(t, a, b)
	ctx, cfg := t.Context(), &sandbox.Config{Name: "p", Kind: sandbox.Analysis}
	warning, err := s.Check(ctx, cfg, nil)
	if err != nil || sandbox.JoinFindings(warning) != "careful" {
		t.Errorf("checked: %q %v", warning, err)
	}
	if err := errors.Join(s.Hold(cfg), s.Start(ctx, cfg, nil, runner.Newest), s.Replace(ctx, "p"), s.Stop(ctx, "p"), s.Remove(ctx, "p")); err != nil {
		t.Error(err)
	}
	for _, f := range []*fake{a, b} {
		if want := []string{"check", "hold", "start", "replace", "stop", "remove"}; !slices.Equal(f.calls, want) {
			t.Errorf("called %v", f.calls)
		}
	}
}

// TestStartIsWhole: a plugin that one partition refuses runs in none; a partition that is being closed refuses nothing.
func TestStartIsWhole(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		fails []error
		err   error
		calls [][]string
	}{
		"refused":    {[]error{nil, broken, nil}, broken, [][]string{{"start", "stop"}, {"start"}, nil}},
		"one ends":   {[]error{fmt.Errorf("now: %w", commit.ErrOver), nil}, nil, [][]string{{"start"}, {"start"}}},
		"one closes": {[]error{nil, fmt.Errorf("ask: %w", stream.ErrClosed)}, nil, [][]string{{"start"}, {"start"}}},
		"all there":  {[]error{nil, nil}, nil, [][]string{{"start"}, {"start"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var members []*fake
			for _, err := range c.fails {
				members = append(members, &fake{fails: err})
			}
			if err := set(t, members...).Start(t.Context(), &sandbox.Config{}, nil, runner.Newest); !errors.Is(err, c.err) {
				t.Errorf("started: %v", err)
			}
			for i, f := range members {
				if !slices.Equal(f.calls, c.calls[i]) {
					t.Errorf("partition %d: %v, want %v", i, f.calls, c.calls[i])
				}
			}
		})
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	at := func(n int) time.Time { return time.Unix(int64(n), 0) }
	running := func(n int64) *runner.Status {
		return &runner.Status{Name: "p", State: runner.Running, LagBytes: n, Stats: runner.Stats{Seen: n, Matched: n, Failed: n, Injected: n, InjectedBytes: n, Fuel: n, FuelMax: n,
			Memory: n, Nanos: n, Timers: n, Outcomes: map[string]int64{"ok": n}}}
	}
	ended := *running(5)
	ended.State, ended.Reason = runner.Terminated, "why"
	stopped := *running(1)
	stopped.State = runner.StoppedBy
	s := set(t, &fake{}, &fake{status: running(2), logs: []runner.LogLine{{Time: at(1)}, {Time: at(3)}}}, &fake{status: &ended, logs: []runner.LogLine{{Time: at(2)}}}, &fake{status: &stopped})
	st, ok := s.Status("p")
	want := *running(8)
	want.State, want.Reason, want.Stats.FuelMax = runner.Terminated, "why", 5
	if !ok || cmp.Diff(st, want) != "" {
		t.Errorf("status: %v %s", ok, cmp.Diff(st, want))
	}
	if again, _ := s.Status("p"); cmp.Diff(again, want) != "" {
		t.Error("a status was changed by being asked for")
	}
	var times []int64
	for _, l := range s.Logs("p") {
		times = append(times, l.Time.Unix())
	}
	if !slices.Equal(times, []int64{1, 2, 3}) {
		t.Errorf("log lines at %v", times)
	}
	if _, ok := set(t, &fake{}).Status("p"); ok {
		t.Error("a plugin that nobody knows has a status")
	}
}

// TestLeave: counters do not fall when a partition leaves; what waits goes with it.
func TestLeave(t *testing.T) {
	t.Parallel()
	a := &fake{stats: landfill.Stats{Files: 1, Bytes: 10, Waiting: 5, Since: time.Unix(9, 0)}}
	b := &fake{stats: landfill.Stats{Files: 2, Bytes: 20, Waiting: 6, Since: time.Unix(8, 0)}}
	s := set(t, a, b)
	if got, want := s.Stats(), (landfill.Stats{Files: 3, Bytes: 30, Waiting: 11, Since: time.Unix(8, 0)}); got != want {
		t.Errorf("landfill: %+v", got)
	}
	counted := func(n, memory int64) *runner.Status {
		return &runner.Status{Name: "analysis.p", Stats: runner.Stats{Matched: n, FuelMax: n, Memory: memory, Outcomes: map[string]int64{"ok": n}}}
	}
	a.status, b.status = counted(3, 7), counted(5, 8)
	s.Leave(1)
	s.Leave(1)
	if got, _ := s.Status("analysis.p"); cmp.Diff(got.Stats, runner.Stats{Matched: 8, FuelMax: 5, Memory: 7, Outcomes: map[string]int64{"ok": 8}}) != "" {
		t.Errorf("plugin after one left: %+v", got.Stats)
	}
	if err := s.Start(t.Context(), &sandbox.Config{Kind: sandbox.Analysis, Name: "p"}, nil, runner.Newest); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Status("analysis.p"); got.Stats.Matched != 3 { // a plugin that is started counts from zero
		t.Errorf("after it was started: %+v", got.Stats)
	}
	if got, want := s.Stats(), (landfill.Stats{Files: 3, Bytes: 30, Waiting: 5, Since: time.Unix(9, 0)}); got != want {
		t.Errorf("landfill after one left: %+v", got)
	}
	if got, want := s.Commits(), (commit.Stats{Commits: 4, Failed: 2, Time: 2 * time.Second}); got != want {
		t.Errorf("commits: %+v", got)
	}
	if got, want := s.Share(), (Share{Here: []int32{0}, Of: 9, Changes: 3}); cmp.Diff(got, want) != "" {
		t.Error(cmp.Diff(got, want))
	}
	a.fails = stream.ErrClosed
	if warning, err := s.Check(t.Context(), &sandbox.Config{}, nil); err != nil || sandbox.JoinFindings(warning) != "alone" {
		t.Errorf("checked while the only partition closes: %q %v", warning, err)
	}
	s.Leave(0)
	if warning, err := s.Check(t.Context(), &sandbox.Config{}, nil); err != nil || sandbox.JoinFindings(warning) != "alone" {
		t.Errorf("checked with no partition: %q %v", warning, err)
	}
}

func TestAtWork(t *testing.T) {
	t.Parallel()
	var told [][]string
	s := New(9, nil, func(names []string) { told = append(told, names) })
	s.AtWork(1, []string{"b"})
	s.AtWork(2, []string{"a", "b"})
	s.AtWork(1, nil)
	s.AtWork(2, nil)
	if want := [][]string{{"b"}, {"a", "b"}, {"a", "b"}, nil}; cmp.Diff(told, want) != "" {
		t.Error(cmp.Diff(told, want))
	}
}
