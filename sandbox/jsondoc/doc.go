// Package jsondoc is a JSON document that is parsed once on the host, for plugins, validation and the lake.
// Size, encoding and depth are checked before the parser sees it.
package jsondoc

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/valyala/fastjson"
)

// Bounds of a document where Limits say nothing.
const (
	MaxBytes = 16 << 20
	MaxDepth = 64
)

// Limits of a document. Zero means MaxBytes and MaxDepth.
type Limits struct {
	Bytes int
	Depth int // levels of objects and arrays; at most 256
}

// ErrTooLarge says that a document, or what comes out of a compressed one, has too many bytes.
var ErrTooLarge = errors.New("too large")

// Doc is one document. It is used by one goroutine at a time, reading too. Of members with one name the first
// counts.
type Doc struct {
	root *fastjson.Value
	size int
}

// Parse checks and parses data, which may be reused afterwards.
func Parse(data []byte, lim Limits) (*Doc, error) {
	if lim.Bytes == 0 {
		lim.Bytes = MaxBytes
	}
	if lim.Depth == 0 {
		lim.Depth = MaxDepth
	}
	if len(data) > lim.Bytes {
		return nil, fmt.Errorf("JSON: %w: %d bytes, %d are allowed", ErrTooLarge, len(data), lim.Bytes)
	}
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("JSON: not UTF-8 at byte %d", firstInvalid(data))
	}
	if at := tooDeep(data, min(lim.Depth, 256)); at >= 0 {
		return nil, fmt.Errorf("JSON: nested more than %d deep at byte %d", lim.Depth, at)
	}
	if err := fastjson.ValidateBytes(data); err != nil {
		return nil, syntax(data, err)
	}
	var p fastjson.Parser
	root, err := p.ParseBytes(data)
	if err != nil {
		return nil, syntax(data, err)
	}
	return &Doc{root: root, size: len(data)}, nil
}

// syntax says where data is no JSON; encoding/json knows the byte, fastjson is the faster one.
func syntax(data []byte, err error) error {
	var fault *json.SyntaxError
	var any json.RawMessage
	if errors.As(json.Unmarshal(data, &any), &fault) {
		return fmt.Errorf("JSON: %s at byte %d", fault.Error(), fault.Offset)
	}
	text := err.Error()
	return fmt.Errorf("JSON: %s", text[:min(len(text), 200)])
}

func firstInvalid(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(data)
}

// tooDeep returns where the nesting passes depth, -1 when it does not.
func tooDeep(data []byte, depth int) int {
	level, inText := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inText:
			if c == '\\' {
				i++
			} else if c == '"' {
				inText = false
			}
		case c == '"':
			inText = true
		case c == '{' || c == '[':
			if level++; level > depth {
				return i
			}
		case c == '}' || c == ']':
			level--
		}
	}
	return -1
}

// Root is the whole document.
func (d *Doc) Root() Value { return Value{d.root} }

// Get finds a part by names of members and 0-based indices.
func (d *Doc) Get(path ...any) (Value, bool) {
	v := d.root
	for _, step := range path {
		switch s := step.(type) {
		case string:
			if v.Type() != fastjson.TypeObject {
				return Value{}, false
			}
			v = v.GetObject().Get(s)
		case int:
			list := v.GetArray()
			if s < 0 || s >= len(list) {
				return Value{}, false
			}
			v = list[s]
		default:
			return Value{}, false
		}
		if v == nil {
			return Value{}, false
		}
	}
	return Value{v}, true
}

// Remove cuts the member at path out and returns its JSON text; false when it is not there.
func (d *Doc) Remove(path ...string) ([]byte, bool) {
	if len(path) == 0 {
		return nil, false
	}
	v := d.root
	for _, name := range path[:len(path)-1] {
		if v == nil || v.Type() != fastjson.TypeObject {
			return nil, false
		}
		v = v.GetObject().Get(name)
	}
	last := path[len(path)-1]
	if v == nil || v.Type() != fastjson.TypeObject {
		return nil, false
	}
	part := v.GetObject().Get(last)
	if part == nil {
		return nil, false
	}
	text := part.MarshalTo(nil)
	v.Del(last)
	return text, true
}

// AppendTo writes the document as JSON. Numbers stay as they were written.
func (d *Doc) AppendTo(dst []byte) []byte { return d.root.MarshalTo(dst) }

// Any is the document as encoding/json's tree, numbers as json.Number.
func (d *Doc) Any() any { return Value{d.root}.Any() }

// Size estimates the bytes that the document holds.
func (d *Doc) Size() int64 { return 4*int64(d.size) + 256 }

// Kind of a value.
type Kind uint8

const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

func (k Kind) String() string {
	return [...]string{Null: "null", Bool: "boolean", Number: "number", String: "string", Array: "array", Object: "object"}[k]
}

// Value is a part of a document. Its accessors give the zero value for one of another kind.
type Value struct{ v *fastjson.Value }

// Kind says what v is.
func (v Value) Kind() Kind {
	switch v.v.Type() {
	case fastjson.TypeTrue, fastjson.TypeFalse:
		return Bool
	case fastjson.TypeNumber:
		return Number
	case fastjson.TypeString:
		return String
	case fastjson.TypeArray:
		return Array
	case fastjson.TypeObject:
		return Object
	}
	return Null
}

// Str is a string's bytes; they must not be changed.
func (v Value) Str() []byte { return v.v.GetStringBytes() }

// Bool is a boolean.
func (v Value) Bool() bool { return v.v.GetBool() }

// Num is a number as the nearest double.
func (v Value) Num() float64 {
	if v.Kind() != Number {
		return 0
	}
	f, _ := strconv.ParseFloat(v.number(), 64)
	return f
}

// number is a number as it was written.
func (v Value) number() string { return string(v.v.MarshalTo(nil)) }

// Int is a number that is a whole one and fits.
func (v Value) Int() (int64, bool) {
	if v.Kind() != Number {
		return 0, false
	}
	text := v.number()
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if n := int64(f); err == nil && f > -1<<53 && f < 1<<53 && float64(n) == f {
		return n, true
	}
	return 0, false
}

// Len is the number of members or elements.
func (v Value) Len() int {
	switch v.Kind() {
	case Array:
		return len(v.v.GetArray())
	case Object:
		return v.v.GetObject().Len()
	}
	return 0
}

// Each visits members with their names, or elements with nil, until visit returns false.
func (v Value) Each(visit func(key []byte, v Value) bool) {
	switch v.Kind() {
	case Array:
		for _, e := range v.v.GetArray() {
			if !visit(nil, Value{e}) {
				return
			}
		}
	case Object:
		going := true
		v.v.GetObject().Visit(func(key []byte, m *fastjson.Value) {
			going = going && visit(key, Value{m})
		})
	}
}

// AppendTo writes v as JSON.
func (v Value) AppendTo(dst []byte) []byte { return v.v.MarshalTo(dst) }

// Any is v as encoding/json's tree, numbers as json.Number.
func (v Value) Any() any {
	switch v.Kind() {
	case Bool:
		return v.Bool()
	case Number:
		return json.Number(v.number())
	case String:
		return string(v.Str())
	case Array:
		out := make([]any, 0, v.Len())
		v.Each(func(_ []byte, e Value) bool {
			out = append(out, e.Any())
			return true
		})
		return out
	case Object:
		out := make(map[string]any, v.Len())
		v.Each(func(key []byte, m Value) bool {
			if _, again := out[string(key)]; !again {
				out[string(key)] = m.Any()
			}
			return true
		})
		return out
	}
	return nil
}
