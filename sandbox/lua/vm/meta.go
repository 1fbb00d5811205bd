package vm

import (
	"math"

	"sandbar/sandbox/number"
)

// event is a metamethod.
type event uint8

const (
	eventIndex event = iota
	eventNewIndex
	eventCall
	eventAdd
	eventSub
	eventMul
	eventDiv
	eventMod
	eventPow
	eventUnm
	eventConcat
	eventLen
	eventEq
	eventLt
	eventLe
	eventToString
	eventMetatable
	eventName
	eventCount
)

var eventNames = [eventCount]string{"__index", "__newindex", "__call", "__add", "__sub", "__mul", "__div", "__mod", "__pow",
	"__unm", "__concat", "__len", "__eq", "__lt", "__le", "__tostring", "__metatable", "__name"}

// metaOf returns the metatable of a value, nil when it has none.
func (L *State) metaOf(v Value) *Table {
	switch v.bits {
	case tableBits:
		return (*Table)(v.ref).meta
	case userdataBits:
		return (*Userdata)(v.ref).meta
	}
	if v.isString() {
		return L.strMeta
	}
	return nil
}

// event returns a metamethod out of a metatable, and remembers when there is none.
func (L *State) event(meta *Table, e event) Value {
	if meta == nil || meta.absent&(1<<e) != 0 {
		return Value{}
	}
	if i := meta.findString(L.events[e]); i >= 0 && meta.nodes[i].val.bits != nilBits {
		return meta.nodes[i].val
	}
	meta.absent |= 1 << e
	return Value{}
}

func (L *State) metamethod(v Value, e event) Value { return L.event(L.metaOf(v), e) }

// Meta returns the metamethod of that name, nil when v has none.
func (L *State) Meta(v Value, name string) Value {
	if meta := L.metaOf(v); meta != nil {
		return meta.get(L.intern(name))
	}
	return Value{}
}

// index is v[k]. When a function has to find it, handler is that function and on what it is called with.
func (L *State) index(v, k Value) (found, handler, on Value) {
	L.spendText(k)
	for range maxMetaChain {
		var h Value
		if t := v.Table(); t != nil {
			if found := t.get(k); found.bits != nilBits || t.meta == nil {
				return found, Value{}, Value{}
			}
			if h = L.event(t.meta, eventIndex); h.bits == nilBits {
				return Value{}, Value{}, Value{}
			}
		} else if h = L.metamethod(v, eventIndex); h.bits == nilBits {
			L.typeError("index", v)
		}
		if h.bits == functionBits {
			return Value{}, h, v
		}
		v = h
		L.spend(1)
	}
	L.throwOp("loop in gettable")
	panic("unreachable")
}

// setIndex is v[k] = x. When a function has to do it, handler is that function and on what it is called with.
func (L *State) setIndex(v, k, x Value) (handler, on Value) {
	for range maxMetaChain {
		var h Value
		if t := v.Table(); t != nil {
			if t.meta == nil || t.meta.absent&(1<<eventNewIndex) != 0 {
				L.rawSet(t, k, x)
				return Value{}, Value{}
			}
			if h = L.event(t.meta, eventNewIndex); h.bits == nilBits || t.get(k).bits != nilBits {
				L.rawSet(t, k, x)
				return Value{}, Value{}
			}
		} else if h = L.metamethod(v, eventNewIndex); h.bits == nilBits {
			L.typeError("index", v)
		}
		if h.bits == functionBits {
			return h, v
		}
		v = h
		L.spend(1)
	}
	L.throwOp("loop in settable")
	panic("unreachable")
}

// rawSet checks the key.
func (L *State) rawSet(t *Table, k, x Value) {
	switch {
	case k.bits == nilBits:
		L.throwOp("table index is nil")
	case k.bits >= numberBase && k.float() != k.float():
		L.throwOp("table index is NaN")
	}
	if k.bits >= numberBase {
		k = Value{bits: math.Float64bits(k.float()+0) + numberBase} // no -0
	}
	L.spendText(k)
	t.set(L, k, x)
}

// arith computes what needs no metamethod: numbers, and strings that look like them.
func (L *State) arith(e event, a, b Value) (Value, bool) {
	x, ok := L.number(a)
	if !ok {
		return Value{}, false
	}
	y, ok := L.number(b)
	if !ok {
		return Value{}, false
	}
	switch e {
	case eventAdd:
		x += y
	case eventSub:
		x -= y
	case eventMul:
		x *= y
	case eventDiv:
		x /= y
	case eventMod:
		x = mod(x, y)
	case eventPow:
		x = number.Pow(x, y)
	case eventUnm:
		x = -x
	}
	return numberKeepingSign(x), true
}

// numberKeepingSign is Number for what arithmetic made: the sign of a NaN stays, as in C.
func numberKeepingSign(f float64) Value { return Value{bits: math.Float64bits(f) + numberBase} }

// mod is a - floor(a/b)*b.
func mod(a, b float64) float64 {
	return a - float64(math.Floor(a/b)*b)
}

// arithHandler is the metamethod for two operands.
func (L *State) arithHandler(e event, a, b Value) Value {
	if h := L.metamethod(a, e); h.bits != nilBits {
		return h
	}
	if h := L.metamethod(b, e); h.bits != nilBits {
		return h
	}
	L.arithError(a, b)
	panic("unreachable")
}

// less compares what needs no metamethod.
func less(a, b Value) (is, ok bool) {
	switch {
	case a.bits >= numberBase && b.bits >= numberBase:
		return a.float() < b.float(), true
	case a.isString() && b.isString():
		return a.str() < b.str(), true
	}
	return false, false
}

func lessEqual(a, b Value) (is, ok bool) {
	switch {
	case a.bits >= numberBase && b.bits >= numberBase:
		return a.float() <= b.float(), true
	case a.isString() && b.isString():
		return a.str() <= b.str(), true
	}
	return false, false
}

// compareHandler is the metamethod that both operands have, nil when they differ in it.
func (L *State) compareHandler(e event, a, b Value) Value {
	if a.Type() != b.Type() {
		return Value{}
	}
	h := L.metamethod(a, e)
	if h.bits == nilBits || !rawEqual(h, L.metamethod(b, e)) {
		return Value{}
	}
	return h
}

// equalHandler is the function for == of two different tables or userdata, nil when there is none.
func (L *State) equalHandler(a, b Value) Value {
	if a.bits != b.bits || (a.bits != tableBits && a.bits != userdataBits) {
		return Value{}
	}
	return L.compareHandler(eventEq, a, b)
}
