package message

import (
	"encoding/binary"
	"math"
)

// Builder makes a message in the order that strict decoders want: uuid, timestamp, type, logger, severity,
// payload, env_version, pid, hostname, fields; and inside a field name, value_type, representation, values.
// The zero Builder is ready; Reset makes it so again and keeps its memory.
type Builder struct {
	uuid      [16]byte
	hasUUID   bool
	timestamp int64
	headers   [Headers][]byte
	has       [Headers]bool
	severity  int32
	hasSev    bool
	pid       int32
	hasPid    bool
	fields    []byte // encoded, with their tags
}

// Reset empties the builder.
func (b *Builder) Reset() {
	headers, fields := b.headers, b.fields[:0]
	*b = Builder{headers: headers, fields: fields}
}

// SetUUID takes 16 bytes; anything else leaves the message without a uuid.
func (b *Builder) SetUUID(u []byte) {
	b.hasUUID = len(u) == len(b.uuid)
	if b.hasUUID {
		copy(b.uuid[:], u)
	}
}

// SetTimestamp in nanoseconds since the epoch.
func (b *Builder) SetTimestamp(ns int64) { b.timestamp = ns }

// SetHeader sets a string header. It panics when there is no such header.
func (b *Builder) SetHeader(h Header, v string) {
	b.headers[h], b.has[h] = append(b.headers[h][:0], v...), true
}

// SetHeaderBytes is SetHeader for bytes.
func (b *Builder) SetHeaderBytes(h Header, v []byte) {
	b.headers[h], b.has[h] = append(b.headers[h][:0], v...), true
}

// SetSeverity sets the syslog severity.
func (b *Builder) SetSeverity(s int32) { b.severity, b.hasSev = s, true }

// SetPid sets the process id.
func (b *Builder) SetPid(p int32) { b.pid, b.hasPid = p, true }

// AddString adds a field of strings.
func (b *Builder) AddString(name, repr string, values ...string) {
	size := 0
	for _, v := range values {
		size += bytesSize(len(v))
	}
	b.beginField(name, String, repr, size)
	for _, v := range values {
		b.fields = appendString(b.fields, tagFirstValue, v)
	}
}

// AddBytes adds a field of byte strings.
func (b *Builder) AddBytes(name, repr string, values ...[]byte) {
	size := 0
	for _, v := range values {
		size += bytesSize(len(v))
	}
	b.beginField(name, Bytes, repr, size)
	for _, v := range values {
		b.fields = append(appendLen(b.fields, tagFirstValue+int(Bytes), len(v)), v...)
	}
}

// AddInt adds a field of integers, packed when there are several.
func (b *Builder) AddInt(name, repr string, values ...int64) {
	packed := 0
	for _, v := range values {
		packed += uvarintSize(uint64(v))
	}
	b.beginNumbers(name, Integer, repr, len(values), packed, wireVarint)
	for _, v := range values {
		b.fields = binary.AppendUvarint(b.fields, uint64(v))
	}
}

// AddDouble adds a field of doubles, packed when there are several.
func (b *Builder) AddDouble(name, repr string, values ...float64) {
	b.beginNumbers(name, Double, repr, len(values), 8*len(values), wireFixed8)
	for _, v := range values {
		b.fields = binary.LittleEndian.AppendUint64(b.fields, math.Float64bits(v))
	}
}

// AddBool adds a field of booleans, packed when there are several.
func (b *Builder) AddBool(name, repr string, values ...bool) {
	b.beginNumbers(name, Bool, repr, len(values), len(values), wireVarint)
	for _, v := range values {
		n := byte(0)
		if v {
			n = 1
		}
		b.fields = append(b.fields, n)
	}
}

// AddField copies a field of a view, byte by byte.
func (b *Builder) AddField(f Field) {
	b.fields = append(appendLen(b.fields, 10, len(f.body)), f.body...)
}

// beginField appends everything of a field but its values, which take size bytes.
func (b *Builder) beginField(name string, t ValueType, repr string, size int) {
	size += bytesSize(len(name))
	if t != String {
		size += 2
	}
	if repr != "" {
		size += bytesSize(len(repr))
	}
	b.fields = appendLen(b.fields, 10, size)
	b.fields = appendString(b.fields, tagName, name)
	if t != String { // the default is left out
		b.fields = append(b.fields, tagValueType<<3|wireVarint, byte(t))
	}
	if repr != "" {
		b.fields = appendString(b.fields, tagRepresentation, repr)
	}
}

func (b *Builder) beginNumbers(name string, t ValueType, repr string, n, packed int, wire byte) {
	tag := tagFirstValue + int(t)
	switch n {
	case 0:
		b.beginField(name, t, repr, 0)
	case 1:
		b.beginField(name, t, repr, 1+packed)
		b.fields = append(b.fields, byte(tag)<<3|wire)
	default:
		b.beginField(name, t, repr, 1+uvarintSize(uint64(packed))+packed)
		b.fields = appendLen(b.fields, tag, packed)
	}
}

// Len is how many bytes AppendTo appends.
func (b *Builder) Len() int {
	n := 1 + uvarintSize(uint64(b.timestamp)) + len(b.fields)
	if b.hasUUID {
		n += 18
	}
	for h, v := range b.headers {
		if b.has[h] {
			n += bytesSize(len(v))
		}
	}
	if b.hasSev {
		n += 1 + uvarintSize(uint64(b.severity))
	}
	if b.hasPid {
		n += 1 + uvarintSize(uint64(b.pid))
	}
	return n
}

// AppendTo appends the encoded message.
func (b *Builder) AppendTo(dst []byte) []byte {
	if b.hasUUID {
		dst = append(appendLen(dst, 1, len(b.uuid)), b.uuid[:]...)
	}
	dst = appendNumber(dst, 2, uint64(b.timestamp))
	dst = b.appendHeader(dst, 3, Type)
	dst = b.appendHeader(dst, 4, Logger)
	if b.hasSev {
		dst = appendNumber(dst, 5, uint64(b.severity))
	}
	dst = b.appendHeader(dst, 6, Payload)
	dst = b.appendHeader(dst, 7, EnvVersion)
	if b.hasPid {
		dst = appendNumber(dst, 8, uint64(b.pid))
	}
	dst = b.appendHeader(dst, 9, Hostname)
	return append(dst, b.fields...)
}

func (b *Builder) appendHeader(dst []byte, tag int, h Header) []byte {
	if !b.has[h] {
		return dst
	}
	return append(appendLen(dst, tag, len(b.headers[h])), b.headers[h]...)
}

func appendNumber(dst []byte, tag int, v uint64) []byte {
	return binary.AppendUvarint(append(dst, byte(tag)<<3|wireVarint), v)
}

func appendLen(dst []byte, tag, n int) []byte {
	return binary.AppendUvarint(append(dst, byte(tag)<<3|wireBytes), uint64(n))
}

func appendString(dst []byte, tag int, s string) []byte {
	return append(appendLen(dst, tag, len(s)), s...)
}

// bytesSize is what a tag, a length and n bytes take.
func bytesSize(n int) int { return 1 + uvarintSize(uint64(n)) + n }

func uvarintSize(v uint64) int {
	n := 1
	for v >= 0x80 {
		v >>= 7
		n++
	}
	return n
}
