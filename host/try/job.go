package try

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"sandbar/host/runner"
	"sandbar/host/series"
	"sandbar/host/trial"
	"sandbar/sandbox"
	"sandbar/sandbox/matcher"
)

// job is one trial.
type job struct {
	request Request
	ctx     context.Context // ends when somebody ends the trial
	cancel  context.CancelFunc

	over chan struct{} // closed when it has ended

	mu     sync.Mutex
	report Report
	spans  []span    // that it reads, when they are known
	ended  time.Time // set before others see the job among those that ended
}

func newJob(r Request, now time.Time) *job {
	ctx, cancel := context.WithCancel(context.Background())
	j := &job{request: r, ctx: ctx, cancel: cancel, over: make(chan struct{})}
	j.report = Report{ID: newID(), Plugin: r.Tried.Config.Logger(), State: Waiting, Started: now.UTC(), Range: Range{Streams: runner.Reads(r.Tried.Config)}}
	j.report.Tried = (&probe{}).numbers(r.Tried.Config, 0)
	return j
}

// tell is the report as it is now.
func (j *job) tell(now time.Time) Report {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := j.report
	if j.ended.IsZero() {
		r.Seconds = now.Sub(r.Started).Seconds()
	}
	return r
}

func (j *job) set(f func(r *Report)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f(&j.report)
}

// readFrom is where the trial reads; nil when that is not known yet.
func (j *job) readFrom() []span {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.spans
}

func (j *job) end(s State, problem string, now time.Time) {
	j.cancel()
	j.set(func(r *Report) {
		r.State, r.Problem, r.Seconds = s, problem, now.Sub(r.Started).Seconds()
		j.ended = now
	})
	close(j.over)
}

// tellEvery is how often the numbers of a trial that runs are made new.
const tellEvery = 200 * time.Millisecond

// try does the work of a trial. What it finds is in the job's report.
func (t *Trials) try(ctx context.Context, j *job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p := &pace{turn: t.turn, now: t.opt.Now, rests: func() {}}
	defer p.leave()
	j.set(func(r *Report) { r.State = Searching })
	src, err := t.open(ctx, p, j)
	if err != nil {
		return err
	}
	defer src.Close()
	run := &run{src: src, trial: &trial.Trial{}, job: j}
	defer run.close()
	src.over = run.over
	from := t.opt.Now()
	if ns := src.next(); ns > 0 {
		from = time.Unix(0, ns)
	}
	if err := t.load(ctx, p, run, j.request.Tried, from); err != nil {
		return run.refused(err)
	}
	if v := j.request.Running; v != nil {
		if err := t.load(ctx, p, run, *v, from); err != nil { // nothing to compare with
			j.set(func(r *Report) { r.Version = 0 })
		}
	}
	j.set(func(r *Report) { r.State = Running })
	var told time.Time
	p.rests = func() {
		if now := t.opt.Now(); now.Sub(told) >= tellEvery {
			told = now
			run.tell(false)
		}
	}
	err = run.trial.Run(ctx, src)
	run.tell(true)
	if call := j.request.step; err == nil && call > 0 && run.probes[0].looked == nil {
		err = fmt.Errorf("there is no call %d: there were %d", call, run.probes[0].calls)
	}
	return err
}

// open finds the messages.
func (t *Trials) open(ctx context.Context, p *pace, j *job) (*source, error) {
	if given := j.request.Messages; given != nil {
		return listSource(ctx, p, given), nil
	}
	if all := j.request.spans; all != nil {
		return t.read(ctx, p, j, all)
	}
	var all []span
	cfg := j.request.Tried.Config
	for _, name := range runner.Reads(cfg) {
		all = append(all, spans(t.opt.Logs[name])...)
	}
	m, err := matcher.Parse(cfg.Selects())
	if err != nil {
		return nil, err
	}
	var whole bool
	if n := j.request.Last; n > 0 {
		whole, err = last(ctx, p, all, m, n, lookBack)
	} else {
		whole, err = between(ctx, p, all, t.opt.Now().Add(-j.request.Since), j.request.Until)
	}
	if err != nil {
		return nil, fmt.Errorf("look for where to begin: %w", err)
	}
	j.set(func(r *Report) { r.Range.All = whole })
	return t.read(ctx, p, j, all)
}

// read begins to read spans.
func (t *Trials) read(ctx context.Context, p *pace, j *job, all []span) (*source, error) {
	j.set(func(*Report) { j.spans = all })
	src, err := newSource(ctx, p, all)
	if err != nil {
		return nil, err
	}
	return src, src.begin()
}

