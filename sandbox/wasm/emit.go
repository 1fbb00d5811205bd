package wasm

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// Headers by number, as inject_header and inject_number take them: those of the message package first.
const (
	headerUUID = message.Headers + iota
	headerTimestamp
	headerSeverity
	headerPid
)

// injectNew begins a message; one that was begun and not sent is forgotten.
func (p *plugin) injectNew([]uint64) {
	_, err := p.out.New()
	p.check(err)
	p.building = true
}

func (p *plugin) begun() *message.Builder {
	if !p.building {
		p.fail("inject_new comes before what is put into a message")
	}
	return p.out.Message()
}

// injectHeader sets a header of text.
func (p *plugin) injectHeader(s []uint64) {
	b := p.begun()
	p.check(p.out.Room(int64(uint32(s[2]))))
	text := string(p.bytes(s[1], s[2]))
	switch h := uint32(s[0]); {
	case h == uint32(message.Type) || h == uint32(message.Payload) || h == uint32(message.EnvVersion):
		b.SetHeader(message.Header(h), text)
	case h < message.Headers:
		p.out.SetHeader(message.Header(h), text)
	case h == headerUUID:
		p.out.SetUUID(text)
	default:
		p.fail("there is no header of text with the number %d", h)
	}
}

// injectNumber sets a header that is a number.
func (p *plugin) injectNumber(s []uint64) {
	b := p.begun()
	n := int64(s[1])
	switch uint32(s[0]) {
	case headerTimestamp:
		p.out.SetTimestamp(n)
	case headerSeverity:
		b.SetSeverity(int32(n))
	case headerPid:
		p.out.SetPid(int32(n))
	default:
		p.fail("there is no header with the number %d that is a number", uint32(s[0]))
	}
}

// injectField adds a field: name, representation, type, and values in an array: pairs of address and length for strings and
// bytes, 64 bits for integers and doubles, a byte for booleans.
func (p *plugin) injectField(s []uint64) {
	b := p.begun()
	name, repr := p.name(s[0], s[1]), p.name(s[2], s[3])
	n := int(uint32(s[6]))
	p.check(p.out.Room(int64(len(name) + len(repr))))
	switch t := message.ValueType(uint32(s[4])); t {
	case message.String, message.Bytes:
		p.textField(b, name, repr, t, p.array(s[5], n, 8), n)
	case message.Integer:
		p.check(p.out.Room(int64(n)))
		b.AddInt(name, repr, words(p.array(s[5], n, 8), func(w uint64) int64 { return int64(w) })...)
	case message.Double:
		p.check(p.out.Room(8 * int64(n)))
		b.AddDouble(name, repr, words(p.array(s[5], n, 8), math.Float64frombits)...)
	case message.Bool:
		p.check(p.out.Room(int64(n)))
		values := make([]bool, n)
		for i, v := range p.array(s[5], n, 1) {
			values[i] = v != 0
		}
		b.AddBool(name, repr, values...)
	default:
		p.fail("there is no type %d of a field", uint32(s[4]))
	}
}

// array is n elements of so many bytes.
func (p *plugin) array(at uint64, n, size int) []byte {
	if int64(n)*int64(size) > int64(p.memory.Size()) {
		p.fail("a field was given %d values at %d; the memory has %d bytes", n, uint32(at), p.memory.Size())
	}
	p.Spend(4 * int64(n))
	return p.bytes(at, uint64(n*size))
}

func words[T any](b []byte, of func(uint64) T) []T {
	out := make([]T, len(b)/8)
	for i := range out {
		out[i] = of(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return out
}

func (p *plugin) textField(b *message.Builder, name, repr string, t message.ValueType, pairs []byte, n int) {
	values := make([][]byte, 0, min(n, 1000))
	total := int64(0)
	for i := range n {
		at, size := binary.LittleEndian.Uint32(pairs[8*i:]), binary.LittleEndian.Uint32(pairs[8*i+4:])
		total += int64(size) + 2
		if total > p.out.Limit() {
			p.check(p.out.Room(total))
		}
		values = append(values, p.bytes(uint64(at), uint64(size)))
	}
	p.check(p.out.Room(total))
	if t == message.Bytes {
		b.AddBytes(name, repr, values...)
		return
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	b.AddString(name, repr, texts...)
}

func (p *plugin) injectSend([]uint64) {
	p.begun()
	p.building = false
	p.check(p.out.Send())
}

// injectRaw sends an encoded message; headers that are the host's are set anew.
func (p *plugin) injectRaw(s []uint64) {
	b, err := p.out.New()
	p.check(err)
	p.building = false
	p.check(p.out.Room(int64(uint32(s[1]))))
	raw := p.bytes(s[0], s[1])
	p.Spend(4 * int64(len(raw)))
	var v message.View
	if err = v.Parse(raw); err == nil {
		err = v.Check()
	}
	if err != nil {
		p.fail("inject_raw: %w", err)
	}
	for h := range message.Header(message.Headers) {
		if text, ok := v.Header(h); ok {
			p.out.SetHeader(h, string(text))
		}
	}
	if v.HasSeverity() {
		b.SetSeverity(v.Severity())
	}
	p.out.SetUUID(string(v.UUID()))
	if v.Timestamp() != 0 {
		p.out.SetTimestamp(v.Timestamp())
	}
	if pid, ok := v.Pid(); ok {
		p.out.SetPid(pid)
	}
	for f := range v.Fields() {
		b.AddField(f)
	}
	p.check(p.out.Send())
}

func (p *plugin) payloadAdd(s []uint64) { p.check(p.out.Append(p.bytes(s[0], s[1]))) }

func (p *plugin) payloadSend(s []uint64) {
	kind, name := p.name(s[0], s[1]), p.name(s[2], s[3])
	p.building = false
	p.check(p.out.SendPayload(kind, &name))
}

func (p *plugin) print(s []uint64) {
	p.check(p.out.LineRoom(int(uint32(s[1]))))
	p.printLine(p.bytes(s[0], s[1]))
}

func (p *plugin) printLine(line []byte) {
	p.printed = bounded(string(line[:min(len(line), 200)]))
	p.check(p.out.Print(line))
}

// statusText says why sandbar_process will not return 0.
func (p *plugin) statusText(s []uint64) {
	n := min(uint32(s[1]), sandbox.MaxText)
	text := p.bytes(s[0], uint64(n))
	if !utf8.Valid(text) {
		p.text = bounded(string(text))
		return
	}
	p.text = string(text)
}
