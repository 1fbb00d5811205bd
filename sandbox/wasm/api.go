package wasm

import (
	"math"
	"strings"
	"unsafe"

	"github.com/tetratelabs/wazero/api"

	"sandbar/sandbox/message"
	"sandbar/sandbox/wasm/meter"
)

// apiModule is the name of the interface: of the module that plugins import and of the function that marks them.
const apiModule = "sandbar_v1"

// hostFunc is a function of the host. Parameters and result are letters: i is i32, l i64, d f64. fuel is what each call costs
// before it is made; what depends on lengths is taken by the function itself.
type hostFunc struct {
	name           string
	params, result string
	fuel           int64
	call           func(p *plugin, s []uint64)
}

func letters(text string, of map[rune]byte) string {
	out := make([]byte, 0, len(text))
	for _, c := range text {
		out = append(out, of[c])
	}
	return string(out)
}

func (f *hostFunc) types() meter.FuncType {
	of := map[rune]byte{'i': api.ValueTypeI32, 'l': api.ValueTypeI64, 'd': api.ValueTypeF64}
	return meter.FuncType{Params: letters(f.params, of), Results: letters(f.result, of)}
}

func valueTypes(text string) []api.ValueType {
	f := hostFunc{params: text}
	return []api.ValueType(f.types().Params)
}

// Fuel of host functions: about what crossing to Go takes, in units of some tenths of a nanosecond.
const (
	fuelCall  = 500
	fuelField = 1000
	fuelHeavy = 4000
	luaUnit   = 64 // what a unit of the outbox or a validator is here: those are of Lua's size
)

// missing is what functions return for what is not there.
const missing = math.MaxUint32 // -1

// apiFuncs is the interface sandbar_v1. docs/wasm.md describes it for authors; a test holds the two together.
func apiFuncs() []hostFunc {
	return []hostFunc{
		{"msg_text", "iiiiiii", "i", fuelField, (*plugin).msgText},
		{"msg_number", "iiiiii", "i", fuelField, (*plugin).msgNumber},
		{"msg_integer", "iiiiii", "i", fuelField, (*plugin).msgInteger},
		{"msg_type", "iiii", "i", fuelField, (*plugin).msgType},
		{"msg_count", "iiii", "i", fuelField, (*plugin).msgCount},

		{"inject_new", "", "", fuelHeavy, (*plugin).injectNew},
		{"inject_header", "iii", "", fuelCall, (*plugin).injectHeader},
		{"inject_number", "il", "", fuelCall, (*plugin).injectNumber},
		{"inject_field", "iiiiiii", "", fuelField, (*plugin).injectField},
		{"inject_send", "", "", fuelHeavy, (*plugin).injectSend},
		{"inject_raw", "ii", "", fuelHeavy, (*plugin).injectRaw},

		{"payload_add", "ii", "", fuelCall, (*plugin).payloadAdd},
		{"payload_send", "iiii", "", fuelHeavy, (*plugin).payloadSend},

		{"buffer_new", "iii", "i", fuelHeavy, (*plugin).bufferNew},
		{"buffer_header", "iiiiiiii", "", fuelField, (*plugin).bufferHeader},
		{"buffer_add", "ilid", "i", fuelCall, (*plugin).bufferAdd},
		{"buffer_set", "ilid", "i", fuelCall, (*plugin).bufferSet},
		{"buffer_get", "ili", "d", fuelCall, (*plugin).bufferGet},
		{"buffer_annotate", "iliiii", "", fuelField, (*plugin).bufferAnnotate},
		{"buffer_payload", "ii", "", fuelHeavy, (*plugin).bufferPayload},

		{"alert_send", "iiiiiid", "i", fuelHeavy, (*plugin).alertSend},
		{"alert_over", "iiii", "i", fuelHeavy, (*plugin).alertOver},
		{"alert_label", "iiii", "", fuelField, (*plugin).alertLabel},
		{"alert_note", "ii", "", fuelField, (*plugin).alertNote},
		{"alert_throttled", "iid", "i", fuelField, (*plugin).alertThrottled},
		{"alert_threshold", "ii", "d", fuelField, (*plugin).alertThreshold},

		{"anomaly_look", "iiiiili", "i", fuelField, (*plugin).anomalyLook},
		{"anomaly_buffer", "iiiili", "i", fuelField, (*plugin).anomalyBuffer},
		{"anomaly_compare", "iiiiiidi", "", fuelField, (*plugin).anomalyCompare},
		{"anomaly_categories", "iiidi", "", fuelField, (*plugin).anomalyCategories},
		{"anomaly_decompose", "iiiii", "", fuelField, (*plugin).anomalyDecompose},

		{"config_text", "iiii", "i", fuelField, (*plugin).configText},
		{"config_number", "iii", "i", fuelField, (*plugin).configNumber},
		{"print", "ii", "", fuelField, (*plugin).print},
		{"status_text", "ii", "", fuelCall, (*plugin).statusText},
		{"now", "", "l", fuelCall, func(p *plugin, s []uint64) { s[0] = uint64(p.now().UnixNano()) }},
		{"random", "", "l", fuelCall, func(p *plugin, s []uint64) { s[0] = p.rng.Uint64() }},
		{"fuel_left", "", "l", fuelCall, func(p *plugin, s []uint64) { s[0] = p.fuel.Get() }},

		{"geo", "iiiii", "i", fuelHeavy, (*plugin).geo},
		{"schema_validate", "iiiiiiiiii", "i", fuelHeavy, (*plugin).schemaValidate},

		{"lake_heka", "ii", "", fuelHeavy, (*plugin).lakeHeka},
		{"lake_parquet", "iiiiiiii", "", fuelHeavy, (*plugin).lakeParquet},
		{"checkpoint", "l", "", fuelCall, (*plugin).checkpoint},

		{"state_read", "iii", "i", fuelCall, (*plugin).stateRead},
		{"state_write", "ii", "", fuelCall, (*plugin).stateWrite},
	}
}

