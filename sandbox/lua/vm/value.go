// Package vm compiles and runs Lua 5.1 programs, which gopher-lua parses, inside hard limits: every instruction and
// every byte is counted, and nothing that Lua code can nest nests on the Go stack.
package vm

import (
	"math"
	"unsafe"

	"sandbar/sandbox/number"
)

// Value is a Lua value in 16 bytes, without boxing. bits holds a number, nil, a boolean, or the type of what ref
// points to; of a string also the length. Where bits is no reference ref means nothing: storing a number writes
// only bits, which costs no write barrier, and the memory walk drops what ref still held. The zero Value is nil.
type Value struct {
	ref  unsafe.Pointer
	bits uint64
}

// The upper 16 bits of a Value's bits. Numbers are their IEEE bits plus numberBase: as long as every NaN is one that
// arithmetic makes, the sum does not overflow and is never below numberBase.
const (
	kindShift  = 48
	kindString = iota // its length is in the lower bits
	kindTable
	kindFunction
	kindUserdata
	kindThread

	stringBits   = kindString << kindShift
	tableBits    = kindTable << kindShift
	functionBits = kindFunction << kindShift
	userdataBits = kindUserdata << kindShift
	threadBits   = kindThread << kindShift
	numberBase   = 7 << kindShift

	nilBits   = 0
	falseBits = 1
	trueBits  = 2
)

// Type is the type of a value.
type Type uint8

// The types of Lua.
const (
	NilType Type = iota
	BoolType
	NumberType
	StringType
	TableType
	FunctionType
	UserdataType
	ThreadType
)

// String is the name that type() gives.
func (t Type) String() string {
	return [...]string{"nil", "boolean", "number", "string", "table", "function", "userdata", "thread"}[t]
}

// Values that need no making.
var (
	Nil   = Value{}
	False = Value{bits: falseBits}
	True  = Value{bits: trueBits}
)

// Bool returns true or false.
func Bool(b bool) Value {
	if b {
		return True
	}
	return False
}

// Number returns a number. Of a NaN only the sign stays.
func Number(f float64) Value {
	if f != f {
		f = math.Copysign(math.NaN(), f)
	}
	return Value{bits: math.Float64bits(f) + numberBase}
}

// Int returns a number.
func Int(i int) Value { return Value{bits: math.Float64bits(float64(i)) + numberBase} }

// setNumber leaves ref as it is. f is no NaN from outside.
func (v *Value) setNumber(f float64) { v.bits = math.Float64bits(f) + numberBase }

func (v Value) isNumber() bool { return v.bits >= numberBase }

func (v Value) float() float64 { return math.Float64frombits(v.bits - numberBase) }

func (v Value) isString() bool { return v.bits>>kindShift == kindString }

// IsNil says whether v is nil.
func (v Value) IsNil() bool { return v.bits == nilBits }

// True says whether v counts as true: all but nil and false.
func (v Value) True() bool { return v.bits > falseBits }

// Type returns the type of v.
func (v Value) Type() Type {
	switch v.bits >> kindShift {
	case 0:
		if v.bits == nilBits {
			return NilType
		}
		return BoolType
	case kindString:
		return StringType
	case kindTable:
		return TableType
	case kindFunction:
		return FunctionType
	case kindUserdata:
		return UserdataType
	case kindThread:
		return ThreadType
	}
	return NumberType
}

// Float returns the number that v is.
func (v Value) Float() (float64, bool) {
	if v.isNumber() {
		return v.float(), true
	}
	return 0, false
}

// Table returns the table that v is, or nil.
func (v Value) Table() *Table {
	if v.bits == tableBits {
		return (*Table)(v.ref)
	}
	return nil
}

// Function returns the function that v is, or nil.
func (v Value) Function() *Function {
	if v.bits == functionBits {
		return (*Function)(v.ref)
	}
	return nil
}

// Userdata returns the userdata that v is, or nil.
func (v Value) Userdata() *Userdata {
	if v.bits == userdataBits {
		return (*Userdata)(v.ref)
	}
	return nil
}

// Thread returns the coroutine that v is, or nil.
func (v Value) Thread() *Thread {
	if v.bits == threadBits {
		return (*Thread)(v.ref)
	}
	return nil
}

// Str returns the string that v is. It shares the bytes of v.
func (v Value) Str() (string, bool) {
	if v.isString() {
		return v.str(), true
	}
	return "", false
}

// text is what lies before the bytes of every string.
type text struct {
	hash uint32 // 0: not known
	mark uint32 // of the memory walk
}

const textHeader = int(unsafe.Sizeof(text{}))

func (v Value) str() string {
	n := int(v.bits & (1<<kindShift - 1))
	if n == 0 {
		return ""
	}
	return unsafe.String((*byte)(unsafe.Add(v.ref, textHeader)), n)
}

