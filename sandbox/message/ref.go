package message

import (
	"fmt"
	"strings"
)

// Part is a place of a message that plugins name.
type Part uint8

// The headers that are text stand for themselves in Ref.Header.
const (
	PartHeader Part = iota
	PartField
	PartUUID
	PartTimestamp
	PartSeverity
	PartPid
	PartRaw    // the whole message, encoded
	PartFramed // the same with its frame
	PartSize   // bytes of PartRaw
)

// Ref is the name of a value of a message: Type, Uuid, raw, or Fields[name] with an index of the field, among those of that
// name, and one of the value, both from 0.
type Ref struct {
	Part   Part
	Header Header // of a PartHeader
	Name   string // of a PartField
	Field  int
	Value  int
}

// ParseRef reads a name as read_message takes it. Everything between the first "[" and the last "]" is the name of a field;
// the indices come beside it. It reports false for a name that no message has.
func ParseRef(text string, field, value int) (Ref, bool) {
	const open = "Fields["
	if strings.HasPrefix(text, open) && text[len(text)-1] == ']' {
		return Ref{Part: PartField, Name: text[len(open) : len(text)-1], Field: field, Value: value}, true
	}
	for h, name := range headerNames {
		if text == name {
			return Ref{Header: Header(h)}, true
		}
	}
	switch text {
	case "Uuid":
		return Ref{Part: PartUUID}, true
	case "Timestamp":
		return Ref{Part: PartTimestamp}, true
	case "Severity":
		return Ref{Part: PartSeverity}, true
	case "Pid":
		return Ref{Part: PartPid}, true
	case "raw":
		return Ref{Part: PartRaw}, true
	case "framed":
		return Ref{Part: PartFramed}, true
	case "size":
		return Ref{Part: PartSize}, true
	}
	return Ref{}, false
}

// Text returns the header or the text or bytes of the field that r names. They are the message's own, until it changes.
// It reports false when the message has no such thing.
func (v *View) Text(r *Ref) ([]byte, bool) {
	switch r.Part {
	case PartHeader:
		return v.Header(r.Header)
	case PartField:
		if f, ok := v.Field(r.Name, r.Field); ok {
			return f.Bytes(r.Value)
		}
	case PartUUID:
		u := v.UUID()
		return u, u != nil
	case PartRaw:
		return v.raw, true
	}
	return nil, false
}

// String is the name, with the indices behind it when they are not 0.
func (r *Ref) String() string {
	switch r.Part {
	case PartHeader:
		return r.Header.String()
	case PartUUID:
		return "Uuid"
	case PartTimestamp:
		return "Timestamp"
	case PartSeverity:
		return "Severity"
	case PartPid:
		return "Pid"
	case PartRaw:
		return "raw"
	case PartFramed:
		return "framed"
	case PartSize:
		return "size"
	}
	name := "Fields[" + r.Name + "]"
	if r.Field != 0 || r.Value != 0 {
		name += fmt.Sprintf(", %d", r.Field)
	}
	if r.Value != 0 {
		name += fmt.Sprintf(", %d", r.Value)
	}
	return name
}
