package vm

import (
	"math"
	"unsafe"
)

// What execute does outside of its loop: operations that may call, allocate or fail.

func (L *State) prepareFor(r *[256]Value, a uint8) {
	for j, what := range [3]string{"initial value", "limit", "step"} {
		v := &r[a+uint8(j)]
		f, ok := L.number(*v)
		if !ok {
			L.Throw("'for' " + what + " must be a number")
		}
		v.bits = math.Float64bits(f) + numberBase
	}
}

func (L *State) setList(th *Thread, at, n, block int) {
	t := (*Table)(th.stack[at].ref)
	if n == 0 {
		n = th.top - at - 1
	}
	L.spend(int64(n) / 4)
	t.fill(L, (block-1)*fieldsPerFlush, th.stack[at+1:at+1+n])
}

const fieldsPerFlush = 50

const (
	functionSize = int64(unsafe.Sizeof(Function{}))
	hostSize     = 16 // what a function of the host closes over, mostly what it is a method of
	closureSize  = int64(unsafe.Sizeof(closure{}))
	userdataSize = int64(unsafe.Sizeof(Userdata{}))
	upvalueSize  = int64(unsafe.Sizeof(upvalue{}))
)

func (L *State) closure(th *Thread, f *frame, index int) *Function {
	p := f.fn.p.protos[index]
	captures := f.fn.p.captures[index]
	L.spend(2 + 2*int64(len(captures)))
	var fn *Function
	if len(captures) == 1 {
		L.Charge(roundSize(closureSize))
		c := &closure{Function: Function{id: L.nextID(), p: p, env: f.fn.env}}
		fn, c.up = &c.Function, c.room[:]
	} else {
		L.Charge(roundSize(functionSize) + roundSize(8*int64(len(captures))))
		fn = &Function{id: L.nextID(), p: p, env: f.fn.env}
		if len(captures) > 0 {
			fn.up = make([]*upvalue, len(captures))
		}
	}
	for j, c := range captures {
		if c.local {
			fn.up[j] = L.findUpvalue(th, int(f.base)+c.index)
		} else {
			fn.up[j] = f.fn.up[c.index]
		}
	}
	return fn
}

// varargs copies want values, or all that there are.
func (L *State) varargs(th *Thread, f *frame, a, want int) {
	at, have := int(f.base)+a, int(f.varargs)
	n := want
	if want < 0 {
		n = have
		L.grow(th, at+n)
		th.top = at + n
	}
	L.spend(int64(n) / 8)
	have = min(n, have)
	copy(th.stack[at:at+have], th.stack[f.base-f.varargs:])
	clear(th.stack[at+have : at+n])
}

// getTo puts v[k] into a place of the current stack.
func (L *State) getTo(v, k Value, at int) {
	found, h, on := L.index(v, k)
	if h.bits != nilBits {
		L.callMeta(h, on, k, toOp(at, 1))
		return
	}
	L.current.stack[at] = found
}

// setTo is v[k] = x. It returns whether it called something.
func (L *State) setTo(v, k, x Value) bool {
	h, on := L.setIndex(v, k, x)
	if h.bits == nilBits {
		return false
	}
	at := L.scratch(4)
	s := L.current.stack[at:]
	s[0], s[1], s[2], s[3] = h, on, k, x
	L.call(call{at: at, args: 3}, toOp(at, 0))
	return true
}

func (L *State) arithTo(e event, x, y Value, at int) {
	if v, ok := L.arith(e, x, y); ok {
		L.current.stack[at] = v
		return
	}
	L.callMeta(L.arithHandler(e, x, y), x, y, toOp(at, 1))
}

func (L *State) lenTo(x Value, at int) {
	h := L.metamethod(x, eventLen)
	if h.bits == nilBits {
		L.typeError("get length of", x)
	}
	L.callMeta(h, x, Value{}, toOp(at, 1))
}

// scratch is where n values can be put down behind all that the current frame, of Lua code, uses.
func (L *State) scratch(n int) int {
	th := L.current
	f := &th.frames[len(th.frames)-1]
	at := int(f.base) + f.fn.p.registers
	L.grow(th, at+n)
	return at
}

// callMeta calls a metamethod with two operands.
func (L *State) callMeta(h, x, y Value, d dest) {
	at := L.scratch(3)
	s := L.current.stack[at:]
	s[0], s[1], s[2] = h, x, y
	if d.then == thenCompare {
		d.at = int32(at)
	}
	L.call(call{at: at, args: 2}, d)
}

func (L *State) skipUnless(is bool, a uint8) {
	if is != (a != 0) {
		L.current.frames[len(L.current.frames)-1].pc++
	}
}

func (L *State) lessTo(x, y Value, a uint8) {
	if is, ok := less(x, y); ok {
		L.spend(int64(min(x.size(), y.size())) / 16)
		L.skipUnless(is, a)
		return
	}
	h := L.compareHandler(eventLt, x, y)
	if h.bits == nilBits {
		L.compareError(x, y)
	}
	L.callMeta(h, x, y, dest{then: thenCompare, want: 1, arg: int32(a)})
}

func (L *State) lessEqualTo(x, y Value, a uint8) {
	if is, ok := lessEqual(x, y); ok {
		L.spend(int64(min(x.size(), y.size())) / 16)
		L.skipUnless(is, a)
		return
	}
	if h := L.compareHandler(eventLe, x, y); h.bits != nilBits {
		L.callMeta(h, x, y, dest{then: thenCompare, want: 1, arg: int32(a)})
		return
	}
	h := L.compareHandler(eventLt, y, x) // not (y < x)
	if h.bits == nilBits {
		L.compareError(x, y)
	}
	L.callMeta(h, y, x, dest{then: thenCompare, want: 1, arg: int32(1 - min(a, 1))})
}

func (v Value) size() int {
	if v.isString() {
		return v.strLen()
	}
	return 0
}

// onValues does an operation on operands that are not both numbers: arithmetic, with its result at a place of the stack, or a comparison.
func (L *State) onValues(r *[256]Value, k []Value, i *inst, at int) {
	x, y := r[uint8(i.b)], r[uint8(i.c)]
	switch i.op {
	case opAddK, opSubK, opMulK, opDivK, opModK, opLtK, opLeK:
		y = k[i.c]
	case opArith, opLtX, opLeX:
		x, y = L.operand(r, k, i.b), L.operand(r, k, i.c)
	}
	switch i.op {
	case opLt, opLtK, opLtX:
		L.lessTo(x, y, i.a)
	case opLe, opLeK, opLeX:
		L.lessEqualTo(x, y, i.a)
	default:
		L.arithTo(event(i.x), x, y, at)
	}
}

// second is the second operand of a comparison.
func (L *State) second(r *[256]Value, k []Value, i *inst) Value {
	if i.op == opEqK {
		return k[i.c]
	}
	return L.operand(r, k, i.c)
}

// operand is a register, or a constant when the index has constBit.
func (L *State) operand(r *[256]Value, k []Value, index uint16) Value {
	if index >= constBit {
		return k[index-constBit]
	}
	return r[uint8(index)]
}
