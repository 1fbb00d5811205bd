package message

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// The JSON form is for people: the names of Lua tables, the uuid dashed, integers exact. Bytes that are no
// UTF-8 stand as {"base64":"..."}; doubles that JSON lacks as "NaN", "Infinity" and "-Infinity".

// typeNames is indexed by ValueType.
var typeNames = [...]string{"string", "bytes", "integer", "double", "bool"}

func (t ValueType) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// AppendJSON appends the message as one JSON object.
func AppendJSON(dst []byte, v *View) []byte {
	dst, _ = JSON{}.Append(dst, v)
	return dst
}

// JSON bounds what is written of a message. A zero is no bound.
type JSON struct {
	MaxText  int // bytes of a text; of a longer one there is the beginning
	MaxBytes int // of all: fields and values that come after them are left out, but for what has begun
}

// writer appends a message within bounds.
type writer struct {
	JSON
	start int // where the message begins
	cut   bool
}

// full notes that something is left out.
func (w *writer) full(dst []byte) bool {
	if w.MaxBytes == 0 || len(dst)-w.start < w.MaxBytes {
		return false
	}
	w.cut = true
	return true
}

// text appends a text, or its beginning.
func (w *writer) text(dst, b []byte) []byte {
	if w.MaxText > 0 && len(b) > w.MaxText {
		w.cut = true
		whole := utf8.Valid(b)
		b = b[:w.MaxText]
		for whole && !utf8.Valid(b) { // at most three times
			b = b[:len(b)-1]
		}
	}
	return appendText(dst, b)
}

// Append appends the message as one JSON object, and returns whether something was left out.
func (j JSON) Append(dst []byte, v *View) ([]byte, bool) {
	w := &writer{JSON: j, start: len(dst)}
	dst = append(dst, '{')
	if u := v.UUID(); u != nil {
		dst = append(appendText(append(dst, `"Uuid":`...), []byte(FormatUUID(u))), ',')
	}
	dst = strconv.AppendInt(append(dst, `"Timestamp":`...), v.Timestamp(), 10)
	for h := range Header(Headers) {
		if b, ok := v.Header(h); ok {
			dst = append(dst, `,"`...)
			dst = append(dst, h.String()...)
			dst = w.text(append(dst, `":`...), b)
		}
	}
	if v.hasSev {
		dst = strconv.AppendInt(append(dst, `,"Severity":`...), int64(v.severity), 10)
	}
	if v.hasPid {
		dst = strconv.AppendInt(append(dst, `,"Pid":`...), int64(v.pid), 10)
	}
	first := true
	for f := range v.Fields() {
		if w.full(dst) {
			break
		}
		if first {
			dst = append(dst, `,"Fields":[`...)
		} else {
			dst = append(dst, ',')
		}
		dst, first = w.field(dst, f), false
	}
	if !first {
		dst = append(dst, ']')
	}
	return append(dst, '}'), w.cut
}

func (w *writer) field(dst []byte, f Field) []byte {
	dst = w.text(append(dst, `{"name":`...), f.name)
	dst = append(dst, `,"value_type":`...)
	if int(f.valueType) < len(typeNames) {
		dst = strconv.AppendQuote(dst, f.valueType.String())
	} else {
		dst = strconv.AppendUint(dst, uint64(f.valueType), 10)
	}
	if len(f.representation) > 0 {
		dst = w.text(append(dst, `,"representation":`...), f.representation)
	}
	dst = append(dst, `,"value":[`...)
	first := true
	f.each(func(value []byte) bool {
		if w.full(dst) {
			return false
		}
		if !first {
			dst = append(dst, ',')
		}
		dst, first = w.value(dst, f.valueType, value), false
		return true
	})
	return append(dst, "]}"...)
}

func (w *writer) value(dst []byte, t ValueType, value []byte) []byte {
	switch t {
	case Integer:
		n, _ := uvarint(value)
		return strconv.AppendInt(dst, int64(n), 10)
	case Bool:
		n, _ := uvarint(value)
		return strconv.AppendBool(dst, n != 0)
	case Double:
		return appendDouble(dst, math.Float64frombits(binary.LittleEndian.Uint64(value)))
	}
	return w.text(dst, value)
}

