package runner

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"sandbar/sandbox"
	"sandbar/sandbox/matcher"
	"sandbar/sandbox/message"
)

// Loader makes a plugin of a config and a source; sandbox/lua.Load is one.
type Loader func(cfg *sandbox.Config, source []byte, env sandbox.Env) (sandbox.Plugin, error)

// Task is one plugin at work: its sandbox, what it made since that was last taken, and its counters.
// It is used by one goroutine at a time and starts none, so that recorded messages can be run through
// it in one loop (package trial) as well as live ones through a Runner.
type Task struct {
	Config  *sandbox.Config
	Matcher *matcher.Matcher

	plugin    sandbox.Plugin
	now       func() time.Time
	made      [][]byte
	madeBytes int
	group     []*message.View // of a call that takes several
	before    int             // length of made before the last call of Process
	nextTick  int64           // seconds since the epoch, 0 when it has no ticker
	heed      bool            // Process returns after each message: what it says of it matters
	last      sandbox.Result  // of the newest call
	kept      []byte          // the newest Snapshot of a plugin that preserves no data
	dirty     bool            // was called since the last Snapshot
	counts    counts
	at        whereabouts
	failed    func(text string, v *message.View) // told of each message that it returned -1 for; nil: nobody wants to know
	undecoded func(err *sandbox.Error)           // told of each message that one of several workers failed on; nil: nobody wants to know
}

// counts are Stats in the form that is cheap to keep.
type counts struct {
	Stats
	outcomes [sandbox.Outcomes]int64
}

// NewTask loads a plugin. env.Emit is the task's own; a state of nil starts clean.
// Errors are *sandbox.Error where the plugin is at fault.
func NewTask(load Loader, cfg *sandbox.Config, source []byte, env sandbox.Env, state []byte) (*Task, error) {
	m, err := parseMatcher(cfg)
	if err != nil {
		return nil, err
	}
	t := &Task{Config: cfg, Matcher: m, now: env.Now}
	env.Emit, env.Here = t.emit, t.at.here
	states, err := splitStates(state)
	if err != nil {
		return nil, &sandbox.Error{Plugin: cfg.Logger(), Outcome: sandbox.LoadError, Text: err.Error()}
	}
	if t.plugin, err = load(cfg, source, env); err != nil {
		return nil, err
	}
	if _, several := t.plugin.(*lanes); !several {
		state = states[0]
	}
	if len(state) > 0 {
		if err := t.plugin.Restore(state); err != nil {
			t.plugin.Close()
			return nil, &sandbox.Error{Plugin: cfg.Logger(), Outcome: sandbox.LoadError,
				Text: fmt.Sprintf("restore its preserved state: %v; remove the plugin to discard the state, or raise preservation_version", err)}
		}
	}
	t.Measure()
	return t, nil
}

// Warnings are what is odd about a plugin that can be loaded: keys that look misspelt, what its engine sees, and a matcher that Hindsight reads
// differently.
func (t *Task) Warnings(source []byte) []sandbox.Finding {
	all := t.Config.Misspelt()
	if l, ok := t.plugin.(sandbox.Linter); ok {
		all = append(all, l.Lint(source)...)
	}
	if why, differs := t.Matcher.HindsightDiffers(); differs {
		all = append(all, sandbox.Finding{Field: "config", Key: "message_matcher", Text: "Hindsight reads its message_matcher differently: " + why})
	}
	return all
}

func parseMatcher(cfg *sandbox.Config) (*matcher.Matcher, error) {
	m, err := matcher.Parse(cfg.Matcher) // errors point into what somebody wrote
	if err == nil && cfg.Selects() != cfg.Matcher {
		m, err = matcher.Parse(cfg.Selects())
	}
	if err != nil {
		return nil, &sandbox.Error{Plugin: cfg.Logger(), Outcome: sandbox.LoadError, Text: fmt.Sprintf("message_matcher: %v", err)}
	}
	return m, nil
}

func (t *Task) emit(msg []byte) error {
	t.keep(bytes.Clone(msg))
	return nil
}

// keep is emit for a message that is the task's already.
func (t *Task) keep(msg []byte) {
	t.made = append(t.made, msg)
	t.madeBytes += len(msg)
	t.counts.Injected++
	t.counts.InjectedBytes += int64(len(msg))
}

// maxPending is how many bytes a task may make before somebody has to take them.
const maxPending = 4 << 20

