package lib

import (
	"fmt"
	"math"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox"
	"sandbar/sandbox/number"
)

// A table whose largest index is above sparseSafe, and above sparseRatio times its elements, is no array.
const (
	sparseSafe  = 10
	sparseRatio = 2
)

// encode is encode(value).
func (m *cjson) encode(L *lua.LState) int {
	m.onlyArgument(L, "encode")
	e := encoding{L: L, h: m.h, out: m.scratch[:0], limit: m.h.OutputLimit()}
	m.scratch = nil
	e.value(L.Get(1), 0)
	e.room(0)
	if cap(e.out) <= 64<<10 {
		m.scratch = e.out
	}
	m.h.Spend(L, 1+e.work)
	L.Push(lua.LString(e.out))
	return 1
}

// encoding is one call of encode.
type encoding struct {
	L        *lua.LState
	h        Host
	out      []byte
	limit    int64
	reserved int64
	work     int64
}

// room makes sure that n more bytes are within the limits.
func (e *encoding) room(n int) {
	need := int64(len(e.out) + n)
	if need > e.limit {
		e.h.Fail(e.L, sandbox.OutputExceeded, fmt.Sprintf("output_limit exceeded: cjson.encode() makes more than %d bytes", e.limit))
	}
	if need > e.reserved {
		more := max(need-e.reserved, min(e.reserved, maxText), 256)
		e.h.Reserve(e.L, more)
		e.reserved += more
		e.h.Spend(e.L, e.work+more/64)
		e.work = 0
	}
}

func (e *encoding) fail(v lua.LValue, why string) {
	e.L.RaiseError("Cannot serialise %s: %s", v.Type(), why)
}

func (e *encoding) value(v lua.LValue, depth int) {
	e.work++
	switch v := v.(type) {
	case lua.LString:
		e.text(string(v))
	case lua.LNumber:
		e.number(v)
	case lua.LBool:
		e.raw(v.String())
	case *lua.LNilType:
		e.raw("null")
	case *lua.LTable:
		e.table(v, depth+1)
	case *lua.LUserData:
		if v.Value != nil { // only cjson.null has none
			e.fail(v, "type not supported")
		}
		e.raw("null")
	default:
		e.fail(v, "type not supported")
	}
}

func (e *encoding) raw(s string) {
	e.room(len(s))
	e.out = append(e.out, s...)
}

func (e *encoding) number(v lua.LNumber) {
	if v-v != 0 {
		e.fail(v, "must not be NaN or Inf")
	}
	e.room(numberSize)
	e.out = number.AppendG(e.out, float64(v), 14)
}

func (e *encoding) text(s string) {
	e.room(len(s) + 2)
	e.out = append(e.out, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c != '/' && c != 0x7f {
			continue
		}
		e.out = append(e.out, s[from:i]...)
		from = i + 1
		e.escaped(c)
		e.room(len(s) - i + 1)
	}
	e.out = append(append(e.out, s[from:]...), '"')
}

// escaped appends what stands for c in a string.
func (e *encoding) escaped(c byte) {
	const hex = "0123456789abcdef"
	if at := strings.IndexByte("\"\\/\b\t\n\f\r", c); at >= 0 {
		e.out = append(e.out, '\\', `"\/btnfr`[at])
		return
	}
	e.out = append(e.out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

func (e *encoding) table(t *lua.LTable, depth int) {
	if depth > maxJSONDepth {
		e.L.RaiseError("Cannot serialise, excessive depth (%d)", depth)
	}
	if n := e.arrayLength(t); n > 0 {
		e.array(t, n, depth)
		return
	}
	e.raw("{")
	empty := true
	for k, v := next(e.L, e.h, t, lua.LNil); k != lua.LNil; k, v = next(e.L, e.h, t, k) {
		if !empty {
			e.raw(",")
		}
		empty = false
		switch k := k.(type) {
		case lua.LString:
			e.text(string(k))
		case lua.LNumber:
			e.raw(`"`)
			e.number(k)
			e.raw(`"`)
		default:
			e.fail(t, "table key must be a number or string")
		}
		e.raw(":")
		e.value(v, depth)
	}
	e.raw("}")
}

func (e *encoding) array(t *lua.LTable, n, depth int) {
	e.raw("[")
	for i := 1; i <= n; i++ {
		if i > 1 {
			e.raw(",")
		}
		e.value(getIndex(t, i), depth)
	}
	e.raw("]")
}

// arrayLength is the largest index of an array, 0 for an empty table and -1 for what is no array.
func (e *encoding) arrayLength(t *lua.LTable) int {
	largest := length(e.L, e.h, t)
	slots, items := largest, 0
	if ShapeOf(t).Live > 0 {
		k := lua.LNil
		if slots > 0 {
			k = lua.LNumber(slots)
		}
		for k, _ = next(e.L, e.h, t, k); k != lua.LNil; k, _ = next(e.L, e.h, t, k) {
			n, ok := k.(lua.LNumber)
			if !ok || n < 1 || float64(n) != math.Floor(float64(n)) || n > maxInt {
				return -1
			}
			items, largest = items+1, max(largest, int(n))
			e.work++
		}
	}
	if largest <= sparseSafe {
		return largest
	}
	e.work += int64(slots) / 16
	for i := 1; i <= slots; i++ {
		if t.RawGetInt(i) != lua.LNil {
			items++
		}
	}
	if largest > items*sparseRatio {
		e.fail(t, "excessively sparse array")
	}
	return largest
}
