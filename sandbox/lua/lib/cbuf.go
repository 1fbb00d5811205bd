package lib

import (
	"math"
	"time"

	"sandbar/sandbox/lua/vm"

	"sandbar/sandbox/cbuf"
)

const circularBuffer = "circular_buffer"

// buffer is a cbuf.Buffer as an object of a plugin.
type buffer struct{ cbuf.Payload }

// Module implements Preserved.
func (b *buffer) Module() string { return circularBuffer }

// FromString implements Preserved.
func (b *buffer) FromString(state string) error { return b.Restore(state) }

func reviveBuffer(state string) (*buffer, error) {
	b, err := cbuf.Revive(state)
	return &buffer{cbuf.Payload{Buffer: b}}, err
}

// buffers binds circular_buffer to a host.
type buffers struct{ h Host }

func openCircularBuffer(L *vm.State, h Host) *vm.Table {
	b := buffers{h}
	bufferMethods(L, h) // images know them from the beginning
	return functions(L, map[string]vm.HostFunc{
		"new":     b.create,
		"version": func(L *vm.State) int { L.PushString("1.0.2"); return 1 },
	})
}

func newBufferObject(L *vm.State, h Host, b *buffer) *vm.Userdata {
	return L.NewUserdata(b, bufferMethods(L, h))
}

func bufferMethods(L *vm.State, h Host) *vm.Table {
	m := buffers{h}
	return methods(L, circularBuffer, map[string]vm.HostFunc{
		"add": m.add, "set": m.set, "get": m.get, "get_delta": m.getDelta, "get_range": m.getRange,
		"get_range_delta": m.getRangeDelta, "get_configuration": m.configuration, "current_time": m.currentTime,
		"set_header": m.setHeader, "get_header": m.getHeader, "annotate": m.annotate, "format": m.format,
		"fromstring": m.fromString,
	})
}

// create is new(rows, columns, seconds per row).
func (m buffers) create(L *vm.State) int {
	rows, cols, sec := L.CheckInt(1), L.CheckInt(2), L.CheckInt(3)
	size, err := cbuf.SizeOf(rows, cols, sec)
	if err != nil {
		L.Throwf("circular_buffer.new() %s", err.Error())
	}
	L.Charge(size)
	L.Spend(32 + size/64)
	b, err := cbuf.New(rows, cols, sec)
	if err != nil {
		L.Throwf("circular_buffer.new() %s", err.Error())
	}
	L.Push(newBufferObject(L, m.h, &buffer{cbuf.Payload{Buffer: b}}).Value())
	return 1
}

// cell is the arguments of a method on one cell: the buffer, its time and column.
func cell(L *vm.State) (*buffer, int64, int) {
	b := self[*buffer](L, circularBuffer)
	ns := L.CheckNumber(2)
	_, cols, _ := b.Configuration()
	c := column(L, 3, cols)
	if ns != ns || ns < 0 || ns >= math.MaxInt64 {
		return b, -1, c
	}
	return b, int64(ns), c
}

func pushCell(L *vm.State, v float64, ok bool) int {
	if ok {
		L.PushFloat(float64(v))
	} else {
		L.Push(vm.Nil)
	}
	return 1
}

// payRows pays for the rows that begin when a cell of that time is written.
func payRows(L *vm.State, b *buffer, ns int64) {
	if n := b.Work(ns); n > 16 {
		L.Spend(n / 16)
	}
}

// rewound begins a buffer anew that a wrong clock has moved far ahead, when a value of the present comes.
func (m buffers) rewound(L *vm.State, b *buffer, ns int64) bool {
	now := m.h.Env().Now()
	if ns < 0 || ns > now.UnixNano()+int64(time.Hour) {
		return false
	}
	rows, cols, _ := b.Configuration()
	if !b.Rewind(now.UnixNano()) {
		return false
	}
	L.Spend(int64(rows) * int64(cols) / 16)
	return true
}

func (m buffers) add(L *vm.State) int {
	b, ns, c := cell(L)
	x := L.CheckNumber(4)
	payRows(L, b, ns)
	v, ok := b.Add(ns, c, x)
	if !ok && m.rewound(L, b, ns) {
		v, ok = b.Add(ns, c, x)
	}
	return pushCell(L, v, ok)
}

