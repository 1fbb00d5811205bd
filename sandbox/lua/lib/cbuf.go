package lib

import (
	"math"

	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox/cbuf"
)

const circularBuffer = "circular_buffer"

// buffer is a cbuf.Buffer as an object of a plugin.
type buffer struct {
	*cbuf.Buffer
	delta bool // format("cbufd")
}

// Module implements Preserved.
func (b *buffer) Module() string { return circularBuffer }

// AppendPayload implements Payload.
func (b *buffer) AppendPayload(dst []byte) []byte {
	if b.delta {
		return b.AppendCbufd(dst)
	}
	return b.AppendCbuf(dst)
}

// FromString implements Preserved.
func (b *buffer) FromString(state string) error { return b.Restore(state) }

func reviveBuffer(state string) (*buffer, error) {
	b, err := cbuf.Revive(state)
	return &buffer{Buffer: b}, err
}

// buffers binds circular_buffer to a host.
type buffers struct{ h Host }

func openCircularBuffer(L *lua.LState, h Host) *lua.LTable {
	b := buffers{h}
	return functions(L, map[string]lua.LGFunction{
		"new":     b.create,
		"version": func(L *lua.LState) int { L.Push(lua.LString("1.0.2")); return 1 },
	})
}

func newBufferObject(L *lua.LState, h Host, b *buffer) *lua.LUserData {
	m := buffers{h}
	return newObject(L, circularBuffer, map[string]lua.LGFunction{
		"add": m.add, "set": m.set, "get": m.get, "get_delta": m.getDelta, "get_range": m.getRange,
		"get_range_delta": m.getRangeDelta, "get_configuration": m.configuration, "current_time": m.currentTime,
		"set_header": m.setHeader, "get_header": m.getHeader, "annotate": m.annotate, "format": m.format,
		"fromstring": m.fromString,
	}, b)
}

// create is new(rows, columns, seconds per row).
func (m buffers) create(L *lua.LState) int {
	rows, cols, sec := L.CheckInt(1), L.CheckInt(2), L.CheckInt(3)
	size, err := cbuf.SizeOf(rows, cols, sec)
	if err != nil {
		L.RaiseError("circular_buffer.new() %s", err.Error())
	}
	m.h.Reserve(L, size)
	m.h.Spend(L, size/64)
	b, err := cbuf.New(rows, cols, sec)
	if err != nil {
		L.RaiseError("circular_buffer.new() %s", err.Error())
	}
	L.Push(newBufferObject(L, m.h, &buffer{Buffer: b}))
	return 1
}

// cell is the arguments of a method on one cell: the buffer, its time and column.
func cell(L *lua.LState) (*buffer, int64, int) {
	b := self[*buffer](L, circularBuffer)
	ns := float64(L.CheckNumber(2))
	_, cols, _ := b.Configuration()
	c := column(L, 3, cols)
	if ns != ns || ns < 0 || ns >= math.MaxInt64 {
		return b, -1, c
	}
	return b, int64(ns), c
}

func pushCell(L *lua.LState, v float64, ok bool) int {
	if ok {
		L.Push(lua.LNumber(v))
	} else {
		L.Push(lua.LNil)
	}
	return 1
}

func (m buffers) add(L *lua.LState) int {
	b, ns, c := cell(L)
	v, ok := b.Add(ns, c, float64(L.CheckNumber(4)))
	return pushCell(L, v, ok)
}

func (m buffers) set(L *lua.LState) int {
	b, ns, c := cell(L)
	v, ok, err := b.Set(ns, c, float64(L.CheckNumber(4)))
	if err != nil {
		L.RaiseError("%s", err.Error())
	}
	return pushCell(L, v, ok)
}

func (m buffers) get(L *lua.LState) int {
	b, ns, c := cell(L)
	v, ok := b.Get(ns, c)
	return pushCell(L, v, ok)
}

func (m buffers) getDelta(L *lua.LState) int {
	b, ns, c := cell(L)
	v, ok := b.GetDelta(ns, c)
	return pushCell(L, v, ok)
}

func (m buffers) getRange(L *lua.LState) int {
	return m.cells(L, (*cbuf.Buffer).Range)
}

func (m buffers) getRangeDelta(L *lua.LState) int {
	return m.cells(L, (*cbuf.Buffer).RangeDelta)
}

// cells is get_range(column [, start [, end]]): an array of a column's values, the end included.
func (m buffers) cells(L *lua.LState, read func(b *cbuf.Buffer, c int, start, end int64) ([]float64, error)) int {
	b := self[*buffer](L, circularBuffer)
	rows, cols, _ := b.Configuration()
	c := column(L, 2, cols)
	start, end := int64(L.OptNumber(3, -1)), int64(L.OptNumber(4, -1))
	m.h.Reserve(L, int64(rows)*32)
	m.h.Spend(L, int64(rows)/4)
	values, err := read(b.Buffer, c, start, end)
	if err != nil {
		L.RaiseError("%s", err.Error())
	}
	if values == nil {
		L.Push(lua.LNil)
		return 1
	}
	t := L.CreateTable(len(values), 0)
	for i, v := range values {
		t.RawSetInt(i+1, lua.LNumber(v))
	}
	L.Push(t)
	return 1
}

func (m buffers) configuration(L *lua.LState) int {
	rows, cols, sec := self[*buffer](L, circularBuffer).Configuration()
	L.Push(lua.LNumber(rows))
	L.Push(lua.LNumber(cols))
	L.Push(lua.LNumber(sec))
	return 3
}

func (m buffers) currentTime(L *lua.LState) int {
	L.Push(lua.LNumber(self[*buffer](L, circularBuffer).CurrentTime()))
	return 1
}

func (m buffers) setHeader(L *lua.LState) int {
	b := self[*buffer](L, circularBuffer)
	_, cols, _ := b.Configuration()
	c := column(L, 2, cols)
	if err := b.SetHeader(c, L.CheckString(3), L.OptString(4, "count"), L.OptString(5, "sum")); err != nil {
		L.RaiseError("%s", err.Error())
	}
	L.Push(lua.LNumber(c))
	return 1
}

func (m buffers) getHeader(L *lua.LState) int {
	b := self[*buffer](L, circularBuffer)
	_, cols, _ := b.Configuration()
	info := b.Header(column(L, 2, cols))
	L.Push(lua.LString(info.Name))
	L.Push(lua.LString(info.Unit))
	L.Push(lua.LString(info.Aggregation))
	return 3
}

// annotate is annotate(ns, column, "info"|"alert", text [, delta = true]).
func (m buffers) annotate(L *lua.LState) int {
	b, ns, c := cell(L)
	text := L.CheckString(5)
	m.h.Reserve(L, int64(len(text))+64)
	if err := b.Annotate(ns, c, L.CheckString(4), text, L.OptBool(6, true)); err != nil {
		L.RaiseError("%s", err.Error())
	}
	return 0
}

func (m buffers) format(L *lua.LState) int {
	b := self[*buffer](L, circularBuffer)
	switch f := L.CheckString(2); f {
	case "cbuf", "cbufd":
		b.delta = f == "cbufd"
	default:
		L.ArgError(2, "invalid option '"+f+"'")
	}
	L.Push(L.Get(1))
	return 1
}

// fromString is fromstring(state), in Hindsight's form: without the shape.
func (m buffers) fromString(L *lua.LState) int {
	b := self[*buffer](L, circularBuffer)
	s := L.CheckString(2)
	m.h.Spend(L, int64(len(s))/8)
	if err := b.Buffer.FromString(s); err != nil {
		L.RaiseError("fromstring() %s", err.Error())
	}
	return 0
}
