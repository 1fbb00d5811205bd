package jsondoc

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"sandbar/sandbox/number"
)

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
type Value struct {
	d *Doc
	i uint32
}

func (v Value) node() *node { return &v.d.nodes[v.i] }

// Kind says what v is.
func (v Value) Kind() Kind { return Kind(v.node().info & kindMask) }

// raw is v as it stands in the text.
func (v Value) raw() string { n := v.node(); return v.d.text[n.start:n.end] }

// TextLen is how many bytes AppendTo writes at most.
func (v Value) TextLen() int { n := v.node(); return int(n.end - n.start) }

// Str is a string's text.
func (v Value) Str() string {
	if v.Kind() != String {
		return ""
	}
	return v.str()
}

// str is Str for what is a string, or a name.
func (v Value) str() string {
	n := v.node()
	s := v.d.text[n.start+1 : n.end-1]
	if n.info&escaped == 0 {
		return s
	}
	return unescape(s)
}

// unescape reads what stands between the quotes of a string that was parsed.
func unescape(s string) string {
	b := make([]byte, 0, len(s))
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			return string(append(b, s...))
		}
		b = append(b, s[:i]...)
		s = s[i:]
		c := s[1]
		if c != 'u' {
			switch c {
			case 'b':
				c = '\b'
			case 'f':
				c = '\f'
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 't':
				c = '\t'
			}
			b = append(b, c)
			s = s[2:]
			continue
		}
		r, _ := hex4(s)
		s = s[6:]
		if utf16.IsSurrogate(r) { // a whole pair: halves were replaced
			second, _ := hex4(s)
			r = utf16.DecodeRune(r, second)
			s = s[6:]
		}
		b = utf8.AppendRune(b, r)
	}
}

// Bool is a boolean.
func (v Value) Bool() bool { return v.Kind() == Bool && v.raw() == "true" }

// Num is a number as the nearest double, an infinity for one that is too large.
func (v Value) Num() float64 {
	if v.Kind() != Number {
		return 0
	}
	f, _ := strconv.ParseFloat(v.raw(), 64)
	return f
}

// Int is a number that is a whole one and fits.
func (v Value) Int() (int64, bool) {
	if v.Kind() != Number {
		return 0, false
	}
	text := v.raw()
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if n := int64(f); err == nil && f > -1<<53 && f < 1<<53 && float64(n) == f {
		return n, true
	}
	return 0, false
}

// Len is the number of members or elements, also of those with equal names.
func (v Value) Len() int { return int(v.node().info >> countShift) }

// Member finds the last member of a name. It looks at all of them.
func (v Value) Member(name string) (found Value, ok bool) {
	if v.Kind() != Object {
		return Value{}, false
	}
	all := v.Members()
	for {
		key, member, more := all.Next()
		if !more {
			return found, ok
		}
		if key.is(name) {
			found, ok = member, true
		}
	}
}

// is says whether v, a string or a name, has this text.
func (v Value) is(s string) bool {
	n := v.node()
	if n.info&escaped == 0 {
		return v.d.text[n.start+1:n.end-1] == s
	}
	return unescape(v.d.text[n.start+1:n.end-1]) == s
}

// removeMembers cuts all members of a name out.
func (v Value) removeMembers(name string) {
	v.members(func(key, _ Value) bool {
		if key.is(name) {
			key.node().info |= removed
			v.node().info -= 1 << countShift
		}
		return true
	})
}

// Element is the i-th element of an array, from 0. It passes those before.
func (v Value) Element(i int) (found Value, ok bool) {
	if v.Kind() != Array || i < 0 || i >= v.Len() {
		return Value{}, false
	}
	at := v.i + 1
	for ; i > 0; i-- {
		at = v.d.nodes[at].next
	}
	return Value{v.d, at}, true
}

// members visits those that are not removed until visit returns false.
func (v Value) members(visit func(key, member Value) bool) {
	for at := v.i + 1; at < v.node().next; {
		key := Value{v.d, at}
		member := Value{v.d, at + 1}
		at = member.node().next
		if key.node().info&removed == 0 && !visit(key, member) {
			return
		}
	}
}

// Each visits members with their names, or elements with "", until visit returns false. A name that several members
// have comes several times; the last counts.
func (v Value) Each(visit func(key string, v Value) bool) {
	switch v.Kind() {
	case Array:
		for at := v.i + 1; at < v.node().next; at = v.d.nodes[at].next {
			if !visit("", Value{v.d, at}) {
				return
			}
		}
	case Object:
		v.members(func(key, member Value) bool { return visit(key.str(), member) })
	}
}

// AppendTo writes v as it came, but for what was removed.
func (v Value) AppendTo(dst []byte) []byte {
	if v.node().info&changed == 0 {
		return append(dst, v.raw()...)
	}
	dst = append(dst, '{') // only members can be removed
	first := true
	v.members(func(key, member Value) bool {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(dst, key.raw()...), ':')
		dst = member.AppendTo(dst)
		return true
	})
	return append(dst, '}')
}

// Any is v as encoding/json's tree, numbers as json.Number and bounded (number.Bound).
func (v Value) Any() any {
	switch v.Kind() {
	case Bool:
		return v.Bool()
	case Number:
		return json.Number(number.Bound(v.raw()))
	case String:
		return v.str()
	case Array:
		out := make([]any, 0, v.Len())
		v.Each(func(_ string, e Value) bool {
			out = append(out, e.Any())
			return true
		})
		return out
	case Object:
		out := make(map[string]any, v.Len())
		v.members(func(key, member Value) bool {
			out[key.str()] = member.Any()
			return true
		})
		return out
	}
	return nil
}