// Process runs process_message on the messages of views that hits names, in order, and returns how many
// of the hits it was called for: all of them, unless the task is Full before, or an output plugin returned something that has
// to be heeded. An error means that the last of these calls
// ended abnormally; what the plugin injected in it is kept, unless the caller takes it back.
func (t *Task) Process(views []message.View, hits []int32) (int, *sandbox.Error) {
	if len(hits) == 0 {
		return 0, nil
	}
	t.dirty = true
	if l, ok := t.plugin.(*lanes); ok {
		return t.workers(l, views, hits)
	}
	start := t.now()
	defer func() { t.counts.Nanos += int64(t.now().Sub(start)) }()
	if b, ok := t.plugin.(sandbox.Batcher); ok && t.Config.Batch > 1 {
		return t.batches(b, views, hits)
	}
	for i, h := range hits {
		t.before, t.at.hits = len(t.made), hits[i:i+1]
		res := t.plugin.Process(&views[h])
		t.counts.Matched++
		if err := t.account(&res); err != nil {
			return i + 1, err
		}
		if res.Status == sandbox.StatusFailed {
			t.returned(&res, &views[h])
		}
		if t.Full() || t.heed || t.Config.Kind == sandbox.Output && (res.Status <= sandbox.StatusRetry || res.Acked > 0) {
			return i + 1, nil
		}
	}
	return len(hits), nil
}

// workers is Process for a decoder that has several. All of the messages are done when it returns, but for those behind one that ended it: their results are dropped.
func (t *Task) workers(l *lanes, views []message.View, hits []int32) (int, *sandbox.Error) {
	calls, busy := l.run(views, hits, t.now)
	t.counts.Nanos += int64(busy)
	for i, c := range calls {
		v := &views[hits[i]]
		t.before = len(t.made)
		t.counts.Matched++
		err := t.account(&c.res)
		switch {
		case err != nil && c.ended:
			return i + 1, err
		case err != nil:
			if t.undecoded != nil {
				t.undecoded(err)
			}
			t.emit(undecoded(v, err.Outcome.String(), err.Text))
			continue
		}
		for _, msg := range c.made {
			t.keep(msg)
		}
		t.returned(&c.res, v)
	}
	return len(hits), nil
}

// returned heeds that process_message returned -1.
func (t *Task) returned(res *sandbox.Result, v *message.View) {
	if res.Status != sandbox.StatusFailed {
		return
	}
	if t.failed != nil {
		t.failed(res.Text, v)
	}
	if t.Config.Kind == sandbox.Decoder && len(t.made) == t.before {
		t.emit(undecoded(v, "failed", res.Text)) // or the submission would be gone
	}
}

// batches is Process for a plugin that takes several messages in one call.
func (t *Task) batches(b sandbox.Batcher, views []message.View, hits []int32) (int, *sandbox.Error) {
	for done := 0; ; {
		n := min(t.Config.Batch, len(hits)-done)
		if n == 0 {
			return done, nil
		}
		t.group = t.group[:0]
		for _, h := range hits[done : done+n] {
			t.group = append(t.group, &views[h])
		}
		t.before, t.at.hits = len(t.made), hits[done:done+n]
		res := b.ProcessBatch(t.group)
		done += n
		t.counts.Matched += int64(n)
		err := t.account(&res)
		if res.Outcome == sandbox.OK && res.Status == sandbox.StatusFailed {
			t.counts.Failed += int64(n) - 1
			if t.failed != nil {
				t.failed(res.Text, t.group[0])
			}
		}
		if err != nil || t.Full() || t.heed {
			return done, err
		}
	}
}

// takeBack forgets what the last call of Process injected.
func (t *Task) takeBack() {
	for _, msg := range t.made[t.before:] {
		t.madeBytes -= len(msg)
		t.counts.Injected--
		t.counts.InjectedBytes -= int64(len(msg))
	}
	t.made = t.made[:t.before]
}

// succeed makes t, which is new, go on where old ended.
func (t *Task) succeed(old *Task) {
	memory := t.counts.Memory
	t.made, t.madeBytes, t.before, t.nextTick, t.dirty, t.counts = old.made, old.madeBytes, old.before, old.nextTick, old.dirty, old.counts
	t.counts.Memory = memory
	t.at.succeed(&old.at)
}

