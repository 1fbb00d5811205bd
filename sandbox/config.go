package sandbox

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Table is a Lua table as a Go value. Keys are string, float64 or bool; values are string, float64, bool or Table.
type Table map[any]any

// Order are the keys: numbers, then texts, then booleans, each from the least on.
func (t Table) Order() []any {
	kind := func(k any) (rank int, number float64, text string) {
		switch k := k.(type) {
		case float64:
			return 0, k, ""
		case string:
			return 1, 0, k
		case bool:
			if k {
				return 2, 1, ""
			}
		}
		return 2, 0, ""
	}
	return slices.SortedFunc(maps.Keys(t), func(a, b any) int {
		rank, number, text := kind(a)
		otherRank, otherNumber, otherText := kind(b)
		return cmp.Or(rank-otherRank, cmp.Compare(number, otherNumber), strings.Compare(text, otherText))
	})
}

// Config is a plugin's .cfg: the keys that the host knows, and every key as written in Keys (for read_config).
type Config struct {
	Name     string // without the kind: "rate"; the message Logger is Kind.Name
	Kind     Kind
	Filename string // the source file that the config names
	Matcher  string // message_matcher; required but for decoders, whose default is TRUE

	Limits              Limits
	Batch               int  // most messages of one call; 1 for Lua
	TickerInterval      int  // seconds between timer events, 0 = none
	PreserveData        bool // globals survive a restart
	PreserveAll         bool // and all else that Lua code can reach
	RestrictedHeaders   bool // Uuid, Timestamp, Logger, Hostname, Pid of injected messages are the host's
	ReadQueue           ReadQueue
	ShutdownOnTerminate bool
	PartitionBy         string // field of the messages that a decoder makes, by whose value their partition is chosen; "": that of the submission
	Workers             int    // instances of a decoder that work at the same time
	Global              bool   // one instance reads all partitions, in place of one in each; analysis plugins only

	Keys Table // all keys of the file
}

// Logger is the name that the plugin's messages carry.
func (c *Config) Logger() string { return string(c.Kind) + "." + c.Name }

// IsModule says whether a source file of this name is a WASM module; any other is Lua.
func IsModule(filename string) bool { return strings.HasSuffix(filename, ".wasm") }

// IsModule says whether the plugin's source is a WASM module.
func (c *Config) IsModule() bool { return IsModule(c.Filename) }

// Setting is what the host adds to the keys of the file: limits and their like, also where the file does not name them. It is a
// string, float64 or bool, or nil.
func (c *Config) Setting(key string) any {
	switch key {
	case "Logger":
		return c.Logger()
	case "instruction_limit":
		return float64(c.Limits.Instructions)
	case "memory_limit":
		return float64(c.Limits.Memory)
	case "output_limit":
		return float64(c.Limits.Output)
	case "process_message_inject_limit":
		return float64(c.Limits.ProcessInject)
	case "timer_event_inject_limit":
		return float64(c.Limits.TimerInject)
	case "ticker_interval":
		return float64(c.TickerInterval)
	case "preserve_data":
		if c.PreserveAll {
			return preserveAll
		}
		return c.PreserveData
	}
	return nil
}

// preserveAll is the value of preserve_data that keeps the whole heap of a Lua plugin; a module's state is whole anyway.
const preserveAll = "all"

// maxBatch is the most messages of one call.
const maxBatch = 1000

// maxWorkers bounds those of a decoder.
const maxWorkers = 16

// MaxModuleFuel is the most fuel of one call of a WASM module, which nothing can interrupt: some milliseconds of work.
const MaxModuleFuel = 10_000_000

// ReadQueue says which streams an output reads, or that an analysis plugin reads what the host says of itself.
type ReadQueue string

const (
	ReadBoth     ReadQueue = "both"
	ReadInput    ReadQueue = "input"    // streams valid and errors
	ReadAnalysis ReadQueue = "analysis" // stream derived
	ReadHost     ReadQueue = "host"     // of stream derived what the host says; analysis plugins
)

// Limits bound every call of a plugin. Those with a key are Hindsight's and a plugin's config sets them, the others are the
// host's. Zero means no limit here; in a config it means the host's ceiling (Ceilings).
type Limits struct {
	Instructions  int64 // instruction_limit: fuel of one call
	Memory        int64 // memory_limit: bytes of state
	Output        int64 // output_limit: bytes of one message, payload or print
	ProcessInject int   // process_message_inject_limit: messages in one process_message
	TimerInject   int   // timer_event_inject_limit

	InjectBytes int64         // bytes of all messages that one call makes
	Hourly      int64         // bytes of messages in an hour; beyond it the plugin waits
	State       int64         // bytes of preserved state
	Graph       int64         // bytes of one payload of a graph
	LogLines    int           // lines that one call prints
	Source      int           // bytes of the source
	Time        time.Duration // of one call
}

// DefaultLimits are Hindsight's.
func DefaultLimits() Limits {
	return Limits{Instructions: 1_000_000, Memory: 8 << 20, Output: 64 << 10, ProcessInject: 0, TimerInject: 10}
}

