// Package message is the Heka message: a lazy view over its bytes, a builder, framing and JSON for people.
//
// It knows no other package of ours. Layout and limits are on docs/format/message.md.
package message

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
)

// MaxSize is the default maximum of one message in our own streams. (Hindsight's own default is 64 KiB.)
const MaxSize = 16 << 20

// DefaultSeverity is what a message without one has.
const DefaultSeverity = 7

// Header names the string headers of a message.
type Header uint8

const (
	Type Header = iota
	Logger
	Hostname
	EnvVersion
	Payload
	// Headers is how many there are.
	Headers = 5
)

// headerNames is indexed by Header.
var headerNames = [Headers]string{"Type", "Logger", "Hostname", "EnvVersion", "Payload"}

func (h Header) String() string {
	if h < Headers {
		return headerNames[h]
	}
	return fmt.Sprintf("Header(%d)", uint8(h))
}

// ErrFormat is what every error of Parse wraps.
var ErrFormat = errors.New("message: malformed")

// span is a piece of the message's bytes. The zero span is "absent"; an empty value starts after 0.
type span struct{ start, end uint32 }

// View reads a message without decoding what nobody asks for. The zero View is an empty message.
// After Parse it is read-only: it may be copied, and shared by goroutines. It is valid as long as its bytes.
type View struct {
	raw       []byte
	timestamp int64
	uuid      span
	headers   [Headers]span
	severity  int32
	pid       int32
	hasPid    bool
	hasSev    bool
	hasTime   bool
	count     int32 // of fields
	fields    span  // from the first field's tag to the end of the last field
}

// wire types of protobuf.
const (
	wireVarint = 0
	wireFixed8 = 1
	wireBytes  = 2
	wireFixed4 = 5
)

// Parse finds the headers of b and checks the length of every field; what is inside a field is looked at when
// somebody asks for it. It keeps b. Unknown tags, any order and a missing uuid are accepted. Errors name the
// byte that is wrong.
func (v *View) Parse(b []byte) error {
	*v = View{raw: b}
	if uint64(len(b)) >= 1<<32 {
		return fmt.Errorf("%w: %d bytes are more than a message can have", ErrFormat, len(b))
	}
	for i := 0; i < len(b); {
		start := i
		if len(b)-i > 1 && b[i]&0x87 == wireBytes && b[i+1] < 0x80 && int(b[i+1]) <= len(b)-i-2 { // most fields and headers are that short
			tag := b[i]
			i += 2 + int(b[i+1])
			if tag == fieldsTag {
				v.field(start, i)
			} else if !v.setText(uint64(tag>>3), span{uint32(start + 2), uint32(i)}) {
				return bad(start, "number with the wire type of text")
			}
			continue
		}
		tag, n := uvarint(b[i:])
		if n <= 0 {
			return bad(start, "tag")
		}
		i += n
		if tag&7 != wireBytes {
			next, err := v.parseNumber(tag, i)
			if err != nil {
				return err
			}
			i = next
			continue
		}
		size, n := uvarint(b[i:])
		if n <= 0 || size > uint64(len(b)-i-n) {
			return bad(i, "length that runs past the end")
		}
		i += n
		end := i + int(size)
		if tag == fieldsTag {
			v.field(start, end)
		} else if !v.setText(tag>>3, span{uint32(i), uint32(end)}) {
			return bad(start, "number with the wire type of text")
		}
		i = end
	}
	return nil
}

// Whole says what a message lacks that Hindsight wants of each: a uuid of 16 bytes and a timestamp. Plugins get whole ones.
func (v *View) Whole() error {
	switch {
	case v.UUID() == nil:
		return fmt.Errorf("%w: no uuid of 16 bytes", ErrFormat)
	case !v.hasTime:
		return fmt.Errorf("%w: no timestamp", ErrFormat)
	}
	return nil
}

// Check is Parse's other half: it says whether every field is well-formed inside. Accessors of fields that are
// not find less, never more; Check is for bytes that somebody else will have to read.
func (v *View) Check() error {
	b := v.raw[:v.fields.end]
	for i := int(v.fields.start); i < len(b); {
		body, next, isField := nextField(b, i)
		if isField {
			if err := checkField(body, next-len(body)); err != nil {
				return err
			}
		}
		i = next
	}
	return nil
}

// fieldsTag is the tag of a field with its wire type.
const fieldsTag = 10<<3 | wireBytes

func bad(at int, what string) error { return fmt.Errorf("%w: %s at byte %d", ErrFormat, what, at) }

// field notes that a field lies there.
func (v *View) field(start, end int) {
	if v.fields.end == 0 {
		v.fields.start = uint32(start)
	}
	v.fields.end = uint32(end)
	v.count++
}

// setText notes where a header lies. It reports false for headers that are numbers.
func (v *View) setText(tag uint64, at span) bool {
	switch tag {
	case 0, 2, 5, 8:
		return false
	case 1:
		if at.end-at.start == 16 { // some write none, some write text
			v.uuid = at
		}
	case 3:
		v.headers[Type] = at
	case 4:
		v.headers[Logger] = at
	case 6:
		v.headers[Payload] = at
	case 7:
		v.headers[EnvVersion] = at
	case 9:
		v.headers[Hostname] = at
	}
	return true
}

