package message

import (
	"encoding/binary"
	"math"
)

// ValueType says what the values of a field are.
type ValueType uint8

const (
	String ValueType = iota
	Bytes
	Integer
	Double
	Bool
)

// tags inside a field.
const (
	tagName           = 1
	tagValueType      = 2
	tagRepresentation = 3
	tagFirstValue     = 4 // value_string; the others follow in the order of ValueType
	tagLastValue      = 8
)

// Field is one field of a message, over the message's bytes.
type Field struct {
	body           []byte
	name           []byte
	representation []byte
	valueType      ValueType
	values         int // where the first value's tag is
}

// checkField checks the structure of a field; at is where it lies, for errors.
func checkField(b []byte, at int) error {
	named := false
	for i := 0; i < len(b); {
		tag, n := uvarint(b[i:])
		if n <= 0 {
			return bad(at+i, "field tag")
		}
		i += n
		start := i
		switch tag & 7 {
		case wireBytes:
			size, n := uvarint(b[i:])
			if n <= 0 || size > uint64(len(b)-i-n) {
				return bad(at+i, "length inside a field that runs past its end")
			}
			i += n + int(size)
			if err := checkPacked(tag>>3, b[i-int(size):i], at+start); err != nil {
				return err
			}
			named = named || tag>>3 == tagName
		case wireVarint:
			_, n := uvarint(b[i:])
			if n <= 0 {
				return bad(at+i, "number inside a field that does not end")
			}
			i += n
		case wireFixed8:
			i += 8
		case wireFixed4:
			i += 4
		default:
			return bad(at+i, "wire type that does not exist, inside a field")
		}
		if i > len(b) {
			return bad(at+start, "number cut off inside a field")
		}
		if !fieldWire(tag>>3, tag&7) {
			return bad(at+start, "wire type inside a field that its tag does not have")
		}
	}
	if !named {
		return bad(at, "field without a name")
	}
	return nil
}

// fieldWire says whether a tag inside a field may have a wire type.
func fieldWire(tag, wire uint64) bool {
	switch tag {
	case 0:
		return false
	case tagName, tagRepresentation, tagFirstValue, tagFirstValue + 1:
		return wire == wireBytes
	case tagValueType:
		return wire == wireVarint
	case tagFirstValue + uint64(Integer), tagFirstValue + uint64(Bool):
		return wire == wireVarint || wire == wireBytes
	case tagFirstValue + uint64(Double):
		return wire == wireFixed8 || wire == wireBytes
	}
	return true
}

// checkPacked checks a packed run of numbers.
func checkPacked(tag uint64, run []byte, at int) error {
	switch tag {
	case tagFirstValue + uint64(Double):
		if len(run)%8 != 0 {
			return bad(at, "packed doubles that are not 8 bytes each")
		}
	case tagFirstValue + uint64(Integer), tagFirstValue + uint64(Bool):
		for i := 0; i < len(run); {
			_, n := uvarint(run[i:])
			if n <= 0 {
				return bad(at+i, "packed number that does not end")
			}
			i += n
		}
	}
	return nil
}

// hasName compares a field's name, which comes first in nearly every message.
func hasName(body []byte, name string) bool {
	if len(body) > 1 && body[0] == tagName<<3|wireBytes && body[1] < 0x80 {
		n := int(body[1])
		return n == len(name) && 2+n <= len(body) && string(body[2:2+n]) == name
	}
	f, ok := readField(body)
	return ok && string(f.name) == name
}

// readField finds name, type, representation and the first value. It stops at damage, and reports false when
// there is no name.
func readField(body []byte) (Field, bool) {
	f := Field{body: body, values: len(body)}
	for i := 0; i < len(body); {
		start := i
		var tag uint64
		var value []byte
		if len(body)-i > 1 && body[i]&0x87 == wireBytes && body[i+1] < 0x80 { // most names and texts are that short
			tag = uint64(body[i])
			end := i + 2 + int(body[i+1])
			if end > len(body) {
				break
			}
			value, i = body[i+2:end:end], end
		} else {
			var n int
			if tag, n = uvarint(body[i:]); n <= 0 {
				break
			}
			if value, i = tagValue(body, i+n, tag&7); i < 0 {
				break
			}
		}
		switch {
		case tag == tagName<<3|wireBytes && f.name == nil:
			f.name = value
		case tag == tagRepresentation<<3|wireBytes:
			f.representation = value
		case tag == tagValueType<<3|wireVarint:
			t, _ := uvarint(value)
			f.valueType = ValueType(min(t, 255))
		case tag>>3 >= tagFirstValue && tag>>3 <= tagLastValue && f.values == len(body):
			f.values = start
		}
	}
	return f, f.name != nil
}

