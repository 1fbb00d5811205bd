package vm

import "unsafe"

// account is what a program's memory is known to be. left is what may still be allocated before all that can be
// reached is counted again; so what is reachable never exceeds the limit.
type account struct {
	limit int64
	used  int64 // at the last count
	left  int64
	epoch uint32 // of the last count; what has it as its mark was counted
	walks int64
	// extra is what the host keeps for the program beside its values.
	extra int64
}

// Charge counts bytes that are about to be allocated. It does not return when the limit does not leave them.
func (L *State) Charge(bytes int64) {
	if L.memory.left -= bytes; L.memory.left < 0 {
		L.recount(bytes)
	}
}

// Aside counts bytes that the host keeps for the program beside its values from now on; fewer if it is below 0.
func (L *State) Aside(bytes int64) {
	L.memory.extra += bytes
	L.memory.left -= bytes
}

// Fits says whether so many bytes can be allocated, without counting them yet.
func (L *State) Fits(bytes int64) bool {
	if bytes > L.memory.left && bytes <= L.memory.limit {
		L.count()
	}
	return bytes <= L.memory.left
}

// recount counts what is reachable, and ends the call when that and bytes exceed the limit.
func (L *State) recount(bytes int64) {
	if bytes <= L.memory.limit {
		L.count()
		if L.memory.left -= bytes; L.memory.left >= 0 {
			return
		}
	}
	L.memory.left = 0
	L.stop(MemoryLimit, "memory_limit exceeded")
}

// Memory counts the bytes that can be reached. The work is taken from the fuel.
func (L *State) Memory() int64 {
	L.count()
	return L.memory.used
}

// Known is the newest count and all that was allocated since: an upper bound that costs nothing.
func (L *State) Known() int64 { return L.memory.limit - L.memory.left }

// count walks everything reachable, without recursion. On the way it drops references that lie behind numbers and
// in parts of stacks that no frame uses.
func (L *State) count() {
	m := &L.memory
	m.epoch++
	m.walks++
	clear(L.lately[:]) // what nobody else has goes
	if th := L.current; th != nil {
		th.top = max(th.top, min(L.top, len(th.stack))) // what a function of the host has there
	}
	w := walk{epoch: m.epoch, bytes: stateSize + m.extra + int64(len(L.constant))*64}
	for _, k := range L.constant {
		w.value(&k)
	}
	w.table(L.globals)
	w.table(L.loaded)
	w.table(L.strMeta)
	w.function(L.next)
	w.values(L.building)
	for th := L.current; th != nil; th = th.parent {
		w.thread(th)
	}
	w.thread(L.main)
	for len(w.todo) > 0 {
		last := len(w.todo) - 1
		v := w.todo[last]
		w.todo = w.todo[:last]
		w.inside(v)
	}
	m.used = w.bytes
	m.left = m.limit - m.used
	if L.fuel -= w.work / 8; L.fuel < 0 { // the next instruction polls, or ends the call
		L.reserve = max(L.reserve+L.fuel, 0)
		L.fuel = 0
	}
}

type walk struct {
	epoch uint32
	bytes int64
	work  int64
	todo  []Value
}

// value counts a value, and drops what lies behind one that is no reference.
func (w *walk) value(v *Value) {
	switch v.bits >> kindShift {
	case kindString:
		if v.ref == nil || v.strLen() == 0 {
			return
		}
		if t := (*text)(v.ref); t.mark != w.epoch {
			t.mark = w.epoch
			w.bytes += textSize(v.strLen())
			w.work++
		}
	case kindTable:
		w.table((*Table)(v.ref))
	case kindFunction:
		w.function((*Function)(v.ref))
	case kindUserdata:
		if u := (*Userdata)(v.ref); u.mark != w.epoch {
			u.mark = w.epoch
			w.todo = append(w.todo, *v)
		}
	case kindThread:
		w.thread((*Thread)(v.ref))
	default:
		v.ref = nil
	}
}

func (w *walk) values(vs []Value) {
	w.work += int64(len(vs)) / 2
	for i := range vs {
		w.value(&vs[i])
	}
}

func (w *walk) table(t *Table) {
	if t != nil && t.mark != w.epoch {
		t.mark = w.epoch
		w.todo = append(w.todo, t.Value())
	}
}

