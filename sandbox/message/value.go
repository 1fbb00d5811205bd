package message

import (
	"encoding/binary"
	"math"
)

// Value is one value of a field.
type Value struct {
	Type   ValueType // of the field; above Bool there is no such type, and no value
	Text   []byte    // of String and Bytes; the message's own
	Number float64   // of Integer and Double; of Bool 0 or 1
}

// Value returns the ai-th value of the fi-th field of that name, both counted from 0: what Field and its accessors find, in one step for fields as most
// are, which are short and have one value. It reports false when there is no such field, or no such value in it.
func (v *View) Value(name string, fi, ai int) (Value, bool) {
	if fi|ai == 0 {
		return v.first(name)
	}
	f, ok := v.Field(name, fi)
	if !ok {
		return Value{}, false
	}
	return f.Value(ai)
}

// The first four bytes of a field that is shorter than 128 bytes and begins with its name: its tag and length, the tag of the name and its length.
const (
	shortMask  = 0x80ff80ff
	shortField = fieldsTag | (tagName<<3|wireBytes)<<16
)

func (v *View) first(name string) (Value, bool) {
	b := v.raw[:v.fields.end]
	for i := int(v.fields.start); i < len(b); {
		if len(b)-i > 4 {
			if x := binary.LittleEndian.Uint32(b[i:]); x&shortMask == shortField {
				size, n := int(x>>8&0x7f), int(x>>24)
				if n == len(name) && n+2 <= size && string(b[i+4:i+4+n]) == name {
					body := b[i+2 : i+2+size]
					if x, ok := only(body, 2+n); ok {
						return x, true
					}
					return firstOf(body)
				}
				if size > 1 {
					i += 2 + size
					continue
				}
			}
		}
		body, next, isField := nextField(b, i)
		i = next
		if isField && hasName(body, name) {
			return firstOf(body)
		}
	}
	return Value{}, false
}

// only reads what comes after the name in a field that ends with its only value. ok is false for all others.
func only(body []byte, i int) (x Value, ok bool) {
	if len(body)-i > 1 && body[i] == tagValueType<<3|wireVarint {
		if body[i+1] > byte(Bool) {
			return x, false
		}
		x.Type = ValueType(body[i+1])
		i += 2
	}
	if len(body)-i > 1 && body[i] == tagRepresentation<<3|wireBytes && body[i+1] < 0x80 {
		i += 2 + int(body[i+1])
	}
	if len(body)-i < 2 || body[i]>>3 != tagFirstValue+byte(x.Type) {
		return x, false
	}
	own := byte(wireVarint)
	if x.Type == Double {
		own = wireFixed8
	}
	rest := body[i+1:]
	switch wire := body[i] & 7; {
	case wire == wireBytes:
		if rest[0] >= 0x80 || int(rest[0]) != len(rest)-1 {
			return x, false
		}
		rest = rest[1:]
		if x.Type <= Bytes {
			x.Text = rest[:len(rest):len(rest)]
			return x, true
		}
	case x.Type <= Bytes || wire != own:
		return x, false
	}
	if x.Type == Double {
		if len(rest) != 8 {
			return x, false
		}
		x.Number = math.Float64frombits(binary.LittleEndian.Uint64(rest))
		return x, true
	}
	u, n := uvarint(rest)
	if n != len(rest) || n <= 0 {
		return x, false
	}
	if x.Number = float64(int64(u)); x.Type == Bool && u != 0 {
		x.Number = 1
	}
	return x, true
}

// firstOf is the first value of any field.
func firstOf(body []byte) (Value, bool) {
	f, ok := readField(body)
	if !ok {
		return Value{}, false
	}
	return f.Value(0)
}

// Value returns the i-th value, whatever its type is. A field of a type that does not exist has one of that type and nothing in it.
func (f Field) Value(i int) (Value, bool) {
	x, ok := Value{Type: f.valueType}, true
	switch f.valueType {
	case String, Bytes:
		x.Text, ok = f.Bytes(i)
	case Bool:
		var is bool
		if is, ok = f.Bool(i); is {
			x.Number = 1
		}
	case Integer, Double:
		x.Number, ok = f.Number(i)
	}
	return x, ok
}