func (v *View) parseNumber(tag uint64, i int) (int, error) {
	b := v.raw
	switch tag & 7 {
	case wireVarint:
		x, n := uvarint(b[i:])
		if n <= 0 {
			return 0, bad(i, "number that does not end")
		}
		switch tag >> 3 {
		case 2:
			v.timestamp, v.hasTime = int64(x), true
		case 5:
			v.severity, v.hasSev = int32(x), true
		case 8:
			v.pid, v.hasPid = int32(x), true
		}
		return i + n, wrongWire(tag, i)
	case wireFixed8:
		i += 8
	case wireFixed4:
		i += 4
	default:
		return 0, bad(i, "wire type that does not exist")
	}
	if i > len(b) {
		return 0, bad(len(b), "number cut off")
	}
	return i, wrongWire(tag, i)
}

// wrongWire refuses a number where a known tag wants something else.
func wrongWire(tag uint64, i int) error {
	field, wire := tag>>3, tag&7
	number := field == 2 || field == 5 || field == 8
	if field == 0 || field <= 10 && (number && wire != wireVarint || !number) {
		return bad(i, fmt.Sprintf("wire type %d for tag %d", wire, field))
	}
	return nil
}

// uvarint is binary.Uvarint with a quick way for one, two and nine bytes, which times have.
func uvarint(b []byte) (x uint64, n int) {
	if len(b) == 0 || b[0] >= 0x80 {
		return longUvarint(b)
	}
	return uint64(b[0]), 1
}

func longUvarint(b []byte) (uint64, int) {
	const more = 0x8080808080808080
	if len(b) > 1 && b[1] < 0x80 {
		return uint64(b[0]&0x7f) | uint64(b[1])<<7, 2
	}
	if len(b) < 9 || b[8] >= 0x80 {
		return binary.Uvarint(b)
	}
	x := binary.LittleEndian.Uint64(b)
	if x&more != more {
		return binary.Uvarint(b)
	}
	x &^= more // eight times seven bits; they move together by two, four and eight
	x = x&0x007f007f007f007f | x&0x7f007f007f007f00>>1
	x = x&0x00003fff00003fff | x&0x3fff00003fff0000>>2
	x = x&0x000000000fffffff | x&0x0fffffff00000000>>4
	return x | uint64(b[8])<<56, 9
}

// Raw returns the message's bytes.
func (v *View) Raw() []byte { return v.raw }

// Over is v over another place of the same bytes: what Parse(b) would give, without parsing.
func (v *View) Over(b []byte) View {
	moved := *v
	moved.raw = b
	return moved
}

// UUID returns the 16 bytes, or nil when the message has none.
func (v *View) UUID() []byte {
	if v.uuid.end == v.uuid.start {
		return nil
	}
	return v.raw[v.uuid.start:v.uuid.end]
}

// Timestamp in nanoseconds since the epoch, 0 when absent.
func (v *View) Timestamp() int64 { return v.timestamp }

// Header returns a string header, and false when the message has none of that name.
func (v *View) Header(h Header) ([]byte, bool) {
	if h >= Headers || v.headers[h].end == 0 {
		return nil, false
	}
	s := v.headers[h]
	return v.raw[s.start:s.end:s.end], true
}

// Severity returns DefaultSeverity when the message has none.
func (v *View) Severity() int32 {
	if !v.hasSev {
		return DefaultSeverity
	}
	return v.severity
}

// HasSeverity says whether the message has one.
func (v *View) HasSeverity() bool { return v.hasSev }

// Pid returns false when the message has none.
func (v *View) Pid() (int32, bool) { return v.pid, v.hasPid }

// FieldBytes is how many bytes lie between the beginning of the first field and the end of the last: what Field may have to pass.
func (v *View) FieldBytes() int { return int(v.fields.end - v.fields.start) }

// Field finds the field of that name; fi counts fields of one name, from 0.
func (v *View) Field(name string, fi int) (Field, bool) {
	b := v.raw[:v.fields.end]
	for i := int(v.fields.start); i < len(b); {
		// What most fields are: shorter than 128 bytes, and with another name in front.
		if len(b)-i > 3 && b[i] == fieldsTag && b[i+1] < 0x80 && b[i+2] == tagName<<3|wireBytes && b[i+1] > 1 && b[i+3] < 0x80 {
			if n := int(b[i+3]); n != len(name) || n+2 > int(b[i+1]) || string(b[i+4:i+4+n]) != name {
				i += 2 + int(b[i+1])
				continue
			}
		}
		body, next, isField := nextField(b, i)
		i = next
		if !isField || !hasName(body, name) {
			continue
		}
		if fi == 0 {
			return readField(body)
		}
		fi--
	}
	return Field{}, false
}

// Count is how many fields there are, with those that have no name.
func (v *View) Count() int { return int(v.count) }

// Fields yields all fields that have a name, in order.
func (v *View) Fields() iter.Seq[Field] {
	return func(yield func(Field) bool) {
		b := v.raw[:v.fields.end]
		for i := int(v.fields.start); i < len(b); {
			body, next, isField := nextField(b, i)
			i = next
			if !isField {
				continue
			}
			if f, ok := readField(body); ok && !yield(f) {
				return
			}
		}
	}
}

// nextField steps over one top-level tag of bytes that Parse has checked.
func nextField(b []byte, i int) (body []byte, next int, isField bool) {
	tag, n := uvarint(b[i:])
	i += n
	switch tag & 7 {
	case wireBytes:
		size, n := uvarint(b[i:])
		i += n
		return b[i : i+int(size) : i+int(size)], i + int(size), tag == fieldsTag
	case wireVarint:
		_, n := uvarint(b[i:])
		return nil, i + n, false
	case wireFixed8:
		return nil, i + 8, false
	}
	return nil, i + 4, false
}
