package sandbox

import (
	"strconv"
	"strings"

	"sandbar/sandbox/message"
)

// Tracer is a Plugin that notes what it does while it has a trace. Calls cost the same fuel, and far more time.
type Tracer interface {
	Trace(t *Trace) // nil ends it
}

// Trace is what calls did.
type Trace struct {
	Reads []Read
	Lines map[int]int64 // fuel by line of the source; nil where the engine knows no lines
}

// Read is a value of a message that a plugin has asked for.
type Read struct {
	Name  string `json:"name"`  // as read_message takes it, with the indices behind
	Type  string `json:"type"`  // of the value: text, number, bool; "" when the message has none
	Value string `json:"value"` // or its beginning
	Count int64  `json:"count"` // how often it was asked for
}

// Bounds of a trace.
const (
	maxReads     = 200
	maxReadValue = 256 // bytes
)

// Read notes that what ref names was asked for.
func (t *Trace) Read(m *message.View, ref *message.Ref) {
	name := ref.String()
	for i := range t.Reads {
		if t.Reads[i].Name == name {
			t.Reads[i].Count++
			return
		}
	}
	if len(t.Reads) == maxReads {
		return
	}
	r := Read{Name: name, Count: 1}
	r.Type, r.Value = valueOf(m, ref)
	t.Reads = append(t.Reads, r)
}

// Line notes fuel.
func (t *Trace) Line(line int, fuel int64) {
	if t.Lines == nil {
		t.Lines = map[int]int64{}
	}
	t.Lines[line] += fuel
}

// valueOf is a value for people.
func valueOf(m *message.View, ref *message.Ref) (typ, value string) {
	number := func(n int64) (string, string) { return "number", strconv.FormatInt(n, 10) }
	switch ref.Part {
	case message.PartTimestamp:
		return number(m.Timestamp())
	case message.PartSeverity:
		return number(int64(m.Severity()))
	case message.PartPid:
		if pid, ok := m.Pid(); ok {
			return number(int64(pid))
		}
		return "", ""
	case message.PartSize:
		return number(int64(len(m.Raw())))
	case message.PartRaw, message.PartFramed:
		return "text", strconv.Itoa(len(m.Raw())) + " bytes, encoded"
	case message.PartUUID:
		if u := m.UUID(); u != nil {
			return "text", message.FormatUUID(u)
		}
		return "", ""
	}
	if b, ok := m.Text(ref); ok {
		if len(b) > maxReadValue {
			return "text", strings.ToValidUTF8(string(b[:maxReadValue]), "\uFFFD") + "…"
		}
		return "text", strings.ToValidUTF8(string(b), "\uFFFD")
	}
	f, ok := m.Field(ref.Name, ref.Field)
	if !ok {
		return "", ""
	}
	if b, ok := f.Bool(ref.Value); ok {
		return "bool", strconv.FormatBool(b)
	}
	if n, ok := f.Number(ref.Value); ok {
		return "number", strconv.FormatFloat(n, 'g', -1, 64)
	}
	return "", ""
}