func (m buffers) set(L *vm.State) int {
	b, ns, c := cell(L)
	x := L.CheckNumber(4)
	payRows(L, b, ns)
	v, ok, err := b.Set(ns, c, x)
	if err == nil && !ok && m.rewound(L, b, ns) {
		v, ok, err = b.Set(ns, c, x)
	}
	if err != nil {
		L.Throw(err.Error())
	}
	return pushCell(L, v, ok)
}

func (m buffers) get(L *vm.State) int {
	b, ns, c := cell(L)
	v, ok := b.Get(ns, c)
	return pushCell(L, v, ok)
}

func (m buffers) getDelta(L *vm.State) int {
	b, ns, c := cell(L)
	v, ok := b.GetDelta(ns, c)
	return pushCell(L, v, ok)
}

func (m buffers) getRange(L *vm.State) int {
	return m.cells(L, (*cbuf.Buffer).Range)
}

func (m buffers) getRangeDelta(L *vm.State) int {
	return m.cells(L, (*cbuf.Buffer).RangeDelta)
}

// cells is get_range(column [, start [, end]]): an array of a column's values, the end included.
func (m buffers) cells(L *vm.State, read func(b *cbuf.Buffer, c int, start, end int64) ([]float64, error)) int {
	b := self[*buffer](L, circularBuffer)
	rows, cols, _ := b.Configuration()
	c := column(L, 2, cols)
	start, end := int64(L.OptNumber(3, -1)), int64(L.OptNumber(4, -1))
	L.Room(int64(rows) * 32)
	L.Spend(int64(rows) / 2)
	values, err := read(b.Buffer, c, start, end)
	if err != nil {
		L.Throw(err.Error())
	}
	if values == nil {
		L.Push(vm.Nil)
		return 1
	}
	t := L.NewTable(len(values), 0)
	for i, v := range values {
		L.SetInt(t, i+1, vm.Number(v))
	}
	L.Push(t.Value())
	return 1
}

func (m buffers) configuration(L *vm.State) int {
	rows, cols, sec := self[*buffer](L, circularBuffer).Configuration()
	L.PushFloat(float64(rows))
	L.PushFloat(float64(cols))
	L.PushFloat(float64(sec))
	return 3
}

func (m buffers) currentTime(L *vm.State) int {
	L.PushFloat(float64(self[*buffer](L, circularBuffer).CurrentTime()))
	return 1
}

func (m buffers) setHeader(L *vm.State) int {
	b := self[*buffer](L, circularBuffer)
	_, cols, _ := b.Configuration()
	c := column(L, 2, cols)
	if err := b.SetHeader(c, L.CheckString(3), L.OptString(4, "count"), L.OptString(5, "sum")); err != nil {
		L.Throw(err.Error())
	}
	L.PushFloat(float64(c))
	return 1
}

func (m buffers) getHeader(L *vm.State) int {
	b := self[*buffer](L, circularBuffer)
	_, cols, _ := b.Configuration()
	L.Spend(8)
	info := b.Header(column(L, 2, cols))
	L.PushString(string(info.Name))
	L.PushString(string(info.Unit))
	L.PushString(string(info.Aggregation))
	return 3
}

// annotate is annotate(ns, column, "info"|"alert", text [, delta = true]).
func (m buffers) annotate(L *vm.State) int {
	b, ns, c := cell(L)
	text := L.CheckString(5)
	L.Charge(int64(min(len(text), 1024)) + 64)
	L.Spend(16) // there may be many to move
	if err := b.Annotate(ns, c, L.CheckString(4), text, L.OptBool(6, true)); err != nil {
		L.Throw(err.Error())
	}
	return 0
}

func (m buffers) format(L *vm.State) int {
	b := self[*buffer](L, circularBuffer)
	switch f := L.CheckString(2); f {
	case "cbuf", "cbufd":
		b.Delta = f == "cbufd"
	default:
		L.ArgError(2, "invalid option '"+f[:min(len(f), 40)]+"'")
	}
	L.Push(L.Arg(1))
	return 1
}

// fromString is fromstring(state), in Hindsight's form: without the shape.
func (m buffers) fromString(L *vm.State) int {
	b := self[*buffer](L, circularBuffer)
	s := L.CheckString(2)
	L.Spend(int64(len(s)) / 4)
	if err := b.Buffer.FromString(s); err != nil {
		L.Throwf("fromstring() %s", err.Error())
	}
	return 0
}
