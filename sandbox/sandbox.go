// Package sandbox is the contract between a plugin and whatever runs it: kinds, config, limits,
// fuel, outcomes and the life of a sandbox. An engine (sandbox/lua) fills Plugin; a host calls it.
//
// It knows no stream, no file and no clock of its own: what a plugin may reach is handed in as an Env.
package sandbox

import (
	"time"

	"sandbar/sandbox/jsondoc"
	"sandbar/sandbox/message"
)

// Kind says what a plugin is for and so what it may do.
type Kind string

const (
	Decoder  Kind = "decoder"  // turns raw submissions into validated messages or errors
	Analysis Kind = "analysis" // stateful, untrusted; reads valid and errors, writes derived
	Output   Kind = "output"   // writes what it reads into the lake
)

// Plugin is one loaded sandbox. It is used by one goroutine at a time.
//
// A call that does not end in OK leaves the plugin usable: the caller decides whether to go on,
// to restore an older state or to close it.
type Plugin interface {
	// Process runs process_message on one message. The view is read-only and only valid during the call.
	Process(m *message.View) Result
	// Timer runs timer_event. ns is whole seconds since the epoch in nanoseconds.
	Timer(ns int64, shutdown bool) Result
	// Snapshot returns what has to survive a restart: globals if the config has preserve_data, and the throttles of alerts
	// (nil when there is nothing). The bytes are the caller's.
	Snapshot() ([]byte, error)
	// Restore puts a snapshot back. A snapshot of another preservation version is ignored without error.
	Restore(state []byte) error
	// Interrupt ends the call that runs now with Stopped, and every later one that lasts longer than a few milliseconds.
	// It may be called at any time, by any goroutine, and does not wait.
	Interrupt()
	// Memory is an estimate of the bytes that the plugin's state holds now.
	Memory() int64
	Close() error
}

// Batcher is a Plugin that takes several messages in one call, with the limits of one call, when its config has a batch. Result.Status is
// that of all of them.
type Batcher interface {
	ProcessBatch(ms []*message.View) Result
}

// Linter is a Plugin that sees faults which do not keep it from being loaded.
type Linter interface {
	Lint(source []byte) []Finding // of the source that it was loaded from
}

// Weigher is a Plugin whose Memory is what was counted last. Weigh counts, which takes as long as it holds much.
type Weigher interface {
	Weigh() int64
}

// Recycler is a Plugin whose states are large: it takes the memory of one back that Snapshot returned and that nobody reads any
// more. Any goroutine may call it.
type Recycler interface {
	Recycle(state []byte)
}

// Result says how one call ended and what it cost.
type Result struct {
	Outcome Outcome
	Status  int    // the numeric return code of process_message; 0 for timer_event
	Text    string // the second return value, or the error; at most MaxText bytes
	Line    int    // line of the plugin's source, 0 when unknown
	Trace   string // traceback, when there is one
	Fuel    int64  // units spent
	// Acked is what an output plugin has acknowledged with update_checkpoint: the number of a message that Process was
	// called for, counted from 1, and all before it; 0 for nothing.
	Acked int64
}

// Return codes of an output plugin's process_message below zero, as Hindsight has them. Other kinds may return them too;
// there they mean no more than that the message is done with.
const (
	StatusFailed = -1 // it could not be processed
	StatusSkip   = -2
	StatusRetry  = -3 // it has to be given again
	StatusBatch  = -4 // it is kept in a batch: its position counts when a later message returns 0, or with update_checkpoint
	StatusAsync  = -5 // the same, acknowledged by number
)

// MaxText bounds the error texts that are kept of a call.
const MaxText = 1 << 10

// Env is everything a plugin can reach. A nil member is a capability that the plugin does not have;
// using it is a runtime error that says so. Functions are called on the plugin's own goroutine.
type Env struct {
	Hostname string
	Pid      int
	Now      func() time.Time
	Seed     uint64                 // seeds math.random
	Emit     func(msg []byte) error // takes an encoded message that passed the limits; must copy what it keeps
	Log      func(text string)      // print()
	// Here names the places of the messages that the plugin is called for, in a timer event those of the last few before, as STREAM/POSITION, the
	// oldest first.
	Here    func() []string
	Schemas Schemas
	Geo     Geo
	Lake    Lake // outputs only
}

// Schemas validates parsed JSON documents.
type Schemas interface {
	// Validate checks doc against the schema that namespace, document type and version choose. It calls spend before each piece of work
	// with the fuel of it; a panic of spend passes through.
	Validate(namespace, docType, version string, doc jsondoc.Value, spend func(fuel int64)) Verdict
}

// Verdict is the answer of a validation.
type Verdict struct {
	Known   bool   // there is such a schema
	Valid   bool   // and the document obeys it
	Path    string // instance path of the first failure, as a JSON pointer ("/a/0/b", "" is the root)
	Keyword string // schema keyword that failed ("required", "type", ...)
	Message string // for people
}

// Geo finds out where an address is.
type Geo interface {
	// Lookup returns false when the address is malformed or unknown.
	Lookup(addr string) (Place, bool)
}

// Place is what is known of an address; empty strings where nothing is.
type Place struct {
	Country, City, Subdivision1, Subdivision2, ISP string
}

// Lake is what an output plugin writes to. Paths are relative, slash-separated and checked by the host.
// Nothing becomes visible before the host commits the plugin's position.
type Lake interface {
	// Heka appends the message, framed, to the object that is being filled under lake/heka/path.
	Heka(path string, msg []byte) error
	// Parquet appends one row to the object that is being filled under lake/parquet/path.
	Parquet(path string, row Row) error
}

// Row says what a Parquet row is made of: fields of a message, and scalar columns of a JSON payload in it.
type Row struct {
	Message    []byte   // encoded message; the lake copies it
	Fields     []string // message fields that become columns; nil means all scalar ones but Payload
	Payload    string   // name of the field that holds JSON; "" means no payload columns
	Namespace  string   // the schema that declares the payload's columns
	DocType    string
	DocVersion string
}
