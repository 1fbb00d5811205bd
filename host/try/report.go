package try

import (
	"encoding/json"
	"time"

	"sandbar/host/alert"
	"sandbar/host/series"
	"sandbar/sandbox"
)

// State is where a trial is.
type State string

const (
	Waiting   State = "waiting"   // for others to end
	Searching State = "searching" // for where to begin
	Running   State = "running"
	Done      State = "done"
	Cancelled State = "cancelled"
	Failed    State = "failed" // for a reason that is not the plugin's
)

// Report is a trial, as far as it is.
type Report struct {
	ID      string    `json:"id"`
	Plugin  string    `json:"plugin"` // Logger form
	State   State     `json:"state"`
	Problem string    `json:"problem,omitempty"` // why it failed, or ended early
	Started time.Time `json:"started"`
	Seconds float64   `json:"seconds"`  // since then, or until it ended
	Share   float64   `json:"progress"` // of the range, 0 to 1

	Range   Range   `json:"range"`
	Tried   Result  `json:"tried"`
	Version int     `json:"version,omitempty"` // of Running
	Running *Result `json:"running,omitempty"` // what the present version does with the same messages
	Step    *Step   `json:"step,omitempty"`    // of a trial that was to look into one call
}

// Range is what a trial reads.
type Range struct {
	Streams  []string  `json:"streams"`
	From     time.Time `json:"from,omitzero"` // timestamp of its oldest message
	To       time.Time `json:"to,omitzero"`   // the newest timestamp read
	Messages int64     `json:"messages"`      // read so far
	Bytes    int64     `json:"bytes"`
	Damaged  int64     `json:"damaged,omitempty"` // that are no message
	All      bool      `json:"all"`               // nothing older is kept
}

// Result is what one version of a plugin did in a trial.
type Result struct {
	Matched   int64            `json:"matched"`
	Returned  int64            `json:"failed"` // -1
	Timers    int64            `json:"timers"`
	Made      int64            `json:"injected"`
	MadeBytes int64            `json:"injected_bytes"`
	Largest   int64            `json:"largest"`         // bytes of a message it made
	Types     map[string]int64 `json:"types,omitempty"` // messages made, by Type

	Fuel      Spread `json:"fuel"`
	FuelLimit int64  `json:"instruction_limit"`
	Nanos     Spread `json:"nanos"` // of a call
	Memory    int64  `json:"memory"`
	MemoryMax int64  `json:"memory_max"` // of some counts on the way
	MemLimit  int64  `json:"memory_limit"`
	OutLimit  int64  `json:"output_limit"`
	State     int64  `json:"state,omitempty"` // bytes that it would preserve
	// Rate is how many messages a second it is called for, and Cost the part of a core that this takes, both by the messages' time.
	Rate float64 `json:"rate"`
	Cost float64 `json:"cost"`

	Warnings []sandbox.Finding `json:"warnings,omitempty"`
	Ended    *End              `json:"ended,omitempty"` // why it would have been terminated
	Failures []Failure         `json:"failures"`        // returned -1, by text
	Alerts   []Alert           `json:"alerts"`          // the first ones
	Alerted  int64             `json:"alerted"`
	Payloads []series.Graph    `json:"payloads"`
	Messages []Made            `json:"messages"` // the newest ones that are no payloads, the oldest first
	Prints   []Print           `json:"prints"`   // the newest ones
	Printed  int64             `json:"printed"`
	Lake     []File            `json:"lake,omitempty"` // of an output
}

// Spread of a number over calls.
type Spread struct {
	Sum int64 `json:"sum"`
	P50 int64 `json:"p50"`
	P99 int64 `json:"p99"`
	Max int64 `json:"max"`
}

// End is the call that would have ended a plugin.
type End struct {
	Outcome string          `json:"outcome"`
	Text    string          `json:"text"`
	Line    int             `json:"line,omitempty"`
	Trace   string          `json:"trace,omitempty"`
	Call    int64           `json:"call"`              // the how manieth, timer events included; 0: it could not be loaded
	Message json.RawMessage `json:"message,omitempty"` // that it was called for
}

// Failure is calls that returned -1 with one text.
type Failure struct {
	Text    string          `json:"text"`
	Count   int64           `json:"count"`
	Call    int64           `json:"call"` // the first
	Message json.RawMessage `json:"message,omitempty"`
}

// Step is all about one call.
type Step struct {
	Call    int64           `json:"call"`
	Time    time.Time       `json:"time"`              // of the messages
	Message json.RawMessage `json:"message,omitempty"` // none in a timer event
	Cut     bool            `json:"cut,omitempty"`     // of the message the beginning is shown
	Outcome string          `json:"outcome"`
	Status  int             `json:"status"`
	Text    string          `json:"text,omitempty"` // the second value that it returned, or the error
	Line    int             `json:"line,omitempty"`
	Trace   string          `json:"trace,omitempty"`
	Fuel    int64           `json:"fuel"`
	Reads   []sandbox.Read  `json:"reads"`
	Lines   map[int]int64   `json:"lines,omitempty"` // fuel by line
	Made    []Made          `json:"made"`
	Prints  []string        `json:"prints"`
}

// Alert is one that would have been sent.
type Alert struct {
	alert.Alert
	Call int64 `json:"call"`
}

// Made is a message that a plugin made.
type Made struct {
	Call    int64           `json:"call"`
	Message json.RawMessage `json:"message"`
	Cut     bool            `json:"cut,omitempty"`
}

// Print is a line that a plugin printed.
type Print struct {
	Call int64     `json:"call"`
	Time time.Time `json:"time"` // of the messages
	Text string    `json:"text"`
}

// File is what an output would have written to one path of the lake.
type File struct {
	Path  string `json:"path"`
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"` // of the messages
}
