package vm

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"
)

// proto is a compiled function, translated for this machine. Instruction i does what instruction i of the
// original does, so that debug positions hold.
type proto struct {
	code     []inst
	k        []Value
	protos   []*proto
	captures [][]capture // of each of protos: where its upvalues come from
	params   int
	vararg   bool
	argTable bool // the function has the local arg of Lua 5.0
	source   *lua.FunctionProto
}

// inst is an instruction. x is what is added to the pc of the next instruction, an index of constants or
// prototypes, or the remembered place of a key in a table's hash part.
type inst struct {
	op, a uint8
	b, c  uint16
	x     int32
}

type capture struct {
	local bool
	index int
}

// Operations. Those of gopher-lua, with one form for each kind of operand where it is worth it: K is a constant
// as the second operand, X one of each, where a constant's index has the bit constBit.
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
	opSelfR // the name in a register
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
	opNop
)

const constBit = 256

// translate makes a proto of what gopher-lua compiled.
func (L *State) translate(src *lua.FunctionProto) *proto {
	size := int64(len(src.Code))*16 + int64(len(src.Constants))*32 + int64(len(src.DbgSourcePositions))*8 + 512
	L.Charge(size)
	p := &proto{code: make([]inst, len(src.Code)), params: int(src.NumParameters), source: src,
		vararg: src.IsVarArg&lua.VarArgIsVarArg != 0, argTable: src.IsVarArg&lua.VarArgNeedsArg != 0}
	for _, k := range src.Constants {
		switch k := k.(type) {
		case lua.LNumber:
			p.k = append(p.k, Number(float64(k)))
		case lua.LString:
			p.k = append(p.k, L.intern(string(k)))
		default:
			p.k = append(p.k, Value{})
		}
	}
	for _, sub := range src.FunctionPrototypes {
		p.protos = append(p.protos, L.translate(sub))
	}
	p.captures = make([][]capture, len(p.protos))
	for pc := 0; pc < len(src.Code); pc++ {
		pc += p.translateAt(pc, src.Code[pc])
	}
	return p
}

// The parts of gopher-lua's instructions.
func opcode(i uint32) int { return int(i >> 26) }
func argA(i uint32) int   { return int(i>>18) & 0xff }
func argB(i uint32) int   { return int(i & 0x1ff) }
func argC(i uint32) int   { return int(i>>9) & 0x1ff }
func argBx(i uint32) int  { return int(i & 0x3ffff) }
func argSbx(i uint32) int { return argBx(i) - (1<<17 - 1) }

// plain are the operations that have the same arguments here and there.
var plain = map[int]uint8{
	lua.OP_MOVE: opMove, lua.OP_MOVEN: opMove, lua.OP_LOADBOOL: opLoadBool, lua.OP_LOADNIL: opLoadNil, lua.OP_GETUPVAL: opGetUpval,
	lua.OP_SETUPVAL: opSetUpval, lua.OP_NEWTABLE: opNewTable, lua.OP_UNM: opUnm, lua.OP_NOT: opNot, lua.OP_LEN: opLen,
	lua.OP_CONCAT: opConcat, lua.OP_TEST: opTest, lua.OP_TESTSET: opTestSet, lua.OP_CALL: opCall, lua.OP_TAILCALL: opTailCall,
	lua.OP_RETURN: opReturn, lua.OP_CLOSE: opClose, lua.OP_VARARG: opVararg, lua.OP_NOP: opNop, lua.OP_SETTABLE: opSetTable,
	lua.OP_SELF: opSelf, lua.OP_SETTABLEKS: opSetTableS, lua.OP_GETTABLEKS: opGetTableS,
}

// arith are the forms of the operations on numbers: two registers, a constant second.
var arith = map[int]struct {
	rr, rk uint8
	event  event
}{
	lua.OP_ADD: {opAdd, opAddK, eventAdd}, lua.OP_SUB: {opSub, opSubK, eventSub}, lua.OP_MUL: {opMul, opMulK, eventMul},
	lua.OP_DIV: {opDiv, opDivK, eventDiv}, lua.OP_MOD: {opMod, opModK, eventMod}, lua.OP_POW: {opPow, opArith, eventPow},
}

