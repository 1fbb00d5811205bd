package matcher

import (
	"bytes"
	"sync/atomic"
	"unsafe"

	"sandbar/sandbox/message"
	"sandbar/sandbox/pattern"
)

// on evaluates a test on a message.
func (t *test) on(v *message.View, exhausted *atomic.Int64) bool {
	switch t.source {
	case fromField:
		x, ok := v.Value(t.name, t.fi, t.ai)
		return t.onValue(x, ok, exhausted)
	case fromHeader:
		b, ok := v.Header(t.header)
		return t.onHeader(b, ok, exhausted)
	case fromUUID:
		b := v.UUID()
		return t.onHeader(b, b != nil, exhausted)
	case fromTimestamp:
		return t.onNumber(float64(v.Timestamp()))
	case fromSeverity:
		return t.onNumber(float64(v.Severity()))
	case fromPid:
		pid, ok := v.Pid()
		switch t.op {
		case opIsNil:
			return !ok
		case opNotNil:
			return ok
		}
		return ok && t.onNumber(float64(pid))
	}
	return t.truth // a constant
}

// onHeader: a header that is missing compares like nothing at all, which is less than every text.
func (t *test) onHeader(b []byte, ok bool, exhausted *atomic.Int64) bool {
	switch {
	case t.op == opIsNil:
		return !ok
	case t.op == opNotNil:
		return ok
	case !ok:
		return t.op == opNe || t.op == opLt || t.op == opLe || t.op == opNotMatch
	}
	return t.onText(b, exhausted)
}

// onValue: a value of another type than the literal's makes every test false.
func (t *test) onValue(x message.Value, ok bool, exhausted *atomic.Int64) bool {
	if !ok {
		return t.op == opIsNil
	}
	switch x.Type {
	case message.String, message.Bytes:
		if t.kind == isText {
			return t.onText(x.Text, exhausted)
		}
	case message.Integer, message.Double:
		switch t.kind {
		case isNumber:
			return t.onNumber(x.Number)
		case isBool:
			want := 0.0
			if t.truth {
				want = 1
			}
			return (x.Number == want) == (t.op == opEq)
		}
	case message.Bool:
		if t.kind == isBool {
			return (x.Number != 0 == t.truth) == (t.op == opEq)
		}
	}
	return t.op == opNotNil
}

func (t *test) onNumber(n float64) bool {
	switch t.op {
	case opEq:
		return n == t.number
	case opNe:
		return n != t.number
	case opGe:
		return n >= t.number
	case opGt:
		return n > t.number
	case opLe:
		return n <= t.number
	case opLt:
		return n < t.number
	}
	return false
}

func (t *test) onText(b []byte, exhausted *atomic.Int64) bool {
	switch t.op {
	case opEq:
		return string(b) == t.text
	case opNe:
		return string(b) != t.text
	case opMatch:
		return t.found(b, exhausted, false)
	case opNotMatch:
		return t.found(b, exhausted, true)
	}
	c := compareAsC(b, t.text)
	switch t.op {
	case opLe:
		return c <= 0
	case opLt:
		return c < 0 || c == 0 && len(b) < len(t.text)
	case opGe:
		return c > 0 || c == 0 && len(b) >= len(t.text)
	case opGt:
		return c > 0 || c == 0 && len(b) > len(t.text)
	}
	return false
}

// compareAsC is strncmp over the length of b: it ends at a NUL, and finds equal what is the literal's start.
func compareAsC(b []byte, lit string) int {
	for i, c := range b {
		l := byte(0) // what C has after a string
		if i < len(lit) {
			l = lit[i]
		}
		switch {
		case c < l:
			return -1
		case c > l:
			return 1
		case c == 0:
			return 0
		}
	}
	return 0
}

// found searches for the pattern; running out of steps makes the test false whatever it asks.
func (t *test) found(b []byte, exhausted *atomic.Int64, negate bool) bool {
	if t.plain {
		return bytes.Contains(b, unsafe.Slice(unsafe.StringData(t.text), len(t.text))) != negate
	}
	if t.prefix != "" && (len(b) < len(t.prefix) || string(b[:len(t.prefix)]) != t.prefix) {
		return negate
	}
	var m pattern.Match
	steps := int64(patternSteps)
	ok, err := pattern.Find(unsafe.String(unsafe.SliceData(b), len(b)), t.text, 0, &m, &steps)
	if err != nil {
		exhausted.Add(1)
		return false
	}
	return ok != negate
}

// key says which tests look at the same value.
type key struct {
	source source
	header message.Header
	name   string
	fi, ai int
}

func (t *test) key() key { return key{t.source, t.header, t.name, t.fi, t.ai} }