// tagValue returns the bytes of the value at i and where the next tag is, -1 when the value is damaged.
func tagValue(b []byte, i int, wire uint64) (value []byte, next int) {
	var end int
	switch wire {
	case wireBytes:
		size, n := uvarint(b[i:])
		if n <= 0 || size > uint64(len(b)-i-n) {
			return nil, -1
		}
		i += n
		end = i + int(size)
	case wireVarint:
		_, n := uvarint(b[i:])
		if n <= 0 {
			return nil, -1
		}
		end = i + n
	case wireFixed8:
		end = i + 8
	case wireFixed4:
		end = i + 4
	default:
		return nil, -1
	}
	if end > len(b) {
		return nil, -1
	}
	return b[i:end:end], end
}

// Name of the field.
func (f Field) Name() []byte { return f.name }

// Type of its values.
func (f Field) Type() ValueType { return f.valueType }

// Representation is free text about the values: a unit or a format.
func (f Field) Representation() []byte { return f.representation }

// Encoded returns the field's bytes, to be copied into another message.
func (f Field) Encoded() []byte { return f.body }

// each walks over the values of the field's own type, encoded, as far as they are undamaged.
func (f Field) each(visit func(value []byte) bool) {
	want := uint64(tagFirstValue) + uint64(f.valueType)
	for i := f.values; i < len(f.body); {
		tag, n := uvarint(f.body[i:])
		if n <= 0 {
			return
		}
		value, next := tagValue(f.body, i+n, tag&7)
		if next < 0 {
			return
		}
		i = next
		if tag>>3 != want {
			continue
		}
		ok := false
		if f.valueType <= Bytes {
			ok = tag&7 == wireBytes && visit(value)
		} else {
			ok = f.eachNumber(value, tag&7, visit)
		}
		if !ok {
			return
		}
	}
}

// eachNumber walks over one number or a packed run of them.
func (f Field) eachNumber(value []byte, wire uint64, visit func([]byte) bool) bool {
	own := uint64(wireVarint)
	if f.valueType == Double {
		own = wireFixed8
	}
	if wire == own {
		return visit(value)
	}
	if wire != wireBytes {
		return false
	}
	for len(value) > 0 {
		one, next := tagValue(value, 0, own)
		if next < 0 || !visit(one) {
			return false
		}
		value = value[next:]
	}
	return true
}

// Len is the number of values.
func (f Field) Len() int {
	n := 0
	f.each(func([]byte) bool { n++; return true })
	return n
}

// value returns the i-th value, encoded.
func (f Field) value(i int) (found []byte, ok bool) {
	if i < 0 {
		return nil, false
	}
	if i == 0 {
		if v, ok := f.first(); ok {
			return v, true
		}
	}
	f.each(func(v []byte) bool {
		if i == 0 {
			found, ok = v, true
		}
		i--
		return i >= 0
	})
	return found, ok
}

// first is value(0) of a field that begins with a value of its own type which is not packed, as most do.
func (f Field) first() ([]byte, bool) {
	own := uint64(wireVarint)
	switch f.valueType {
	case String, Bytes:
		own = wireBytes
	case Double:
		own = wireFixed8
	}
	tag := (uint64(tagFirstValue)+uint64(f.valueType))<<3 | own
	if f.values >= len(f.body) || tag > 0x7f || f.body[f.values] != byte(tag) {
		return nil, false
	}
	v, next := tagValue(f.body, f.values+1, own)
	return v, next >= 0
}

// Bytes returns the i-th value of a String or Bytes field.
func (f Field) Bytes(i int) ([]byte, bool) {
	if f.valueType > Bytes {
		return nil, false
	}
	return f.value(i)
}

// Int returns the i-th value of an Integer field.
func (f Field) Int(i int) (int64, bool) {
	if f.valueType != Integer {
		return 0, false
	}
	v, ok := f.value(i)
	if !ok {
		return 0, false
	}
	x, _ := uvarint(v)
	return int64(x), true
}

// Double returns the i-th value of a Double field.
func (f Field) Double(i int) (float64, bool) {
	if f.valueType != Double {
		return 0, false
	}
	v, ok := f.value(i)
	if !ok {
		return 0, false
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(v)), true
}

// Bool returns the i-th value of a Bool field.
func (f Field) Bool(i int) (value, ok bool) {
	if f.valueType != Bool {
		return false, false
	}
	v, ok := f.value(i)
	if !ok {
		return false, false
	}
	x, _ := uvarint(v)
	return x != 0, true
}

// Number returns the i-th value of an Integer or Double field.
func (f Field) Number(i int) (float64, bool) {
	if n, ok := f.Int(i); ok {
		return float64(n), true
	}
	return f.Double(i)
}