// translateAt translates one instruction and returns how many that follow belong to it.
func (p *proto) translateAt(pc int, i uint32) int {
	b, c := argB(i), argC(i)
	out := &p.code[pc]
	*out = inst{a: uint8(argA(i)), b: uint16(b), c: uint16(c)}
	op := opcode(i)
	if same, ok := plain[op]; ok {
		out.op = same
		p.translatePlain(pc, out)
		return 0
	}
	if f, ok := arith[op]; ok {
		switch {
		case b < constBit && c < constBit:
			out.op = f.rr
		case b < constBit && f.rk != opArith:
			out.op, out.c = f.rk, uint16(c-constBit)
		default:
			out.op = opArith
		}
		out.x = int32(f.event)
		return 0
	}
	switch op {
	case lua.OP_LOADK:
		out.op, out.x = opLoadK, int32(argBx(i))
	case lua.OP_GETGLOBAL:
		out.op, out.b, out.c = opGetGlobal, uint16(argBx(i)&0xffff), uint16(argBx(i)>>16)
	case lua.OP_SETGLOBAL:
		out.op, out.b, out.c = opSetGlobal, uint16(argBx(i)&0xffff), uint16(argBx(i)>>16)
	case lua.OP_GETTABLE:
		out.op = opGetTable
		if c >= constBit {
			out.op, out.c = opGetTableK, uint16(c-constBit)
		}
	case lua.OP_JMP:
		out.op, out.x = opJmp, int32(argSbx(i))
	case lua.OP_FORLOOP:
		out.op, out.x = opForLoop, int32(argSbx(i))
	case lua.OP_FORPREP:
		out.op, out.x = opForPrep, int32(argSbx(i))
	case lua.OP_EQ, lua.OP_LT, lua.OP_LE:
		p.translateCompare(op, out)
	case lua.OP_TFORLOOP: // the jump after it looks at the result
		out.op = opTForCall
		p.code[pc+1] = inst{op: opTForLoop, a: out.a, x: int32(argSbx(p.source.Code[pc+1]))}
		return 1
	case lua.OP_SETLIST:
		out.op, out.x = opSetList, int32(c)
		if c == 0 {
			out.x = int32(p.source.Code[pc+1])
			p.code[pc+1] = inst{op: opNop}
			return 1
		}
	case lua.OP_CLOSURE:
		return p.translateClosure(pc, i, out)
	default:
		panic(fmt.Sprintf("vm: gopher-lua compiled to an instruction %d that is not known", op))
	}
	return 0
}

func (p *proto) translatePlain(pc int, out *inst) {
	switch { // a constant that does not fit lies in a register
	case out.op == opSelf && out.c < constBit:
		out.op = opSelfR
	case out.op == opGetTableS && out.c < constBit:
		out.op = opGetTable
	case out.op == opSelf, out.op == opGetTableS:
		out.c -= constBit
	case out.op == opSetTableS && out.b < constBit:
		out.op = opSetTable
	case out.op == opSetTableS:
		out.b -= constBit
	case out.op == opReturn && out.b == 0 && pc > 0:
		// return (f()) compiles to a call for one result, and to a return of all
		if before := p.source.Code[pc-1]; opcode(before) == lua.OP_CALL && argC(before) == 2 {
			out.b = 2
		}
	case out.op == opNewTable:
		out.b, out.c = fromFloatByte(out.b), fromFloatByte(out.c)
	}
}

// fromFloatByte decodes a size in Lua's "floating point byte": three bits times a power of two.
func fromFloatByte(b uint16) uint16 {
	if e := b >> 3 & 31; e > 0 {
		return (b&7 + 8) << (min(e, 12) - 1)
	}
	return b
}

func (p *proto) translateCompare(op int, out *inst) {
	b, c := out.b, out.c
	registers := b < constBit && c < constBit
	switch {
	case op == lua.OP_EQ && registers:
		out.op = opEq
	case op == lua.OP_EQ && b < constBit:
		out.op, out.c = opEqK, c-constBit
	case op == lua.OP_EQ:
		out.op = opEqX
	case op == lua.OP_LT && registers:
		out.op = opLt
	case op == lua.OP_LT && b < constBit:
		out.op, out.c = opLtK, c-constBit
	case op == lua.OP_LT:
		out.op = opLtX
	case registers:
		out.op = opLe
	case b < constBit:
		out.op, out.c = opLeK, c-constBit
	default:
		out.op = opLeX
	}
}

func (p *proto) translateClosure(pc int, i uint32, out *inst) int {
	out.op, out.x = opClosure, int32(argBx(i))
	n := int(p.source.FunctionPrototypes[out.x].NumUpvalues)
	captures := make([]capture, n)
	for j := range captures {
		pseudo := p.source.Code[pc+1+j]
		captures[j] = capture{local: opcode(pseudo) == lua.OP_MOVE || opcode(pseudo) == lua.OP_MOVEN, index: argB(pseudo)}
		p.code[pc+1+j] = inst{op: opNop}
	}
	p.captures[out.x] = captures
	return n
}
