package lua

import (
	"strings"

	"github.com/cespare/xxhash/v2"
	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox/message"
)

// Message implements lib.Host.
func (p *plugin) Message() *message.View { return p.msg }

// readMessage is read_message(name [, field index [, array index [, zero copy]]]).
// Zero copy is accepted and gives the string itself.
func (p *plugin) readMessage(L *lua.LState) int {
	n := L.GetTop()
	if n < 1 || n > 4 {
		L.RaiseError("read_message() incorrect number of arguments")
	}
	name := firstText(L)
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
	if field, ok := fieldName(name); ok {
		if p.msg == nil {
			L.Push(lua.LNil)
			return 1
		}
		f, ok := p.msg.Field(field, fi)
		if !ok {
			L.Push(lua.LNil)
			return 1
		}
		L.Push(p.fieldValue(L, f, ai))
		return 1
	}
	L.Push(p.header(L, name))
	return 1
}

// firstText is L.CheckString(1), faster for a string.
func firstText(L *lua.LState) string {
	if s, ok := L.Get(1).(lua.LString); ok {
		return string(s)
	}
	return L.CheckString(1)
}

// fieldName takes NAME out of Fields[NAME].
func fieldName(s string) (string, bool) {
	if strings.HasPrefix(s, "Fields[") && s[len(s)-1] == ']' {
		return s[len("Fields[") : len(s)-1], true
	}
	return "", false
}

func (p *plugin) fieldValue(L *lua.LState, f message.Field, ai int) lua.LValue {
	switch f.Type() {
	case message.String, message.Bytes:
		if b, ok := f.Bytes(ai); ok {
			return p.text(L, b)
		}
	case message.Bool:
		if b, ok := f.Bool(ai); ok {
			return lua.LBool(b)
		}
	default:
		if x, ok := f.Number(ai); ok {
			return lua.LNumber(x)
		}
	}
	return lua.LNil
}

// text is b as a value of the plugin.
func (p *plugin) text(L *lua.LState, b []byte) lua.LValue {
	if len(b) < longString {
		return p.texts.value(b)
	}
	p.Reserve(L, sizeString+int64(len(b)))
	p.Spend(L, int64(len(b))/64)
	return lua.LString(b)
}

// texts remembers short strings that were read lately: fields like a document type have few values, and a
// string that is known need not be allocated.
type texts [256]lua.LValue

func (t *texts) value(b []byte) lua.LValue {
	at := &t[xxhash.Sum64(b)%uint64(len(t))]
	if s, ok := (*at).(lua.LString); ok && string(s) == string(b) {
		return *at
	}
	*at = lua.LString(b)
	return *at
}

func (p *plugin) header(L *lua.LState, name string) lua.LValue {
	m := p.msg
	if h, ok := headerOf(name); ok {
		if m == nil {
			return lua.LNil
		}
		if b, ok := m.Header(h); ok {
			return p.text(L, b)
		}
		return lua.LNil
	}
	switch name {
	case "Uuid", "Timestamp", "Severity", "Pid", "raw", "framed", "size":
	default:
		L.RaiseError("read_message() field: '%s' not supported/recognized", name)
	}
	if m == nil {
		return lua.LNil
	}
	switch name {
	case "Uuid":
		if u := m.UUID(); u != nil {
			return lua.LString(u)
		}
	case "Timestamp":
		return lua.LNumber(m.Timestamp())
	case "Severity":
		return lua.LNumber(m.Severity())
	case "Pid":
		if pid, ok := m.Pid(); ok {
			return lua.LNumber(pid)
		}
	case "raw":
		return p.text(L, m.Raw())
	case "framed":
		p.Reserve(L, int64(message.FrameSize(len(m.Raw()))))
		return p.text(L, message.AppendFrame(nil, m.Raw()))
	case "size":
		return lua.LNumber(len(m.Raw()))
	}
	return lua.LNil
}

func headerOf(name string) (message.Header, bool) {
	switch name {
	case "Type":
		return message.Type, true
	case "Logger":
		return message.Logger, true
	case "Hostname":
		return message.Hostname, true
	case "EnvVersion":
		return message.EnvVersion, true
	case "Payload":
		return message.Payload, true
	}
	return 0, false
}

// decodeMessage is decode_message(bytes): the message as a table whose Fields are an array.
func (p *plugin) decodeMessage(L *lua.LState) int {
	raw := []byte(L.CheckString(1))
	var v message.View
	err := v.Parse(raw)
	if err == nil {
		err = v.Check()
	}
	if err != nil {
		L.RaiseError("decode_message() failed: %s", err.Error())
	}
	p.Spend(L, int64(len(raw))/16)
	p.Reserve(L, sizeTable+sizeHash+2*int64(len(raw)))
	t := L.NewTable()
	if u := v.UUID(); u != nil {
		t.RawSetString("Uuid", lua.LString(u))
	}
	t.RawSetString("Timestamp", lua.LNumber(v.Timestamp()))
	for h := range message.Header(message.Headers) {
		if b, ok := v.Header(h); ok {
			t.RawSetString(h.String(), lua.LString(b))
		}
	}
	if v.HasSeverity() {
		t.RawSetString("Severity", lua.LNumber(v.Severity()))
	}
	if pid, ok := v.Pid(); ok {
		t.RawSetString("Pid", lua.LNumber(pid))
	}
	fields := L.NewTable()
	for f := range v.Fields() {
		fields.Append(p.fieldTable(L, f))
	}
	if fields.Len() > 0 {
		t.RawSetString("Fields", fields)
	}
	L.Push(t)
	return 1
}

func (p *plugin) fieldTable(L *lua.LState, f message.Field) *lua.LTable {
	n := f.Len()
	p.Reserve(L, 2*sizeTable+sizeHash+int64(max(n, 32))*sizeArray)
	t, values := L.NewTable(), L.CreateTable(n, 0)
	t.RawSetString("name", lua.LString(f.Name()))
	if f.Type() != message.String {
		t.RawSetString("value_type", lua.LNumber(f.Type()))
	}
	if r := f.Representation(); len(r) > 0 {
		t.RawSetString("representation", lua.LString(r))
	}
	for i := range n {
		values.Append(p.fieldValue(L, f, i))
	}
	t.RawSetString("value", values)
	return t
}
