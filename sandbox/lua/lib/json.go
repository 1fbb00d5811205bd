package lib

import (
	"errors"
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox"
	"sandbar/sandbox/jsondoc"
)

const jsonDocument = "json document"

// document is a JSON document that was parsed on the host.
type document struct{ *jsondoc.Doc }

// AppendPayload implements Payload: the document as text.
func (d document) AppendPayload(dst []byte) []byte { return d.AppendTo(dst) }

// Representation is that of a message field that holds it.
func (d document) Representation() string { return "json" }

type documents struct{ h Host }

func openJSON(L *lua.LState, h Host) *lua.LTable {
	d := documents{h}
	return functions(L, map[string]lua.LGFunction{"parse": d.parse, "parse_message": d.parseMessage})
}

// parse is parse(text) → document, or nil and why not.
func (m documents) parse(L *lua.LState) int {
	return m.push(L, []byte(L.CheckString(1)))
}

// parseMessage is parse_message("Payload" or "Fields[name]" [, field index [, array index]]); a gzip body is
// inflated first, within the bounds of a document.
func (m documents) parseMessage(L *lua.LState) int {
	text, ok := messageBytes(m.h.Message(), L.CheckString(1), L.OptInt(2, 0), L.OptInt(3, 0))
	if !ok {
		return fault(L, errors.New("the message has no "+L.CheckString(1)))
	}
	if jsondoc.IsGzip(text) {
		var err error
		m.h.Spend(L, int64(len(text))/8)
		if text, err = jsondoc.Inflate(nil, text, jsondoc.MaxBytes); err != nil {
			return fault(L, fmt.Errorf("ungzip failed: %w", err))
		}
	}
	return m.push(L, text)
}

func fault(L *lua.LState, err error) int {
	L.Push(lua.LNil)
	L.Push(lua.LString(strings.ToValidUTF8(err.Error(), "?")))
	return 2
}

// push parses text and pushes the document, or nil and why not.
func (m documents) push(L *lua.LState, text []byte) int {
	m.h.Spend(L, int64(len(text))/16)
	m.h.Reserve(L, 4*int64(len(text)))
	doc, err := jsondoc.Parse(text, jsondoc.Limits{})
	if err != nil {
		return fault(L, err)
	}
	L.Push(m.wrap(L, doc))
	return 1
}

func (m documents) wrap(L *lua.LState, doc *jsondoc.Doc) *lua.LUserData {
	return newObject(L, jsonDocument, map[string]lua.LGFunction{
		"get": m.get, "type": m.kind, "size": m.size, "remove": m.remove, "text": m.text,
	}, document{doc})
}

// path is the arguments from i on: names, and array indices from 1.
func path(L *lua.LState, i int) []any {
	var p []any
	for ; i <= L.GetTop(); i++ {
		switch v := L.Get(i).(type) {
		case lua.LString:
			p = append(p, string(v))
		case lua.LNumber:
			p = append(p, int(v)-1)
		default:
			L.ArgError(i, "a path holds strings and numbers")
		}
	}
	return p
}

// get is doc:get(path...) → string, number or boolean; an object or array as JSON text; nil for null and what is
// not there.
func (m documents) get(L *lua.LState) int {
	d := self[document](L, jsonDocument)
	v, ok := d.Get(path(L, 2)...)
	if !ok {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(m.value(L, v))
	return 1
}

func (m documents) value(L *lua.LState, v jsondoc.Value) lua.LValue {
	switch v.Kind() {
	case jsondoc.String:
		s := v.Str()
		m.h.Reserve(L, int64(len(s)))
		return lua.LString(s)
	case jsondoc.Number:
		return lua.LNumber(v.Num())
	case jsondoc.Bool:
		return lua.LBool(v.Bool())
	case jsondoc.Object, jsondoc.Array:
		text := v.AppendTo(nil)
		m.h.Reserve(L, int64(len(text)))
		m.h.Spend(L, int64(len(text))/32)
		return lua.LString(text)
	}
	return lua.LNil
}

// kind is doc:type(path...) → "string", "number", "boolean", "object", "array", "null" or nil.
func (m documents) kind(L *lua.LState) int {
	v, ok := self[document](L, jsonDocument).Get(path(L, 2)...)
	if !ok {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LString(v.Kind().String()))
	return 1
}

// size is doc:size(path...) → members of an object or array, nil for anything else.
func (m documents) size(L *lua.LState) int {
	v, ok := self[document](L, jsonDocument).Get(path(L, 2)...)
	if !ok || v.Kind() != jsondoc.Object && v.Kind() != jsondoc.Array {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LNumber(v.Len()))
	return 1
}

// remove is doc:remove(path...): cuts a part out and returns it as a document, nil when it is not there.
func (m documents) remove(L *lua.LState) int {
	d := self[document](L, jsonDocument)
	var names []string
	for i := 2; i <= L.GetTop(); i++ {
		names = append(names, L.CheckString(i))
	}
	part, ok := d.Remove(names...)
	if !ok {
		L.Push(lua.LNil)
		return 1
	}
	m.h.Reserve(L, int64(len(part)))
	m.h.Spend(L, int64(len(part))/32)
	L.Push(newObject(L, "json text", nil, jsonText(part)))
	return 1
}

// jsonText is a part of a document that only a message field holds any more.
type jsonText []byte

// Size implements Object.
func (t jsonText) Size() int64 { return int64(len(t)) }

// AppendPayload implements Payload.
func (t jsonText) AppendPayload(dst []byte) []byte { return append(dst, t...) }

// Representation is that of a message field that holds it.
func (t jsonText) Representation() string { return "json" }

// text is doc:text() → the whole document.
func (m documents) text(L *lua.LState) int {
	text := self[document](L, jsonDocument).AppendTo(nil)
	m.h.Reserve(L, int64(len(text)))
	m.h.Spend(L, int64(len(text))/32)
	L.Push(lua.LString(text))
	return 1
}

type schemas struct{ h Host }

func openSchema(L *lua.LState, h Host) *lua.LTable {
	return functions(L, map[string]lua.LGFunction{"validate": schemas{h}.validate})
}

// validate is validate(document, namespace, type, version) → true; false and {path=, keyword=, message=}; or
// nil and a text when there is no such schema.
func (m schemas) validate(L *lua.LState) int {
	d := self[document](L, jsonDocument)
	known := m.h.Env().Schemas
	if known == nil {
		L.RaiseError("schema.validate(): there are no schemas here")
	}
	m.h.Spend(L, d.Size()/4)
	v := known.Validate(L.CheckString(2), L.CheckString(3), L.CheckString(4), d.Any())
	switch {
	case !v.Known:
		return fault(L, errors.New("there is no such schema"))
	case v.Valid:
		L.Push(lua.LTrue)
		return 1
	}
	L.Push(lua.LFalse)
	L.Push(verdict(L, v))
	return 2
}

func verdict(L *lua.LState, v sandbox.Verdict) *lua.LTable {
	t := L.NewTable()
	t.RawSetString("path", lua.LString(v.Path))
	t.RawSetString("keyword", lua.LString(v.Keyword))
	t.RawSetString("message", lua.LString(v.Message))
	return t
}
