package wasm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tetratelabs/wazero"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
	"sandbar/sandbox/wasm/meter"
)

// transformModule is the interface of Redpanda's data transforms: a program whose main function never ends, and asks for one record
// after the other. Here a record is a message: its value a header or field of text, its headers the other fields of text, and what the
// program writes becomes a message. docs/wasm.md says how.
const transformModule = "redpanda_transform"

// Errors that a transform is given.
const (
	errNoBatch = 0xffffffff // -1
	errBuffer  = 0xfffffffe // -2
)

func transformFuncs() []hostFunc {
	nothing := func(*plugin, []uint64) {}
	return []hostFunc{
		{"check_abi_version_1", "", "", fuelCall, nothing},
		{"check_abi_version_2", "", "", fuelCall, nothing},
		{"check_abi_version_3", "", "", fuelCall, nothing},
		{"read_batch_metadata", "iii", "i", fuelCall, func(_ *plugin, s []uint64) { s[0] = 0 }}, // there is none
		{"read_batch_header", "iiiiiiiiii", "i", fuelField, (*plugin).readBatchHeader},
		{"read_next_record", "iiiii", "i", fuelHeavy, (*plugin).readNextRecord},
		{"write_record", "ii", "i", fuelHeavy, func(p *plugin, s []uint64) { p.writeRecord(s, "") }},
		{"write_record_with_options", "iiii", "i", fuelHeavy, (*plugin).writeRecordWithOptions},
	}
}

// isTransform says whether a module is one.
func isTransform(m *meter.Module) bool {
	for _, i := range m.Imports {
		if i.Module == transformModule {
			return true
		}
	}
	return false
}

// transform is a program at work in a goroutine of its own, which waits for records. It keeps no state: when it ends, the next record
// starts it anew.
type transform struct {
	*plugin
	runtime wazero.Runtime
	source  []byte
}

// pull is how a record comes to the goroutine of the program, and how that says that it waits for the next, or has ended.
type pull struct {
	next   chan struct{}
	idle   chan error // nil: it waits
	record []byte     // encoded, until it was read
	ended  bool
}

// errClosed ends a program that waits.
var errClosed = errors.New("the plugin is closed")

// startTransform starts the program and waits until it asks for its first record.
func startTransform(p *plugin, runtime wazero.Runtime, source []byte) (*transform, error) {
	t := &transform{p, runtime, source}
	return t, t.begin()
}

func (t *transform) begin() error {
	if err := t.instance(t.runtime, t.source); err != nil {
		return err
	}
	main := t.module.ExportedFunction("_start")
	if main == nil {
		return errors.New("it imports redpanda_transform and exports no function _start")
	}
	t.pull = &pull{next: make(chan struct{}), idle: make(chan error)}
	t.fuel.Set(uint64(t.limit))
	t.out.Begin(false)
	pull := t.pull
	go func() {
		err := main.CallWithStack(t.ctx, make([]uint64, 2))
		if err == nil {
			err = errors.New("its main function has ended")
		}
		pull.idle <- err
	}()
	if err := <-pull.idle; err != nil {
		pull.ended = true
		var res sandbox.Result
		t.blame(&res, err, int64(t.fuel.Get()))
		return &sandbox.Error{Plugin: t.cfg.Logger(), Outcome: res.Outcome, Text: res.Text, Trace: res.Trace}
	}
	return nil
}