// Timer runs timer_event at ns (nanoseconds since the epoch).
func (t *Task) Timer(ns int64, shutdown bool) *sandbox.Error {
	t.dirty = true
	start := t.now()
	res := t.plugin.Timer(ns-ns%int64(time.Second), shutdown)
	t.counts.Nanos += int64(t.now().Sub(start))
	t.counts.Timers++
	return t.account(&res)
}

func (t *Task) account(res *sandbox.Result) *sandbox.Error {
	t.last = *res
	c := &t.counts
	c.Fuel += res.Fuel
	c.FuelMax = max(c.FuelMax, res.Fuel)
	c.outcomes[res.Outcome]++
	if res.Outcome == sandbox.OK {
		if res.Status == -1 {
			c.Failed++
		}
		if res.Status < 0 && res.Text != "" {
			c.LastError = res.Text
		}
		return nil
	}
	c.LastError = res.Text
	return &sandbox.Error{Plugin: t.Config.Logger(), Outcome: res.Outcome, Line: res.Line, Text: res.Text, Trace: res.Trace}
}

// SetTicker says when the first timer event is due; later ones follow every ticker_interval.
// Both are in seconds since the epoch. It does nothing for a plugin without a ticker.
func (t *Task) SetTicker(first int64) {
	if t.Config.TickerInterval > 0 {
		t.nextTick = first
	}
}

// NextTick is when the next timer event is due, in seconds since the epoch; 0 means never.
func (t *Task) NextTick() int64 { return t.nextTick }

// Tick runs timer_event if it is due at ns. Ticks that were missed are not made up for.
func (t *Task) Tick(ns int64) *sandbox.Error {
	sec := ns / int64(time.Second)
	every := int64(t.Config.TickerInterval)
	if t.nextTick > sec+max(every, 60) { // the clock went back
		t.nextTick = sec + every
	}
	if t.nextTick == 0 || sec < t.nextTick {
		return nil
	}
	t.nextTick += (1 + (sec-t.nextTick)/every) * every
	return t.Timer(ns, false)
}

// Take returns the messages made since the last Take, oldest first. They are the caller's.
func (t *Task) Take() [][]byte {
	made := t.made
	t.made, t.madeBytes, t.before = nil, 0, 0
	return made
}

// Made says that messages wait to be taken.
func (t *Task) Made() bool { return len(t.made) > 0 }

// Full says that what the task made has to be taken before it is called again.
func (t *Task) Full() bool { return t.madeBytes > maxPending }

// Interrupt ends the call that runs, and every later one that lasts long. Any goroutine may call it.
func (t *Task) Interrupt() { t.plugin.Interrupt() }

// Measure asks how much memory the plugin's state holds, for Stats.
func (t *Task) Measure() { t.counts.Memory = t.plugin.Memory() }

// Snapshot returns the preserved state, and false when nothing was called since the last Snapshot or
// nothing of it has to be kept.
func (t *Task) Snapshot() ([]byte, bool, error) {
	if !t.dirty {
		return nil, false, nil
	}
	state, err := t.plugin.Snapshot()
	if err != nil {
		var fault *sandbox.Error
		if errors.As(err, &fault) {
			return nil, false, fault
		}
		return nil, false, fmt.Errorf("plugin %s: preserve its data: %w", t.Config.Logger(), err)
	}
	t.dirty = false
	if !t.Config.PreserveData { // only alerts make some, seldom
		if bytes.Equal(state, t.kept) {
			return nil, false, nil
		}
		t.kept = state
	}
	return state, true, nil
}

// Recycle gives a state's memory back, when nobody reads it any more.
func (t *Task) Recycle(state []byte) {
	if r, ok := t.plugin.(sandbox.Recycler); ok && len(state) > 0 && t.Config.PreserveData {
		r.Recycle(state)
	}
}

// Passed counts messages that passed by, wanted or not.
func (t *Task) Passed(n int) { t.counts.Seen += int64(n) }

// Stats returns a copy of the counters.
func (t *Task) Stats() Stats {
	s := t.counts.Stats
	s.Outcomes = make(map[string]int64, 2)
	for o, n := range t.counts.outcomes {
		if n > 0 {
			s.Outcomes[sandbox.Outcome(o).String()] = n
		}
	}
	return s
}

// Close frees the sandbox.
func (t *Task) Close() error { return t.plugin.Close() }
