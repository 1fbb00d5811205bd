package lib

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"sandbar/sandbox/lua/vm"

	"sandbar/sandbox"
	"sandbar/sandbox/number"
)

// A table whose largest index is above sparseSafe, and above sparseRatio times its elements, is no array.
const (
	sparseSafe  = 10
	sparseRatio = 2
)

const (
	maxText    = 256 << 20 // bytes of what is encoded
	numberSize = 32        // the most bytes of a number
)

// encode is encode(value).
func (m *cjson) encode(L *vm.State) int {
	onlyArgument(L)
	e := encoding{L: L, h: m.h, out: m.scratch[:0], limit: m.h.Outbox().Limit()}
	m.scratch = nil
	e.value(L.Arg(1), 0)
	e.room(0)
	if cap(e.out) <= 64<<10 {
		m.scratch = e.out
	}
	L.Spend(1 + e.work)
	L.Push(L.Bytes(e.out))
	return 1
}

// encoding is one call of encode.
type encoding struct {
	L        *vm.State
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
		e.L.Room(more)
		e.reserved += more
		e.L.Spend(e.work + more/64)
		e.work = 0
	}
}

func (e *encoding) fail(v vm.Value, why string) {
	e.L.Throwf("Cannot serialise %s: %s", v.Type(), why)
}

func (e *encoding) value(v vm.Value, depth int) {
	e.work += 2
	switch v.Type() {
	case vm.StringType:
		s, _ := v.Str()
		e.text(s)
	case vm.NumberType:
		e.number(v)
	case vm.BoolType:
		e.raw(strconv.FormatBool(v.True()))
	case vm.NilType:
		e.raw("null")
	case vm.TableType:
		e.table(v.Table(), depth+1)
	case vm.UserdataType:
		if v.Userdata().Object != nil { // only cjson.null has none
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

func (e *encoding) number(v vm.Value) {
	f, _ := v.Float()
	if f-f != 0 {
		e.fail(v, "must not be NaN or Inf")
	}
	e.room(numberSize)
	e.out = number.AppendG(e.out, f, 14)
}

func (e *encoding) text(s string) {
	e.work += int64(len(s)) / 32
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
		e.work++
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

func (e *encoding) table(t *vm.Table, depth int) {
	if depth > maxJSONDepth {
		e.L.Throwf("Cannot serialise, excessive depth (%d)", depth)
	}
	if n := e.arrayLength(t); n > 0 {
		e.array(t, n, depth)
		return
	}
	e.raw("{")
	empty := true
	for k, v, _ := t.Next(e.L, vm.Nil); !k.IsNil(); k, v, _ = t.Next(e.L, k) {
		if !empty {
			e.raw(",")
		}
		empty = false
		e.work += 2
		if s, ok := k.Str(); ok {
			e.text(s)
		} else if k.Type() == vm.NumberType {
			e.raw(`"`)
			e.number(k)
			e.raw(`"`)
		} else {
			e.fail(t.Value(), "table key must be a number or string")
		}
		e.raw(":")
		e.value(v, depth)
	}
	e.raw("}")
}

func (e *encoding) array(t *vm.Table, n, depth int) {
	e.raw("[")
	for i := 1; i <= n; i++ {
		if i > 1 {
			e.raw(",")
		}
		e.value(t.GetInt(i), depth)
	}
	e.raw("]")
}

// arrayLength is the largest index of an array, 0 for an empty table and -1 for what is no array.
func (e *encoding) arrayLength(t *vm.Table) int {
	slots, keys := t.Shape()
	largest, items := 0, 0
	k := vm.Nil
	if keys == 0 && slots > 0 {
		largest = slots
		for i := 1; i <= slots; i++ {
			if !t.GetInt(i).IsNil() {
				items++
			}
		}
		e.work += int64(slots) / 16
	} else {
		for k, _, _ = t.Next(e.L, k); !k.IsNil(); k, _, _ = t.Next(e.L, k) {
			n, ok := k.Float()
			if !ok || n < 1 || n != math.Floor(n) || n > vm.MaxInt {
				return -1
			}
			items, largest = items+1, max(largest, int(n))
			e.work++
		}
	}
	if largest > sparseSafe && largest > items*sparseRatio {
		e.fail(t.Value(), "excessively sparse array")
	}
	return largest
}
