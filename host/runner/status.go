package runner

import (
	"time"

	"sandbar/host/runner/commit"
	"sandbar/sandbox"
)

// State is where a plugin is in its life.
type State string

const (
	Running    State = "running"
	StoppedBy  State = "stopped"    // somebody stopped it
	Terminated State = "terminated" // a call ended abnormally; it stays so until somebody starts it
	Proposed   State = "proposed"   // it waits for a second person, and has never run
	Failed     State = "load_error" // config or source could not be loaded
)

// Status is one plugin as people see it.
type Status struct {
	Name     string       `json:"name"` // Logger form: "analysis.rate"
	Kind     sandbox.Kind `json:"kind"`
	State    State        `json:"state"`
	Since    time.Time    `json:"since"`          // when it entered State
	Outcome  string       `json:"outcome"`        // why it is not running; "" while it runs
	Reason   string       `json:"reason"`         // the error's text
	Line     int          `json:"line,omitempty"` // of the source, 0 when unknown
	Matcher  string       `json:"matcher"`
	Shipped  bool         `json:"shipped"` // came with the program
	ShadowOf string       `json:"shadow_of,omitempty"`

	ProposalOf string `json:"proposal_of,omitempty"`
	Author     string `json:"author,omitempty"` // who submitted it

	Ticker   int            `json:"ticker_interval"` // seconds
	Limits   sandbox.Limits `json:"limits"`
	Stats    Stats          `json:"stats"`
	LagBytes int64          `json:"lag_bytes"` // bytes of its streams that it has not read yet
}

// Stats count what a plugin did since it was started.
type Stats struct {
	Seen          int64            `json:"seen"`     // messages that its reader passed over
	Matched       int64            `json:"matched"`  // messages that it was called for
	Failed        int64            `json:"failed"`   // returned -1
	Injected      int64            `json:"injected"` // messages it made
	InjectedBytes int64            `json:"injected_bytes"`
	Fuel          int64            `json:"fuel"`       // units in all
	FuelMax       int64            `json:"fuel_max"`   // units of the dearest call
	Memory        int64            `json:"memory"`     // bytes of state now
	Nanos         int64            `json:"nanos"`      // time spent in calls
	Timers        int64            `json:"timers"`     // timer events
	Outcomes      map[string]int64 `json:"outcomes"`   // calls by outcome
	LastError     string           `json:"last_error"` // text of the newest failed call
}

// LogLine is one line that a plugin printed or that the host says about it.
type LogLine struct {
	Time time.Time `json:"time"`
	Text string    `json:"text"`
}

// List returns the status of every plugin, in the order data flows.
func (r *Runner) List() []Status {
	var out []Status
	for _, w := range r.all() {
		if s, ok := r.Status(w.name); ok {
			out = append(out, s)
		}
	}
	return out
}

// Status of one plugin; false when it was never started.
func (r *Runner) Status(name string) (Status, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.plugins[name]
	if e == nil {
		return Status{}, false
	}
	s := e.status
	if st := e.worker.stats.Load(); st != nil {
		s.Stats = *st
	}
	if s.State == Running {
		for name, p := range e.worker.inbox.peek() {
			log := r.fanouts[name].log
			s.LagBytes += log.Distance(p, log.End())
		}
	}
	return s, true
}

// Logs returns what a plugin printed lately, oldest first.
func (r *Runner) Logs(name string) []LogLine {
	r.mu.Lock()
	e := r.plugins[name]
	r.mu.Unlock()
	if e == nil {
		return nil
	}
	return e.logs.lines()
}

// Healthy returns why the newest commit failed, if it did.
func (r *Runner) Healthy() error { return r.commits.Err() }

// Commits are the numbers of its commits.
func (r *Runner) Commits() commit.Stats { return r.commits.Stats() }

// Damaged counts the frames of all streams that no plugin was shown, since they hold no message.
func (r *Runner) Damaged() int64 {
	var n int64
	for _, f := range r.fanouts {
		n += f.damaged.Load()
	}
	return n
}