func (w *walk) function(f *Function) {
	if f != nil && f.mark != w.epoch {
		f.mark = w.epoch
		w.todo = append(w.todo, f.Value())
	}
}

func (w *walk) thread(t *Thread) {
	if t != nil && t.mark != w.epoch {
		t.mark = w.epoch
		w.todo = append(w.todo, t.Value())
	}
}

func (w *walk) inside(v Value) {
	w.work += 4
	switch v.bits {
	case tableBits:
		w.insideTable((*Table)(v.ref))
	case functionBits:
		f := (*Function)(v.ref)
		w.bytes += f.size()
		w.table(f.env)
		for _, u := range f.up {
			w.upvalue(u)
		}
	case userdataBits:
		u := (*Userdata)(v.ref)
		w.bytes += roundSize(userdataSize)
		if o, ok := u.Object.(interface{ Size() int64 }); ok {
			w.bytes += o.Size()
		}
		w.table(u.meta)
		w.table(u.env)
	case threadBits:
		w.insideThread((*Thread)(v.ref))
	}
}

func (w *walk) insideTable(t *Table) {
	w.bytes += t.size()
	w.table(t.meta)
	w.values(t.arr)
	clear(t.arr[len(t.arr):cap(t.arr)])
	w.work += int64(len(t.nodes))
	for i := range t.nodes {
		n := &t.nodes[i]
		if n.val.bits == nilBits {
			n.val.ref = nil
		}
		w.value(&n.key)
		w.value(&n.val)
	}
}

func (w *walk) upvalue(u *upvalue) {
	if u == nil || u.mark == w.epoch {
		return
	}
	u.mark = w.epoch
	w.bytes += roundSize(upvalueSize)
	if u.at == &u.closed {
		w.value(&u.closed)
	}
}

func (w *walk) insideThread(t *Thread) {
	w.bytes += roundSize(threadSize) + roundSize(int64(cap(t.stack))*valueSize) + roundSize(int64(cap(t.frames))*frameSize) + roundSize(int64(cap(t.open))*8)
	end := t.top
	for i := range t.frames {
		f := &t.frames[i]
		w.function(f.fn)
		if f.wait != nil {
			w.bytes += waitingSize
			if f.wait.holds != nil {
				bytes, values := f.wait.holds.Held()
				w.bytes += bytes
				w.values(values)
			}
		}
		end = max(end, f.reg(255)+1)
	}
	end = min(max(end, 256), len(t.stack))
	w.values(t.stack[:end])
	clear(t.stack[end:])
	for _, u := range t.open {
		w.upvalue(u)
	}
	w.table(t.env)
	w.thread(t.parent)
}

// roundSize is what Go allocates for that many bytes.
func roundSize(n int64) int64 {
	switch {
	case n <= 0:
		return 0
	case n <= 24:
		return (n + 7) &^ 7
	case n <= largestClass:
		return int64(sizeClasses[(n+15)/16])
	}
	return (n + pageSize - 1) &^ (pageSize - 1)
}

const (
	largestClass = 32 << 10
	pageSize     = 8 << 10
)

// classes are the sizes of Go's allocator, of runtime/sizeclasses.go.
var classes = [...]uint16{8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352, 384, 416, 448, 480,
	512, 576, 640, 704, 768, 896, 1024, 1152, 1280, 1408, 1536, 1792, 2048, 2304, 2688, 3072, 3200, 3456, 4096, 4864, 5120, 5376, 6144, 6528,
	6784, 6912, 8192, 9472, 9728, 10240, 10880, 12288, 13568, 14336, 16384, 18432, 19072, 20480, 21760, 24576, 27264, 28672, 32768}

// sizeClasses is the class of each multiple of 16 bytes.
var sizeClasses = func() (out [largestClass/16 + 1]uint16) {
	at := 0
	for i := range out {
		for int(classes[at]) < i*16 {
			at++
		}
		out[i] = classes[at]
	}
	return out
}()

// textIn is a string whose bytes lie behind the header already.
func textIn(b []byte) Value {
	if len(b) == textHeader {
		return Value{bits: stringBits}
	}
	return Value{unsafe.Pointer(unsafe.SliceData(b)), stringBits | uint64(len(b)-textHeader)}
}
