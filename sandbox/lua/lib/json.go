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

// Closed says that the document is there no more.
func (d document) Closed() bool { return d.Nodes() == 0 }

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

// documents is the module of one plugin.
type documents struct {
	h       Host
	unzip   jsondoc.Inflater
	arena   jsondoc.Arena
	methods *vm.Table // of documents
	parts   *vm.Table // of what was cut out
	way     []jsondoc.Value
}

func openJSON(L *vm.State, h Host) *vm.Table {
	d := &documents{h: h, way: make([]jsondoc.Value, 0, 8)}
	d.methods = methods(L, jsonDocument, map[string]vm.HostFunc{
		"get": d.get, "string": d.str, "type": d.kind, "size": d.size, "remove": d.remove, "text": d.text, "close": d.close,
	})
	d.parts = methods(L, "json text", nil)
	return functions(L, map[string]vm.HostFunc{"parse": d.parse, "parse_message": d.parseMessage})
}

// parse is parse(text) → document, or nil and why not.
func (m *documents) parse(L *vm.State) int {
	return m.push(L, []byte(L.CheckString(1)))
}

// parseMessage is parse_message("Payload" or "Fields[name]" [, field index [, array index]]) → document; nil and why not; or document, nil and what was
// around it that is no JSON. A gzip body is inflated first, within the bounds of a document.
func (m *documents) parseMessage(L *vm.State) int {
	name := L.CheckString(1)
	L.Spend(int64(len(name)) / 64)
	text, ok := messageText(L, m.h.Message(), name, L.OptInt(2, 0), L.OptInt(3, 0))
	if !ok {
		return fault(L, errors.New("the message has no "+name[:min(len(name), 100)]))
	}
	odd := ""
	if jsondoc.IsGzip(text) {
		var padded bool
		var err error
		L.Spend(int64(len(text)) / 8)
		if text, padded, err = m.unzip.Inflate(m.arena.Buffer(), text, jsondoc.MaxBytes); err != nil {
			return fault(L, fmt.Errorf("ungzip failed: %w", err))
		}
		held := m.arena.Size()
		m.arena.Keep(text)
		L.Aside(m.arena.Size() - held)
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
	L.Spend(50)
	L.Push(vm.Nil)
	L.PushString(string(strings.ToValidUTF8(err.Error(), "?")))
	return 2
}

// push parses text and pushes the document, or nil and why not.
func (m *documents) push(L *vm.State, text []byte) int {
	L.Spend(16 + int64(len(text))/4)
	before := m.arena.Size()
	doc, err := m.arena.Parse(text, jsondoc.Limits{}, func(bytes int64) bool { return L.Fits(bytes - before) })
	L.Aside(m.arena.Size() - before)
	if errors.Is(err, jsondoc.ErrNoRoom) {
		err = fmt.Errorf("%w, more than memory_limit leaves", err)
	}
	if err != nil {
		return fault(L, err)
	}
	L.Charge(doc.Size())
	L.Push(L.NewUserdata(document{doc}, m.methods).Value())
	return 1
}

// opened is the document of a method call.
func opened(L *vm.State) document {
	d := self[document](L, jsonDocument)
	if d.Closed() {
		L.Throwf("the document is closed")
	}
	return d
}

// close is doc:close(): its memory is for the next document.
func (m *documents) close(L *vm.State) int {
	d, before := opened(L), m.arena.Size()
	L.Charge(-d.Size())
	m.arena.Close(d.Doc)
	L.Aside(m.arena.Size() - before)
	return 0
}

// find follows the arguments from the second on, names and array indices from 1. Looking through an object or passing
// elements is paid before it is done.
func find(L *vm.State, d document) (v jsondoc.Value, ok bool) {
	v, _, ok = walk(L, d, nil)
	return v, ok
}

// walk is find, and lists what it went through, if owners is not nil.
func walk(L *vm.State, d document, owners []jsondoc.Value) (v jsondoc.Value, through []jsondoc.Value, ok bool) {
	v = d.Root()
	for i := 2; i <= L.Args(); i++ {
		if owners != nil {
			owners = append(owners, v)
		}
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
			return v, owners, false
		}
	}
	return v, owners, true
}

// get is doc:get(path...) → string, number or boolean; an object or array as JSON text; nil for null and what is
// not there.
func (m *documents) get(L *vm.State) int {
	v, ok := find(L, opened(L))
	if !ok {
		L.Push(vm.Nil)
		return 1
	}
	L.Push(m.value(L, v))
	return 1
}

// str is doc:string(path...) → a string; nil for a value of any other type and what is not there.
func (m *documents) str(L *vm.State) int {
	v, ok := find(L, opened(L))
	if !ok || v.Kind() != jsondoc.String {
		L.Push(vm.Nil)
		return 1
	}
	L.Push(m.value(L, v))
	return 1
}

func (m *documents) value(L *vm.State, v jsondoc.Value) vm.Value {
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
func (m *documents) kind(L *vm.State) int {
	v, ok := find(L, opened(L))
	if !ok {
		L.Push(vm.Nil)
		return 1
	}
	L.PushString(v.Kind().String())
	return 1
}

// size is doc:size(path...) → members of an object or array, nil for anything else.
func (m *documents) size(L *vm.State) int {
	v, ok := find(L, opened(L))
	if !ok || v.Kind() != jsondoc.Object && v.Kind() != jsondoc.Array {
		L.Push(vm.Nil)
		return 1
	}
	L.PushFloat(float64(v.Len()))
	return 1
}

// remove is doc:remove(path...): cuts a part out and returns it as a document, nil when it is not there.
func (m *documents) remove(L *vm.State) int {
	d := opened(L)
	for i := 2; i <= L.Args(); i++ {
		if L.Arg(i).Type() != vm.StringType {
			L.TypeError(i, "string")
		}
	}
	v, owners, ok := walk(L, d, m.way[:0])
	m.way = owners
	if !ok || len(owners) == 0 {
		L.Push(vm.Nil)
		return 1
	}
	room(L, v)
	L.Charge(int64(v.TextLen()))
	name, _ := L.Arg(L.Args()).Str()
	part := v.AppendTo(make([]byte, 0, v.TextLen()))
	jsondoc.Remove(owners, name)
	L.Push(L.NewUserdata(jsonText(part), m.parts).Value())
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
func (m *documents) text(L *vm.State) int {
	d := opened(L)
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
	d := opened(L)
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
	L.SetField(t, "path", L.Str(v.Path))
	L.SetField(t, "keyword", L.Str(v.Keyword))
	L.SetField(t, "message", L.Str(v.Message))
	return t
}
