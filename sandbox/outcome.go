package sandbox

import "fmt"

// Outcome names how a call of a plugin ended.
type Outcome uint8

const (
	OK                 Outcome = iota // returned; Result.Status says what it thought of the message
	FuelExhausted                     // instruction_limit reached
	MemoryExceeded                    // memory_limit reached
	OutputExceeded                    // output_limit reached
	InjectExceeded                    // an inject limit reached
	RuntimeError                      // the plugin's code raised an error
	BadReturn                         // process_message returned something that is not a status
	LoadError                         // config or source could not be loaded
	StateExceeded                     // the preserved state is larger than the host keeps
	TimeExceeded                      // a call lasted longer than the host allows
	Stopped                           // the host was asked to stop it
	TerminatedByPlugin                // process_message returned a status above zero
	Quarantined                       // the host died several times while it was at work
)

// outcomeNames is indexed by Outcome; the names are used in counters, the API and the web page.
var outcomeNames = [...]string{
	OK: "ok", FuelExhausted: "fuel_exhausted", MemoryExceeded: "memory_exceeded", OutputExceeded: "output_exceeded",
	InjectExceeded: "inject_exceeded", StateExceeded: "state_exceeded", TimeExceeded: "time_exceeded", RuntimeError: "runtime_error", BadReturn: "bad_return", LoadError: "load_error",
	Stopped: "stopped", TerminatedByPlugin: "terminated_by_plugin", Quarantined: "quarantined",
}

// Outcomes is how many there are.
const Outcomes = len(outcomeNames)

func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return fmt.Sprintf("outcome(%d)", uint8(o))
}

// Error is a plugin's ending as a Go error: it could not be loaded, or a call did not end in OK.
type Error struct {
	Plugin  string // Logger form, "analysis.rate"
	Outcome Outcome
	Line    int    // 0 when unknown
	Text    string // what happened and what to do
	Trace   string
	Message []byte // that was processed, encoded; nil when there was none
}

func (e *Error) Error() string {
	where := e.Plugin
	if e.Line > 0 {
		where = fmt.Sprintf("%s line %d", e.Plugin, e.Line)
	}
	return fmt.Sprintf("plugin %s: %s: %s", where, e.Outcome, e.Text)
}
