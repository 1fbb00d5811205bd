package vm

import "slices"

// proto is what a State has of a compiled function: instructions that remember places of keys, and constants that are values.
type proto struct {
	*Code
	code   []inst
	k      []Value
	protos []*proto
}

// inst is an instruction. x is what is added to the pc of the next instruction, or by a test when it does not skip that; an index of constants or
// functions, an event, or the remembered place of a key in a table's hash part.
type inst struct {
	op, a uint8
	b, c  uint16
	x     int32
}

type capture struct {
	local bool
	index int
}

// Operations. Those of Lua 5.1, with one form for each kind of operand where it is worth it: S is a constant string as a key, K a constant as the
// second operand, X one of each, where a constant's index has the bit constBit.
const (
	opMove uint8 = iota
	opLoadK
	opLoadBool
	opLoadNil
	opGetUpval
	opGetGlobal
	opGetTable
	opGetTableK
	opGetTableS
	opSetGlobal
	opSetUpval
	opSetTable
	opSetTableS
	opNewTable
	opSelf
	opAdd
	opAddK
	opSub
	opSubK
	opMul
	opMulK
	opDiv
	opDivK
	opMod
	opModK
	opPow
	opArith // any, with operands of any kind: x is the event
	opUnm
	opNot
	opLen
	opConcat
	opJmp
	opEq
	opEqK
	opEqX
	opLt
	opLtK
	opLtX
	opLe
	opLeK
	opLeX
	opTest
	opTestSet
	opCall
	opTailCall
	opReturn
	opForLoop
	opForPrep
	opTForCall
	opTForLoop
	opSetList
	opClose
	opClosure
	opVararg
)

const constBit = 256

// proto makes what this State needs of compiled code.
func (L *State) proto(c *Code) *proto {
	L.Charge(c.size())
	L.memory.extra += c.size() // for the life of the State
	p := &proto{Code: c, code: slices.Clone(c.code), k: make([]Value, len(c.consts)), protos: make([]*proto, len(c.subs))}
	for i, k := range c.consts {
		switch k.kind {
		case constFalse:
			p.k[i] = False
		case constTrue:
			p.k[i] = True
		case constNumber:
			p.k[i] = Number(k.number)
		case constText:
			p.k[i] = L.intern(k.text)
		}
	}
	for i, sub := range c.subs {
		p.protos[i] = L.proto(sub)
	}
	return p
}
