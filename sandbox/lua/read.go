package lua

import (
	"unsafe"

	"sandbar/sandbox/lua/vm"
	"sandbar/sandbox/message"
)

// Message implements lib.Host.
func (p *plugin) Message() *message.View { return p.msg }

// readMessage is read_message(name [, field index [, array index [, zero copy]]]).
// Zero copy is accepted and gives the string itself.
func (p *plugin) readMessage(L *vm.State) int {
	n := L.Args()
	if n < 1 || n > 4 {
		L.Throwf("read_message() incorrect number of arguments")
	}
	name := L.CheckString(1)
	L.Spend(int64(len(name)) / 64)
	fi, ai := 0, 0
	if n > 1 {
		fi, ai = L.OptInt(2, 0), L.OptInt(3, 0)
		if fi < 0 {
			L.ArgError(2, "field index must be >= 0")
		}
		if ai < 0 {
			L.ArgError(3, "array index must be >= 0")
		}
	}
	ref, ok := message.ParseRef(name, fi, ai)
	if !ok {
		L.Throwf("read_message() field: '%s' not supported/recognized", name)
	}
	if p.msg == nil {
		L.Push(vm.Nil)
	} else {
		if p.trace != nil {
			p.trace.Read(p.msg, &ref)
		}
		L.Push(p.read(L, &ref))
	}
	return 1
}

// read is what ref names, nil when the message has no such thing.
func (p *plugin) read(L *vm.State, ref *message.Ref) vm.Value {
	m := p.msg
	switch ref.Part {
	case message.PartField:
		if n := m.Count(); n > 16 { // it looks at one after the other
			L.Spend(int64(n) / 4)
		}
		if x, ok := m.Value(ref.Name, ref.Field, ref.Value); ok {
			return p.fieldValue(L, x)
		}
	case message.PartHeader, message.PartRaw:
		if b, ok := m.Text(ref); ok {
			return p.text(L, b)
		}
	case message.PartUUID:
		if u := m.UUID(); u != nil {
			return L.Bytes(u)
		}
	case message.PartTimestamp:
		return vm.Number(float64(m.Timestamp()))
	case message.PartSeverity:
		return vm.Number(float64(m.Severity()))
	case message.PartPid:
		if pid, ok := m.Pid(); ok {
			return vm.Number(float64(pid))
		}
	case message.PartFramed:
		L.Room(int64(message.FrameSize(len(m.Raw()))))
		return p.text(L, message.AppendFrame(nil, m.Raw()))
	case message.PartSize:
		return vm.Int(len(m.Raw()))
	}
	return vm.Nil
}

func (p *plugin) fieldValue(L *vm.State, x message.Value) vm.Value {
	switch x.Type {
	case message.String, message.Bytes:
		return p.text(L, x.Text)
	case message.Bool:
		return vm.Bool(x.Number != 0)
	case message.Integer, message.Double:
		return vm.Number(x.Number)
	}
	return vm.Nil
}

// text is b as a value of the plugin.
func (p *plugin) text(L *vm.State, b []byte) vm.Value {
	L.Spend(int64(len(b)) / 64)
	return L.Short(unsafe.String(unsafe.SliceData(b), len(b)))
}

// decodeMessage is decode_message(bytes): the message as a table whose Fields are an array.
func (p *plugin) decodeMessage(L *vm.State) int {
	text := L.CheckString(1)
	L.Spend(20 + int64(len(text))/2) // fields become tables
	L.Room(int64(len(text)))
	var v message.View
	err := v.Parse(unsafe.Slice(unsafe.StringData(text), len(text))) // which does not change it
	if err == nil {
		err = v.Check()
	}
	if err != nil {
		L.Throwf("decode_message() failed: %s", err.Error())
	}
	t := L.NewTable(0, 0)
	L.Hold(t.Value())
	defer L.Release()
	if u := v.UUID(); u != nil {
		L.SetField(t, "Uuid", L.Bytes(u))
	}
	L.SetField(t, "Timestamp", vm.Number(float64(v.Timestamp())))
	for h := range message.Header(message.Headers) {
		if b, ok := v.Header(h); ok {
			L.SetField(t, h.String(), L.Bytes(b))
		}
	}
	if v.HasSeverity() {
		L.SetField(t, "Severity", vm.Number(float64(v.Severity())))
	}
	if pid, ok := v.Pid(); ok {
		L.SetField(t, "Pid", vm.Number(float64(pid)))
	}
	fields := L.NewTable(0, 0)
	L.SetField(t, "Fields", fields.Value())
	for f := range v.Fields() {
		L.SetInt(fields, fields.Len()+1, p.fieldTable(L, f).Value())
	}
	if fields.Len() == 0 {
		L.SetField(t, "Fields", vm.Nil)
	}
	L.Push(t.Value())
	return 1
}

func (p *plugin) fieldTable(L *vm.State, f message.Field) *vm.Table {
	n := f.Len()
	t, values := L.NewTable(0, 0), L.NewTable(n, 0)
	L.Hold(t.Value())
	defer L.Release()
	L.SetField(t, "value", values.Value())
	L.SetField(t, "name", L.Str(string(f.Name())))
	if f.Type() != message.String {
		L.SetField(t, "value_type", vm.Number(float64(f.Type())))
	}
	if r := f.Representation(); len(r) > 0 {
		L.SetField(t, "representation", L.Str(string(r)))
	}
	for i := range n {
		if x, ok := f.Value(i); ok {
			L.SetInt(values, i+1, p.fieldValue(L, x))
		}
	}
	return t
}