// run is a trial that has begun.
type run struct {
	src      *source
	trial    *trial.Trial
	job      *job
	probes   []*probe // of the plugins of the trial
	versions []Version
}

// load adds a version of the plugin.
func (t *Trials) load(ctx context.Context, p *pace, r *run, v Version, from time.Time) error {
	if err := p.step(ctx); err != nil {
		return err
	}
	task, probe, err := t.newTask(ctx, p, v.Config, v.Source, from)
	if err != nil {
		return err
	}
	probe.step = r.job.request.step
	probe.stop = context.AfterFunc(ctx, task.Interrupt)
	r.trial.Plugins = append(r.trial.Plugins, &trial.Plugin{Task: task})
	r.probes, r.versions = append(r.probes, probe), append(r.versions, v)
	return nil
}

// refused says that a plugin cannot be loaded, which is something that a trial shows.
func (r *run) refused(err error) error {
	var fault *sandbox.Error
	if !errors.As(err, &fault) {
		return err
	}
	r.job.set(func(rep *Report) {
		rep.Tried.Ended = &End{Outcome: fault.Outcome.String(), Text: fault.Text, Line: fault.Line, Trace: fault.Trace}
	})
	return nil
}

// over says that every version has ended.
func (r *run) over() bool {
	for i, p := range r.trial.Plugins {
		if p.Ended == nil && r.probes[i].looked == nil {
			return false
		}
	}
	return true
}

func (r *run) close() {
	for i, p := range r.trial.Plugins {
		r.probes[i].stop()
		p.Task.Close()
	}
}

// tell brings the report up to date, with all that was noted or only the numbers.
func (r *run) tell(whole bool) {
	length := r.src.length()
	var results []Result
	for i, p := range r.probes {
		cfg := r.trial.Plugins[i].Task.Config
		res := p.numbers(cfg, length)
		if whole {
			p.findings(&res, r.trial.Plugins[i].Task, r.versions[i])
		}
		results = append(results, res)
	}
	r.job.set(func(rep *Report) {
		rep.Share = r.src.share()
		g := &rep.Range
		g.Messages, g.Bytes, g.Damaged = r.trial.Messages, r.src.bytes, r.trial.Damaged
		if r.src.newest > 0 {
			g.From, g.To = time.Unix(0, r.src.oldest).UTC(), time.Unix(0, r.src.newest).UTC()
		}
		rep.Tried, rep.Step = results[0], r.probes[0].looked
		if len(results) > 1 {
			rep.Running, rep.Version = &results[1], r.job.request.Running.Number
		}
	})
}

// numbers are what was counted.
func (p *probe) numbers(cfg *sandbox.Config, span time.Duration) Result {
	r := Result{Matched: p.matched, Returned: p.failed, Timers: p.timers, Made: p.made, MadeBytes: p.madeBytes, Largest: p.largest,
		Fuel: p.fuel.spread(), Nanos: p.nanos.spread(), Memory: p.memory, MemoryMax: p.memory,
		FuelLimit: cfg.Limits.Instructions, MemLimit: cfg.Limits.Memory, OutLimit: cfg.Limits.Output,
		Alerted: p.alerted, Printed: p.printed, Ended: p.ended,
		Alerts: []Alert{}, Failures: []Failure{}, Payloads: []series.Graph{}, Messages: []Made{}, Prints: []Print{}}
	if s := span.Seconds(); s > 0 {
		r.Rate, r.Cost = float64(p.matched)/s, float64(p.nanos.sum)/1e9/s
	}
	return r
}

// findings adds what was noted, and what is known at the end only.
func (p *probe) findings(r *Result, task *runner.Task, v Version) {
	r.Warnings, r.Memory = task.Warnings(v.Source), p.measure()
	sandbox.Locate(r.Warnings, v.Settings)
	r.MemoryMax = p.memory
	if state, _, err := task.Snapshot(); err == nil {
		r.State = int64(len(state))
	} else if p.ended == nil {
		p.ended = &End{Outcome: sandbox.RuntimeError.String(), Text: err.Error(), Call: p.calls}
		var fault *sandbox.Error
		if errors.As(err, &fault) {
			p.ended.Outcome, p.ended.Text = fault.Outcome.String(), fault.Text
		}
		r.Ended = p.ended
	}
	r.Types, r.Payloads, r.Lake = p.types, p.payloads.Graphs(), slices.Clone(p.files)
	r.Alerts, r.Failures = append(r.Alerts, p.alerts...), append(r.Failures, p.failures...)
	r.Prints = append(r.Prints, newest(p.prints, maxPrints)...)
	for _, k := range newest(p.messages, maxMessages) {
		r.Messages = append(r.Messages, k.made())
	}
}