// Process implements sandbox.Plugin: it gives the program one record and waits until it asks for the next.
func (t *transform) Process(m *message.View) sandbox.Result {
	t.sequence++
	if t.pull == nil || t.pull.ended {
		if err := t.again(); err != nil {
			var fault *sandbox.Error
			if errors.As(err, &fault) {
				return sandbox.Result{Outcome: fault.Outcome, Text: fault.Text, Trace: fault.Trace}
			}
			return sandbox.Result{Outcome: sandbox.RuntimeError, Text: err.Error()}
		}
	}
	t.one[0] = m
	t.msgs = t.one[:]
	t.out.Begin(false)
	t.clock, t.building = time.Time{}, false
	t.pull.record = t.encodeRecord(m)
	t.fuel.Set(uint64(t.limit))
	t.pull.next <- struct{}{}
	err := <-t.pull.idle
	t.msgs = nil
	left := int64(t.fuel.Get())
	res := sandbox.Result{Fuel: t.limit - max(left, 0)}
	switch {
	case err != nil:
		t.pull.ended = true
		t.blame(&res, err, left)
	case left < 0:
		res.Outcome, res.Text = sandbox.FuelExhausted, t.fuelText()
	}
	return res
}

// again makes a new instance in place of one that has ended.
func (t *transform) again() error {
	if err := t.module.Close(context.Background()); err != nil {
		return err
	}
	return t.begin()
}

// ProcessBatch implements sandbox.Batcher: a record is a call of its own, up to the first that does not end well.
func (t *transform) ProcessBatch(ms []*message.View) (res sandbox.Result) {
	for _, m := range ms {
		if res = t.Process(m); res.Outcome != sandbox.OK {
			break
		}
	}
	return res
}

// Timer implements sandbox.Plugin; a transform has none.
func (t *transform) Timer(_ int64, shutdown bool) sandbox.Result {
	if shutdown {
		return sandbox.Result{}
	}
	return sandbox.Result{Outcome: sandbox.RuntimeError, Text: "a transform of Redpanda has no timer; take ticker_interval out of the config"}
}

// Snapshot implements sandbox.Plugin: there is no state.
func (t *transform) Snapshot() ([]byte, error) { return nil, nil }

// Restore implements sandbox.Plugin.
func (t *transform) Restore([]byte) error { return nil }

// Close implements sandbox.Plugin. It waits for the program's goroutine.
func (t *transform) Close() error {
	if t.pull != nil && !t.pull.ended {
		t.pull.ended = true
		close(t.pull.next)
		<-t.pull.idle
	}
	return t.plugin.Close()
}

// readBatchHeader waits for the next record, a batch of its own.
func (p *plugin) readBatchHeader(s []uint64) {
	if p.pull == nil {
		s[0] = errNoBatch
		return
	}
	p.pull.idle <- nil
	if _, ok := <-p.pull.next; !ok {
		panic(errClosed)
	}
	ms := p.milliseconds()
	for i, v := range []struct {
		size  int
		value int64
	}{{8, p.sequence}, {4, 1}, {4, 0}, {2, 0}, {4, 0}, {8, ms}, {8, ms}, {8, -1}, {2, -1}, {4, -1}} {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], uint64(v.value))
		copy(p.bytes(s[i], uint64(v.size)), b[:])
	}
	s[0] = uint64(uint32(len(p.pull.record)))
}

func (p *plugin) milliseconds() int64 { return p.msgs[0].Timestamp() / int64(time.Millisecond) }

// readNextRecord copies the record: attributes, timestamp and offset beside it.
func (p *plugin) readNextRecord(s []uint64) {
	switch {
	case p.pull == nil || p.pull.record == nil:
		s[0] = errNoBatch
		return
	case len(p.pull.record) > int(uint32(s[4])):
		s[0] = errBuffer
		return
	}
	p.bytes(s[0], 1)[0] = 0
	binary.LittleEndian.PutUint64(p.bytes(s[1], 8), uint64(p.milliseconds()))
	binary.LittleEndian.PutUint64(p.bytes(s[2], 8), uint64(p.sequence))
	n := copy(p.bytes(s[3], uint64(len(p.pull.record))), p.pull.record)
	p.pull.record = nil
	s[0] = uint64(n)
}

// maxHeaders bounds the headers of a record, in both directions.
const maxHeaders = 256