// NewConfig reads the known keys out of an evaluated config and checks them.
// Errors name the key and what it should be.
func NewConfig(kind Kind, name string, keys Table) (*Config, error) {
	c := &Config{Name: name, Kind: kind, Limits: DefaultLimits(), RestrictedHeaders: kind == Analysis, ReadQueue: ReadBoth, Keys: keys}
	if kind == Decoder || kind == Output {
		c.Limits.ProcessInject, c.Limits.TimerInject = math.MaxInt32, math.MaxInt32
	}
	r := keyReader{keys: keys}
	if k := r.text("kind", string(kind)); k != string(kind) {
		r.fail("kind", fmt.Sprintf("%q, like the folder it lies in", kind))
	}
	c.Filename = r.text("filename", "")
	c.Matcher = r.text("message_matcher", "")
	if c.IsModule() {
		c.Limits.Instructions = MaxModuleFuel
	}
	c.Limits.Instructions = r.whole("instruction_limit", c.Limits.Instructions)
	if c.IsModule() && c.Limits.Instructions > MaxModuleFuel {
		r.fail("instruction_limit", fmt.Sprintf("at most %d for a WASM plugin, which cannot be interrupted", MaxModuleFuel))
	}
	c.Limits.Memory = r.whole("memory_limit", c.Limits.Memory)
	c.Limits.Output = r.whole("output_limit", c.Limits.Output)
	if kind == Analysis {
		c.Limits.ProcessInject = int(r.whole("process_message_inject_limit", int64(c.Limits.ProcessInject)))
		c.Limits.TimerInject = int(r.whole("timer_event_inject_limit", int64(c.Limits.TimerInject)))
	}
	c.TickerInterval = int(r.whole("ticker_interval", 0))
	c.Batch = 1
	if c.IsModule() { // in Lua the key is the plugin's own
		c.Batch = int(r.whole("batch", 1))
		if c.Batch < 1 || c.Batch > maxBatch || c.Batch > 1 && kind != Analysis {
			r.fail("batch", fmt.Sprintf("from 1 to %d, and 1 for all but analysis plugins", maxBatch))
		}
	}
	if c.PreserveAll = keys["preserve_data"] == preserveAll; c.PreserveAll {
		c.PreserveData = true
	} else {
		c.PreserveData = r.flag("preserve_data", false)
	}
	c.RestrictedHeaders = r.flag("restricted_headers", c.RestrictedHeaders)
	c.ShutdownOnTerminate = r.flag("shutdown_on_terminate", false)
	switch q := ReadQueue(r.text("read_queue", string(ReadBoth))); q {
	case ReadBoth, ReadInput, ReadAnalysis:
		c.ReadQueue = q
	case ReadHost:
		if kind != Analysis || !c.RestrictedHeaders { // one that can have any Logger could go round in circles
			r.fail("read_queue", `"host" for analysis plugins with restricted_headers only`)
		}
		c.ReadQueue = q
	default:
		r.fail("read_queue", `"both", "input", "analysis" or "host"`)
	}
	if kind == Decoder {
		field := r.text("partition_by", "")
		if name, ok := strings.CutPrefix(field, "Fields["); ok && strings.HasSuffix(name, "]") && len(name) > 1 {
			c.PartitionBy = strings.TrimSuffix(name, "]")
		} else if field != "" {
			r.fail("partition_by", `"Fields[NAME]"`)
		}
		if c.Workers = int(r.whole("workers", 1)); c.Workers > maxWorkers {
			r.fail("workers", fmt.Sprintf("from 1 to %d, or 0 for one on each processor", maxWorkers))
		}
		if c.Workers == 0 {
			c.Workers = min(runtime.GOMAXPROCS(0), maxWorkers)
		}
	}
	if c.Global = keys["scope"] == "global"; c.Global && kind != Analysis { // any other value is the plugin's own
		r.fail("scope", "left out but of analysis plugins")
	}
	if r.err != nil {
		return nil, r.err
	}
	if c.Matcher == "" {
		if kind != Decoder {
			return nil, fmt.Errorf("config of %s: message_matcher is missing; add a line like: message_matcher = \"TRUE\"", c.Logger())
		}
		c.Matcher = "TRUE"
	}
	return c, nil
}

// Selects is the matcher of the messages that the plugin gets: its own, and of the host's own messages where it reads these.
func (c *Config) Selects() string {
	if c.ReadQueue == ReadHost {
		return "Logger =~ '^host%.' && (" + c.Matcher + ")"
	}
	return c.Matcher
}

// keyReader takes typed values out of a table and remembers the first key that has a wrong one.
type keyReader struct {
	keys Table
	err  error
}

func (r *keyReader) fail(key, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("config key %s is %v; it must be %s", key, r.keys[key], want)
	}
}

func (r *keyReader) text(key, def string) string {
	switch v := r.keys[key].(type) {
	case nil:
		return def
	case string:
		return v
	}
	r.fail(key, "a string")
	return def
}

func (r *keyReader) flag(key string, def bool) bool {
	switch v := r.keys[key].(type) {
	case nil:
		return def
	case bool:
		return v
	}
	r.fail(key, "true or false")
	return def
}

func (r *keyReader) whole(key string, def int64) int64 {
	switch v := r.keys[key].(type) {
	case nil:
		return def
	case float64:
		if v >= 0 && v <= math.MaxUint32 && v == math.Trunc(v) {
			return int64(v)
		}
	}
	r.fail(key, "a whole number from 0 to 4294967295")
	return def
}