func (v Value) strLen() int { return int(v.bits & (1<<kindShift - 1)) }

// newText makes room for a string of n bytes, more than none. The bytes can be written until the value is passed on.
// Sizes are a multiple of 8, so that the header is aligned even where Go packs small objects.
func newText(n int) (Value, []byte) {
	b := make([]byte, (textHeader+n+7)&^7)
	return Value{unsafe.Pointer(unsafe.SliceData(b)), stringBits | uint64(n)}, b[textHeader : textHeader+n]
}

func textOf(s string) Value {
	if s == "" {
		return Value{bits: stringBits}
	}
	v, b := newText(len(s))
	copy(b, s)
	return v
}

func textSize(n int) int64 { return roundSize(int64(textHeader+n+7) &^ 7) }

// Value returns t as a value.
func (t *Table) Value() Value { return Value{unsafe.Pointer(t), tableBits} }

// Value returns f as a value.
func (f *Function) Value() Value { return Value{unsafe.Pointer(f), functionBits} }

// Value returns u as a value.
func (u *Userdata) Value() Value { return Value{unsafe.Pointer(u), userdataBits} }

// Value returns t as a value.
func (t *Thread) Value() Value { return Value{unsafe.Pointer(t), threadBits} }

// Userdata is an object of the host.
type Userdata struct {
	mark uint32
	id   uint32
	meta *Table
	env  *Table
	// Object is what the host keeps in it. With a method Size() int64 it says how many bytes it holds.
	Object any
}

// Function is a Lua function or one of the host.
type Function struct {
	mark uint32
	id   uint32
	p    *proto // nil: of the host
	env  *Table
	up   []*upvalue
	host HostFunc
	name string // of the host's
}

// closure is a function with room for its only upvalue, which most that have some have, in one piece of memory.
type closure struct {
	Function
	room [1]*upvalue
}

// size is what the function takes, without its upvalues.
func (f *Function) size() int64 {
	if len(f.up) == 1 && unsafe.Pointer(unsafe.SliceData(f.up)) == unsafe.Add(unsafe.Pointer(f), unsafe.Offsetof(closure{}.room)) {
		return roundSize(closureSize)
	}
	n := roundSize(functionSize) + roundSize(8*int64(cap(f.up)))
	if f.p == nil {
		n += hostSize
	}
	return n
}

// upvalue is a variable of a function that another function uses. While it lives on a stack at points there.
type upvalue struct {
	at     *Value
	closed Value // at points here when the variable has left the stack
	index  int32 // of the stack, while it is open
	mark   uint32
}

// rawEqual compares without metamethods.
func rawEqual(a, b Value) bool {
	if a.bits != b.bits {
		return a.bits >= numberBase && b.bits >= numberBase && a.float() == b.float() // 0 and -0
	}
	switch {
	case a.bits >= numberBase:
		return a.float() == a.float() // not NaN
	case a.bits <= trueBits:
		return true
	case a.ref == b.ref:
		return true
	}
	return a.isString() && a.str() == b.str()
}

// RawEqual compares without metamethods.
func RawEqual(a, b Value) bool { return rawEqual(a, b) }

// longText is how long a string is whose comparison is paid for.
const longText = 1024

// isLong says whether v is a long string.
func (v Value) isLong() bool {
	return v.bits-(stringBits+longText) < 1<<kindShift-longText
}

// spendText pays for going through a string once.
func (L *State) spendText(v Value) {
	if v.isLong() {
		L.spend(int64(v.strLen()) / 64)
	}
}

// equalFuel is what rawEqual costs beyond an instruction: nothing but for long strings that are not the same piece of memory.
func equalFuel(a, b Value) int64 {
	if a.bits == b.bits && a.ref != b.ref && a.isLong() {
		return int64(a.strLen()) / 64
	}
	return 0
}

// manyDigits is how long a string is whose reading as a number is paid for.
const manyDigits = 64

// SpendText pays for going through v once, if it is a long string.
func (L *State) SpendText(v Value) { L.spendText(v) }

// number is toNumber that pays for a string of many digits before it is read.
func (L *State) number(v Value) (float64, bool) {
	if v.isString() && v.strLen() > manyDigits {
		L.spend(int64(v.strLen()) / 4)
	}
	return toNumber(v)
}

// toNumber converts as arithmetic does: strings that look like numbers are.
func toNumber(v Value) (float64, bool) {
	if v.isNumber() {
		return v.float(), true
	}
	if v.isString() {
		return number.Parse(v.str())
	}
	return 0, false
}

// numberSize is the most bytes that a number takes as text.
const numberSize = 32

func appendNumber(dst []byte, f float64) []byte { return number.AppendG(dst, f, 14) }