// encodeRecord is a message as the payload of a Kafka record: key, value and headers, each with its length as a varint.
func (p *plugin) encodeRecord(m *message.View) []byte {
	text := func(key, otherwise string) (string, []byte, bool) {
		name, _ := p.cfg.Keys[key].(string)
		if name == "" {
			name = otherwise
		}
		ref, ok := message.ParseRef(name, 0, 0)
		if !ok {
			return name, nil, false
		}
		b, ok := m.Text(&ref)
		return name, b, ok
	}
	_, key, hasKey := text("transform_key", "")
	valueName, value, hasValue := text("transform_value", "Payload")
	out := appendSized(make([]byte, 0, len(m.Raw())+64), key, hasKey)
	out = appendSized(out, value, hasValue)
	var headers []byte
	n := int64(0)
	for f := range m.Fields() {
		b, ok := f.Bytes(0)
		if ok && n < maxHeaders && "Fields["+string(f.Name())+"]" != valueName {
			headers = appendSized(appendSized(headers, f.Name(), true), b, true)
			n++
		}
	}
	return append(binary.AppendVarint(out, n), headers...)
}

func appendSized(dst, b []byte, there bool) []byte {
	if !there {
		return binary.AppendVarint(dst, -1)
	}
	return append(binary.AppendVarint(dst, int64(len(b))), b...)
}

// sized reads what appendSized wrote; -1 is nil.
func sized(in []byte) (b, rest []byte, ok bool) {
	n, size := binary.Varint(in)
	switch {
	case size <= 0 || n < -1 || n > int64(len(in)-size):
		return nil, nil, false
	case n == -1:
		return nil, in[size:], true
	}
	return in[size : size+int(n)], in[size+int(n):], true
}

// writeRecord makes a message of a record: the value becomes its Payload, the key and the topic fields, headers too.
func (p *plugin) writeRecord(s []uint64, topic string) {
	n := uint32(s[1])
	if int64(n) > p.out.Limit() {
		p.check(&sandbox.Refusal{Outcome: sandbox.OutputExceeded, Text: fmt.Sprintf("output_limit exceeded: a record has %d bytes", n)})
	}
	in := p.bytes(s[0], s[1])
	p.Spend(4 * int64(n))
	key, rest, ok := sized(in)
	value, rest, ok2 := sized(rest)
	count, size := binary.Varint(rest)
	if !ok || !ok2 || size <= 0 || count < 0 || count > maxHeaders {
		s[0] = errBuffer
		return
	}
	rest = rest[size:]
	b, err := p.out.New()
	p.check(err)
	p.check(p.out.Room(int64(n) + int64(len(topic)) + 64))
	kind, _ := p.cfg.Keys["transform_type"].(string)
	if kind == "" {
		kind = "transform"
	}
	b.SetHeader(message.Type, kind)
	b.SetHeaderBytes(message.Payload, value)
	if key != nil {
		addText(b, "key", key)
	}
	if topic != "" {
		b.AddString("topic", "", topic)
	}
	for range count {
		var name, text []byte
		if name, rest, ok = sized(rest); ok {
			text, rest, ok = sized(rest)
		}
		if !ok {
			s[0] = errBuffer
			return
		}
		addText(b, strings.ToValidUTF8(string(name), "\uFFFD"), text)
	}
	p.check(p.out.Send())
	s[0] = uint64(n)
}

func addText(b *message.Builder, name string, text []byte) {
	if utf8.Valid(text) {
		b.AddString(name, "", string(text))
	} else {
		b.AddBytes(name, "", text)
	}
}

// writeRecordWithOptions is writeRecord with options, a key and its value each: 1 is the name of a topic.
func (p *plugin) writeRecordWithOptions(s []uint64) {
	topic := ""
	for opts := []byte(p.name(s[2], s[3])); len(opts) > 0; {
		if opts[0] != 1 {
			s[0] = errBuffer
			return
		}
		name, rest, ok := sized(opts[1:])
		if !ok || !utf8.Valid(name) {
			s[0] = errBuffer
			return
		}
		topic, opts = string(name), rest
	}
	p.writeRecord(s, topic)
}