// bytes is a piece of the plugin's memory, which has been paid for. It may change when the plugin runs.
func (p *plugin) bytes(at, n uint64) []byte {
	b, ok := p.memory.Read(uint32(at), uint32(n))
	if !ok {
		p.fail("a function of the host was given %d bytes at %d; the memory has %d", uint32(n), uint32(at), p.memory.Size())
	}
	p.Spend(int64(len(b)) / 2)
	return b
}

// maxName bounds names of fields, keys, columns and the like.
const maxName = 1024

// name is a short text.
func (p *plugin) name(at, n uint64) string { return strings.Clone(p.borrow(at, n)) }

// borrow is name without a copy: it lies in the plugin's memory and must be forgotten before the plugin goes on.
func (p *plugin) borrow(at, n uint64) string {
	if uint32(n) > maxName {
		p.fail("a name has %d bytes, %d are allowed", uint32(n), maxName)
	}
	b := p.bytes(at, n)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// give copies b into the plugin's memory as far as it has room there, and returns how long b is.
func give[T []byte | string](p *plugin, b T, at, room uint64) uint64 {
	n := min(len(b), int(uint32(room)))
	to := p.bytes(at, uint64(n))
	copy(to, b)
	return uint64(uint32(len(b)))
}

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// ref is the message of a handle, and what a name with its indices names in it.
func (p *plugin) ref(s []uint64, indices int) (*message.View, message.Ref) {
	if int64(uint32(s[0])) >= int64(len(p.msgs)) {
		p.fail("there is no message %d; handles are those that sandbar_process was given, and end with it", int32(s[0]))
	}
	msg := p.msgs[uint32(s[0])]
	field, value := 0, 0
	if indices > 0 {
		field = int(uint32(s[3]))
	}
	if indices > 1 {
		value = int(uint32(s[4]))
	}
	name := p.borrow(s[1], s[2])
	ref, ok := message.ParseRef(name, field, value)
	if !ok {
		p.fail("no message has %q; there are Fields[name], Type, Logger, Hostname, EnvVersion, Payload, Uuid, Timestamp, Severity, Pid, raw, framed, size", name)
	}
	if ref.Part == message.PartField {
		p.Spend(int64(msg.FieldBytes()))
	}
	if p.trace != nil {
		p.trace.Read(msg, &ref)
	}
	return msg, ref
}

// msgText copies the text or bytes that a name says; numbers are none.
func (p *plugin) msgText(s []uint64) {
	m, ref := p.ref(s, 2)
	var b []byte
	ok := true
	if ref.Part == message.PartFramed {
		p.Spend(int64(len(m.Raw())))
		b = message.AppendFrame(nil, m.Raw())
	} else {
		b, ok = m.Text(&ref)
	}
	if !ok {
		s[0] = missing
		return
	}
	s[0] = give(p, b, s[5], s[6])
}

// msgNumber gives an integer, double or boolean as a double. It returns 1 when there is one, and 0.
func (p *plugin) msgNumber(s []uint64) {
	m, ref := p.ref(s, 2)
	x, ok := number(m, &ref)
	if ok && !p.memory.WriteFloat64Le(uint32(s[5]), x) {
		p.bytes(s[5], 8)
	}
	s[0] = flag(ok)
}

func number(m *message.View, ref *message.Ref) (float64, bool) {
	switch ref.Part {
	case message.PartField:
		f, ok := m.Field(ref.Name, ref.Field)
		if !ok {
			return 0, false
		}
		if b, ok := f.Bool(ref.Value); ok && f.Type() == message.Bool {
			return float64(flag(b)), true
		}
		return f.Number(ref.Value)
	case message.PartTimestamp:
		return float64(m.Timestamp()), true
	case message.PartSeverity:
		return float64(m.Severity()), true
	case message.PartPid:
		pid, ok := m.Pid()
		return float64(pid), ok
	case message.PartSize:
		return float64(len(m.Raw())), true
	}
	return 0, false
}

// msgInteger gives an integer exactly.
func (p *plugin) msgInteger(s []uint64) {
	m, ref := p.ref(s, 2)
	n, ok := int64(0), true
	switch ref.Part {
	case message.PartField:
		var f message.Field
		if f, ok = m.Field(ref.Name, ref.Field); ok {
			n, ok = f.Int(ref.Value)
		}
	case message.PartTimestamp:
		n = m.Timestamp()
	default:
		var x float64
		x, ok = number(m, &ref)
		n = int64(x)
	}
	if ok && !p.memory.WriteUint64Le(uint32(s[5]), uint64(n)) {
		p.bytes(s[5], 8)
	}
	s[0] = flag(ok)
}

// msgType is the type of a field as in the message format, or -1.
func (p *plugin) msgType(s []uint64) {
	m, ref := p.ref(s, 1)
	s[0] = missing
	if ref.Part == message.PartField {
		if f, ok := m.Field(ref.Name, ref.Field); ok {
			s[0] = uint64(f.Type())
		}
	}
}

// msgCount is how many values a field has, 0 when it is not there.
func (p *plugin) msgCount(s []uint64) {
	m, ref := p.ref(s, 1)
	s[0] = 0
	if ref.Part == message.PartField {
		if f, ok := m.Field(ref.Name, ref.Field); ok {
			p.Spend(int64(len(f.Encoded())))
			s[0] = uint64(uint32(f.Len()))
		}
	}
}
