package lib

import (
	"errors"
	"fmt"
	"strings"

	"sandbar/sandbox/lua/vm"

	"sandbar/sandbox"
	"sandbar/sandbox/jsondoc"
)

const jsonDocument = "json document"

// document is a JSON document that was parsed on the host.
type document struct{ *jsondoc.Doc }

// PayloadMin implements sandbox.Payload.
func (d document) PayloadMin() int64 {
	if d.Changed() {
		return 0
	}
	return int64(d.Root().TextLen())
}

// AppendPayload implements sandbox.Payload: the document as text.
func (d document) AppendPayload(dst []byte) []byte { return d.AppendTo(dst) }

// Representation is that of a message field that holds it.
func (d document) Representation() string { return "json" }

type documents struct {
	h     Host
	unzip *jsondoc.Inflater
}

func openJSON(L *vm.State, h Host) *vm.Table {
	d := documents{h, new(jsondoc.Inflater)}
	return functions(L, map[string]vm.HostFunc{"parse": d.parse, "parse_message": d.parseMessage})
}

// parse is parse(text) → document, or nil and why not.
func (m documents) parse(L *vm.State) int {
	return m.push(L, []byte(L.CheckString(1)))
}

// parseMessage is parse_message("Payload" or "Fields[name]" [, field index [, array index]]) → document; nil and why not; or document, nil and what was
// around it that is no JSON. A gzip body is inflated first, within the bounds of a document.
func (m documents) parseMessage(L *vm.State) int {
	text, ok := messageText(m.h.Message(), L.CheckString(1), L.OptInt(2, 0), L.OptInt(3, 0))
	if !ok {
		return fault(L, errors.New("the message has no "+L.CheckString(1)))
	}
	odd := ""
	if jsondoc.IsGzip(text) {
		var padded bool
		var err error
		L.Spend(int64(len(text)) / 8)
		if text, padded, err = m.unzip.Inflate(nil, text, jsondoc.MaxBytes); err != nil {
			return fault(L, fmt.Errorf("ungzip failed: %w", err))
		}
		if padded {
			odd = "zeros behind gzip"
		}
	}
	text, mark := jsondoc.WithoutMark(text)
	if mark {
		odd = "byte order mark"
	}
	n := m.push(L, text)
	if n == 1 && odd != "" {
		L.Push(vm.Nil)
		L.PushString(odd)
		return 3
	}
	return n
}

func fault(L *vm.State, err error) int {
	L.Push(vm.Nil)
	L.PushString(string(strings.ToValidUTF8(err.Error(), "?")))
	return 2
}

// push parses text and pushes the document, or nil and why not.
func (m documents) push(L *vm.State, text []byte) int {
	L.Spend(int64(len(text)) / 8)
	looked := jsondoc.Look(text, jsondoc.Limits{})
	if need := looked.Need(); !L.Fits(need) {
		return fault(L, fmt.Errorf("JSON: the document would hold %d bytes, more than memory_limit leaves", need))
	}
	doc, err := looked.Parse()
	if err != nil {
		return fault(L, err)
	}
	L.Charge(doc.Size())
	L.Push(m.wrap(L, doc).Value())
	return 1
}

func (m documents) wrap(L *vm.State, doc *jsondoc.Doc) *vm.Userdata {
	return newObject(L, jsonDocument, map[string]vm.HostFunc{
		"get": m.get, "type": m.kind, "size": m.size, "remove": m.remove, "text": m.text,
	}, document{doc})
}

// find follows the arguments from the second on, names and array indices from 1. Looking through an object or passing
// elements is paid before it is done.
func find(L *vm.State, d document) (v jsondoc.Value, ok bool) {
	v = d.Root()
	for i := 2; i <= L.Args(); i++ {
		if name, isName := L.Arg(i).Str(); isName {
			L.Spend(int64(v.Len()))
			v, ok = v.Member(name)
		} else if f, isNumber := L.Arg(i).Float(); isNumber {
			at := vm.ToInt(f) - 1
			L.Spend(int64(min(max(at, 0), v.Len())) / 4)
			v, ok = v.Element(at)
		} else {
			L.ArgError(i, "a path holds strings and numbers")
		}
		if !ok {
			return v, false
		}
	}
	return v, true
}