func appendDouble(dst []byte, d float64) []byte {
	switch {
	case math.IsNaN(d):
		return append(dst, `"NaN"`...)
	case math.IsInf(d, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(d, -1):
		return append(dst, `"-Infinity"`...)
	}
	return strconv.AppendFloat(dst, d, 'g', -1, 64)
}

// appendText appends bytes as a JSON string, or marked as base64 when they are no UTF-8.
func appendText(dst, b []byte) []byte {
	if !utf8.Valid(b) {
		dst = append(dst, `{"base64":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, b)
		return append(dst, `"}`...)
	}
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, c := range b {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < 0x20 || c == 0x7f:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// text is a JSON string, or bytes marked as base64.
type text []byte

func (t *text) UnmarshalJSON(b []byte) error {
	if b[0] == '{' {
		var m struct {
			Base64 []byte `json:"base64"`
		}
		if err := strictly(b, &m); err != nil {
			return err
		}
		*t = append(text{}, m.Base64...)
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	*t = append(text{}, s...)
	return nil
}

type messageJSON struct {
	UUID       *string `json:"Uuid"`
	Timestamp  int64
	Type       *text
	Logger     *text
	Hostname   *text
	EnvVersion *text
	Payload    *text
	Severity   *int32
	Pid        *int32
	Fields     json.RawMessage
}

type fieldJSON struct {
	Name           text            `json:"name"`
	ValueType      json.RawMessage `json:"value_type"`
	Representation text            `json:"representation"`
	Value          json.RawMessage `json:"value"`
}

func strictly(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return errors.New("more than one value")
	}
	return nil
}

// FromJSON encodes a message of its JSON form. Fields may also be an object of names and values, whose types
// are then guessed: a number without fraction is an integer.
func FromJSON(data []byte) ([]byte, error) {
	var m messageJSON
	if err := strictly(data, &m); err != nil {
		return nil, fmt.Errorf("read a message from JSON: %w", err)
	}
	var b Builder
	if m.UUID != nil {
		u, ok := ParseUUID(*m.UUID)
		if !ok {
			return nil, fmt.Errorf("read a message from JSON: Uuid %q is not of the form 8-4-4-4-12", *m.UUID)
		}
		b.SetUUID(u[:])
	}
	b.SetTimestamp(m.Timestamp)
	for h, t := range [Headers]*text{m.Type, m.Logger, m.Hostname, m.EnvVersion, m.Payload} {
		if t != nil {
			b.SetHeaderBytes(Header(h), *t)
		}
	}
	if m.Severity != nil {
		b.SetSeverity(*m.Severity)
	}
	if m.Pid != nil {
		b.SetPid(*m.Pid)
	}
	if err := b.addFieldsJSON(bytes.TrimSpace(m.Fields)); err != nil {
		return nil, fmt.Errorf("read a message from JSON: %w", err)
	}
	return b.AppendTo(nil), nil
}

func (b *Builder) addFieldsJSON(data json.RawMessage) error {
	if len(data) == 0 || string(data) == "null" {
		return nil
	}
	if data[0] == '{' {
		return b.addObjectJSON(data)
	}
	var fields []fieldJSON
	if err := strictly(data, &fields); err != nil {
		return err
	}
	for _, f := range fields {
		values, err := listJSON(f.Value)
		if err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
		t, err := valueTypeJSON(f.ValueType, values)
		if err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
		if err := b.addValuesJSON(string(f.Name), string(f.Representation), t, values); err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	return nil
}

// addObjectJSON adds the fields of an object in the order they are written.
func (b *Builder) addObjectJSON(data json.RawMessage) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		values, err := listJSON(raw)
		if err != nil {
			return fmt.Errorf("field %v: %w", key, err)
		}
		t, err := valueTypeJSON(nil, values)
		if err != nil {
			return fmt.Errorf("field %v: %w", key, err)
		}
		if err := b.addValuesJSON(key.(string), "", t, values); err != nil {
			return fmt.Errorf("field %v: %w", key, err)
		}
	}
	return nil
}

// listJSON is the values of a list, or the one value that is no list.
func listJSON(raw json.RawMessage) ([]json.RawMessage, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return nil, nil
	}
	if raw[0] != '[' {
		return []json.RawMessage{raw}, nil
	}
	var list []json.RawMessage
	err := json.Unmarshal(raw, &list)
	return list, err
}

// valueTypeJSON reads the name of a type, or guesses it from the first value.
func valueTypeJSON(raw json.RawMessage, values []json.RawMessage) (ValueType, error) {
	if len(raw) > 0 {
		for i, name := range typeNames {
			if string(raw) == `"`+name+`"` {
				return ValueType(i), nil
			}
		}
		return 0, fmt.Errorf("value_type %s is not string, bytes, integer, double or bool", raw)
	}
	if len(values) == 0 {
		return String, nil
	}
	switch first := values[0]; {
	case first[0] == 't' || first[0] == 'f':
		return Bool, nil
	case first[0] == '"':
		return String, nil
	case first[0] == '{':
		return Bytes, nil
	case first[0] == '-' || first[0] >= '0' && first[0] <= '9':
		if bytes.ContainsAny(first, ".eE") {
			return Double, nil
		}
		return Integer, nil
	}
	return 0, fmt.Errorf("value %s is no string, number or boolean", values[0])
}

func (b *Builder) addValuesJSON(name, repr string, t ValueType, values []json.RawMessage) error {
	switch t {
	case String:
		list, err := decodeAll[text](values)
		if err != nil {
			return err
		}
		s := make([]string, len(list))
		for i := range list {
			s[i] = string(list[i])
		}
		b.AddString(name, repr, s...)
	case Bytes:
		list, err := decodeAll[text](values)
		if err != nil {
			return err
		}
		s := make([][]byte, len(list))
		for i := range list {
			s[i] = list[i]
		}
		b.AddBytes(name, repr, s...)
	case Integer:
		list, err := decodeAll[int64](values)
		if err != nil {
			return err
		}
		b.AddInt(name, repr, list...)
	case Double:
		list, err := decodeAll[double](values)
		if err != nil {
			return err
		}
		d := make([]float64, len(list))
		for i := range list {
			d[i] = float64(list[i])
		}
		b.AddDouble(name, repr, d...)
	case Bool:
		list, err := decodeAll[bool](values)
		if err != nil {
			return err
		}
		b.AddBool(name, repr, list...)
	}
	return nil
}

// double is a JSON number or the name of one that JSON lacks.
type double float64

func (d *double) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case `"NaN"`:
		*d = double(math.NaN())
		return nil
	case `"Infinity"`:
		*d = double(math.Inf(1))
		return nil
	case `"-Infinity"`:
		*d = double(math.Inf(-1))
		return nil
	}
	return json.Unmarshal(b, (*float64)(d))
}

func decodeAll[T any](values []json.RawMessage) ([]T, error) {
	out := make([]T, len(values))
	for i, v := range values {
		if string(v) == "null" {
			return nil, errors.New("a value is null")
		}
		if err := json.Unmarshal(v, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}