// get is doc:get(path...) → string, number or boolean; an object or array as JSON text; nil for null and what is
// not there.
func (m documents) get(L *vm.State) int {
	v, ok := find(L, self[document](L, jsonDocument))
	if !ok {
		L.Push(vm.Nil)
		return 1
	}
	L.Push(m.value(L, v))
	return 1
}

func (m documents) value(L *vm.State, v jsondoc.Value) vm.Value {
	switch v.Kind() {
	case jsondoc.String:
		room(L, v)
		return L.Str(v.Str())
	case jsondoc.Number:
		L.Spend(int64(v.TextLen()) / 16)
		return vm.Number(v.Num())
	case jsondoc.Bool:
		return vm.Bool(v.Bool())
	case jsondoc.Object, jsondoc.Array:
		room(L, v)
		return L.Bytes(v.AppendTo(nil))
	}
	return vm.Nil
}

// room pays for a copy of a part's text, and sees that there is memory for it, before it is made.
func room(L *vm.State, v jsondoc.Value) {
	n := int64(v.TextLen())
	L.Spend(n / 16)
	L.Room(2 * n)
}

// kind is doc:type(path...) → "string", "number", "boolean", "object", "array", "null" or nil.
func (m documents) kind(L *vm.State) int {
	v, ok := find(L, self[document](L, jsonDocument))
	if !ok {
		L.Push(vm.Nil)
		return 1
	}
	L.PushString(v.Kind().String())
	return 1
}

// size is doc:size(path...) → members of an object or array, nil for anything else.
func (m documents) size(L *vm.State) int {
	v, ok := find(L, self[document](L, jsonDocument))
	if !ok || v.Kind() != jsondoc.Object && v.Kind() != jsondoc.Array {
		L.Push(vm.Nil)
		return 1
	}
	L.PushFloat(float64(v.Len()))
	return 1
}

// remove is doc:remove(path...): cuts a part out and returns it as a document, nil when it is not there.
func (m documents) remove(L *vm.State) int {
	d := self[document](L, jsonDocument)
	names := make([]string, 0, 4)
	for i := 2; i <= L.Args(); i++ {
		names = append(names, L.CheckString(i))
	}
	v, ok := find(L, d)
	if !ok || len(names) == 0 {
		L.Push(vm.Nil)
		return 1
	}
	room(L, v)
	L.Charge(int64(v.TextLen()))
	part, _ := d.Remove(names...)
	L.Push(newObject(L, "json text", nil, jsonText(part)).Value())
	return 1
}

// jsonText is a part of a document that only a message field holds any more.
type jsonText []byte

// Size implements Object.
func (t jsonText) Size() int64 { return int64(cap(t)) }

// PayloadMin implements sandbox.Payload.
func (t jsonText) PayloadMin() int64 { return int64(len(t)) }

// AppendPayload implements sandbox.Payload.
func (t jsonText) AppendPayload(dst []byte) []byte { return append(dst, t...) }

// Representation is that of a message field that holds it.
func (t jsonText) Representation() string { return "json" }

// text is doc:text() → the whole document.
func (m documents) text(L *vm.State) int {
	d := self[document](L, jsonDocument)
	room(L, d.Root())
	L.Push(L.Bytes(d.AppendTo(nil)))
	return 1
}

type schemas struct{ h Host }

func openSchema(L *vm.State, h Host) *vm.Table {
	return functions(L, map[string]vm.HostFunc{"validate": schemas{h}.validate})
}

// validate is validate(document, namespace, type, version) → true; false and {path=, keyword=, message=}; or
// nil and a text when there is no such schema.
func (m schemas) validate(L *vm.State) int {
	d := self[document](L, jsonDocument)
	known := m.h.Env().Schemas
	if known == nil {
		L.Throwf("schema.validate(): there are no schemas here")
	}
	v := known.Validate(L.CheckString(2), L.CheckString(3), L.CheckString(4), d.Root(), L.Spend)
	switch {
	case !v.Known:
		return fault(L, errors.New("there is no such schema"))
	case v.Valid:
		L.Push(vm.True)
		return 1
	}
	L.Push(vm.False)
	L.Push(verdict(L, v).Value())
	return 2
}

func verdict(L *vm.State, v sandbox.Verdict) *vm.Table {
	t := L.NewTable(0, 0)
	L.SetField(t, "path", L.Str(string(v.Path)))
	L.SetField(t, "keyword", L.Str(string(v.Keyword)))
	L.SetField(t, "message", L.Str(string(v.Message)))
	return t
}
