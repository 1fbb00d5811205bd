package vm

import (
	"math"

	"github.com/yuin/gopher-lua/ast"

	"sandbar/sandbox/number"
)

// expr is an expression whose value is not yet where it will be needed, as in C Lua's compiler: so that a variable need not be copied, a constant may become an
// operand, and a condition a jump.
type expr struct {
	kind   exprKind
	at     int // register, constant, upvalue or instruction
	key    int // of an element: register or constant
	number float64
	yes    int // jumps that are taken when it is true, with its value
	no     int // when it is false
}

type exprKind uint8

const (
	exprNone exprKind = iota
	exprNil
	exprTrue
	exprFalse
	exprConst   // at: constant
	exprNumber  // number
	exprLocal   // at: register
	exprUpvalue // at: upvalue
	exprGlobal  // at: constant of its name
	exprElement // at: register of the table
	exprJump    // at: jump
	exprOpen    // at: instruction whose register is not chosen
	exprIn      // at: register
	exprCall    // at: instruction
	exprVararg  // at: instruction
)

func newExpr(kind exprKind, at int) expr {
	return expr{kind: kind, at: at, yes: noJump, no: noJump}
}

func (e *expr) jumps() bool { return e.yes != e.no }

func (e *expr) several() bool { return e.kind == exprCall || e.kind == exprVararg }

func (e *expr) numeral() bool { return e.kind == exprNumber && e.yes == noJump && e.no == noJump }

func (e *expr) become(kind exprKind, at int) { e.kind, e.at = kind, at }

// setResults says how many values a call or "..." has; -1 is all.
func (b *builder) setResults(e *expr, n int) {
	switch e.kind {
	case exprCall:
		b.code[e.at].c = uint16(n + 1)
	case exprVararg:
		b.code[e.at].b, b.code[e.at].a = uint16(n+1), uint8(b.free)
		b.reserve(1)
	}
}

// one makes one value of several.
func (b *builder) one(e *expr) {
	switch e.kind {
	case exprCall:
		e.become(exprIn, int(b.code[e.at].a))
	case exprVararg:
		b.code[e.at].b = 2
		e.kind = exprOpen
	}
}

// read lets the expression be a value: it is no variable any more.
func (b *builder) read(e *expr) {
	switch e.kind {
	case exprLocal:
		e.kind = exprIn
	case exprUpvalue:
		e.become(exprOpen, b.emit(opGetUpval, 0, e.at, 0))
	case exprGlobal:
		e.become(exprOpen, b.emit(opGetGlobal, 0, e.at&0xffff, e.at>>16))
	case exprElement:
		b.release(e.key)
		b.release(e.at)
		switch {
		case e.key < constBit:
			e.become(exprOpen, b.emit(opGetTable, 0, e.at, e.key))
		case b.consts[e.key-constBit].kind == constText:
			e.become(exprOpen, b.emit(opGetTableS, 0, e.at, e.key-constBit))
		default:
			e.become(exprOpen, b.emit(opGetTableK, 0, e.at, e.key-constBit))
		}
	default:
		b.one(e)
	}
}

// put brings the value into a register, but for the values that its jumps bring.
func (b *builder) put(e *expr, r int) {
	b.read(e)
	switch e.kind {
	case exprNil:
		b.loadNil(r, 1)
	case exprTrue:
		b.emit(opLoadBool, r, 1, 0)
	case exprFalse:
		b.emit(opLoadBool, r, 0, 0)
	case exprConst:
		b.emitX(opLoadK, r, e.at)
	case exprNumber:
		b.emitX(opLoadK, r, b.constant(constant{kind: constNumber, number: e.number}))
	case exprOpen:
		b.code[e.at].a = uint8(r)
	case exprIn:
		if r != e.at {
			b.emit(opMove, r, e.at, 0)
		}
	default: // none, a jump: nothing to bring
		return
	}
	e.become(exprIn, r)
}

func (b *builder) putAnywhere(e *expr) {
	if e.kind != exprIn {
		b.reserve(1)
		b.put(e, b.free-1)
	}
}

// into brings the value into a register, with those of its jumps.
func (b *builder) into(e *expr, r int) {
	b.put(e, r)
	if e.kind == exprJump {
		e.yes = b.joined(e.yes, e.at)
	}
	if e.jumps() {
		isFalse, isTrue := noJump, noJump
		if b.needsValue(e.yes) || b.needsValue(e.no) {
			past := noJump
			if e.kind != exprJump {
				past = b.jump()
			}
			b.label()
			isFalse = b.emit(opLoadBool, r, 0, 1)
			b.label()
			isTrue = b.emit(opLoadBool, r, 1, 0)
			b.leadHere(past)
		}
		end := b.label()
		b.patch(e.no, end, r, isFalse)
		b.patch(e.yes, end, r, isTrue)
	}
	*e = newExpr(exprIn, r)
}

// next brings the value into the next free register.
func (b *builder) next(e *expr) {
	b.read(e)
	b.releaseExpr(e)
	b.reserve(1)
	b.into(e, b.free-1)
}

func (b *builder) releaseExpr(e *expr) {
	if e.kind == exprIn {
		b.release(e.at)
	}
}

// anywhere brings the value into some register, and returns that.
func (b *builder) anywhere(e *expr) int {
	b.read(e)
	if e.kind == exprIn {
		if !e.jumps() {
			return e.at
		}
		if e.at >= len(b.active) {
			b.into(e, e.at)
			return e.at
		}
	}
	b.next(e)
	return e.at
}

// value makes a value of the expression, in a register or not.
func (b *builder) value(e *expr) {
	if e.jumps() {
		b.anywhere(e)
	} else {
		b.read(e)
	}
}

// operand makes an operand of the expression: a register, or a constant with constBit.
func (b *builder) operand(e *expr) int {
	b.value(e)
	k := -1
	switch e.kind {
	case exprNil:
		k = b.constant(constant{kind: constNil})
	case exprTrue:
		k = b.constant(constant{kind: constTrue})
	case exprFalse:
		k = b.constant(constant{kind: constFalse})
	case exprNumber:
		k = b.constant(constant{kind: constNumber, number: e.number})
	case exprConst:
		k = e.at
	}
	if k >= 0 {
		e.become(exprConst, k)
		if k <= maxOperand {
			return k + constBit
		}
	}
	return b.anywhere(e)
}

// store assigns to a variable.
func (b *builder) store(to, e *expr) {
	switch to.kind {
	case exprLocal:
		b.releaseExpr(e)
		b.into(e, to.at)
		return
	case exprUpvalue:
		b.emit(opSetUpval, b.anywhere(e), to.at, 0)
	case exprGlobal:
		b.emit(opSetGlobal, b.anywhere(e), to.at&0xffff, to.at>>16)
	case exprElement:
		b.setElement(to.at, to.key, b.operand(e))
	}
	b.releaseExpr(e)
}

func (b *builder) setElement(table, key, value int) {
	if key >= constBit && b.consts[key-constBit].kind == constText {
		b.emit(opSetTableS, table, key-constBit, value)
		return
	}
	b.emit(opSetTable, table, key, value)
}

// Conditions.

func (b *builder) test(op uint8, a, x, y int) int {
	b.emit(op, a, x, y)
	return b.jump()
}

func (b *builder) invert(e *expr) {
	i := b.condition(e.at)
	i.a = 1 - i.a
}

func (b *builder) jumpOn(e *expr, is int) int {
	if e.kind == exprOpen {
		if i := b.code[e.at]; i.op == opNot {
			b.code, b.lines = b.code[:len(b.code)-1], b.lines[:len(b.lines)-1]
			return b.test(opTest, int(i.b), 0, 1-is)
		}
	}
	b.putAnywhere(e)
	b.releaseExpr(e)
	return b.test(opTestSet, noRegister, e.at, is)
}

// goOnIfTrue lets the code go on when the expression is true; e.no are the jumps when it is not.
func (b *builder) goOnIfTrue(e *expr) {
	b.read(e)
	j := noJump
	switch e.kind {
	case exprConst, exprNumber, exprTrue:
	case exprJump:
		b.invert(e)
		j = e.at
	default:
		j = b.jumpOn(e, 0)
	}
	e.no = b.joined(e.no, j)
	b.leadHere(e.yes)
	e.yes = noJump
}

func (b *builder) goOnIfFalse(e *expr) {
	b.read(e)
	j := noJump
	switch e.kind {
	case exprNil, exprFalse:
	case exprJump:
		j = e.at
	default:
		j = b.jumpOn(e, 1)
	}
	e.yes = b.joined(e.yes, j)
	b.leadHere(e.no)
	e.no = noJump
}

// Operators.

func (b *builder) not(e *expr) {
	b.read(e)
	switch e.kind {
	case exprNil, exprFalse:
		e.kind = exprTrue
	case exprConst, exprNumber, exprTrue:
		e.kind = exprFalse
	case exprJump:
		b.invert(e)
	default:
		b.putAnywhere(e)
		b.releaseExpr(e)
		e.become(exprOpen, b.emit(opNot, 0, e.at, 0))
	}
	e.yes, e.no = e.no, e.yes
	b.removeValues(e.no)
	b.removeValues(e.yes)
}

func (b *builder) unary(node ast.Expr) expr {
	switch n := node.(type) {
	case *ast.UnaryNotOpExpr:
		e := b.expr(n.Expr)
		b.not(&e)
		return e
	case *ast.UnaryLenOpExpr:
		e := b.expr(n.Expr)
		r := b.anywhere(&e)
		b.releaseExpr(&e)
		return newExpr(exprOpen, b.emit(opLen, 0, r, 0))
	}
	e := b.expr(node.(*ast.UnaryMinusOpExpr).Expr)
	if e.numeral() {
		e.number = -e.number
		return e
	}
	r := b.anywhere(&e)
	b.releaseExpr(&e)
	return newExpr(exprOpen, b.emit(opUnm, 0, r, 0))
}

func (b *builder) logical(n *ast.LogicalOpExpr) expr {
	l := b.expr(n.Lhs)
	if n.Operator == "and" {
		b.goOnIfTrue(&l)
		r := b.expr(n.Rhs)
		b.read(&r)
		r.no = b.joined(r.no, l.no)
		return r
	}
	b.goOnIfFalse(&l)
	r := b.expr(n.Rhs)
	b.read(&r)
	r.yes = b.joined(r.yes, l.yes)
	return r
}

func (b *builder) concat(n *ast.StringConcatOpExpr) expr {
	l := b.expr(n.Lhs)
	b.next(&l)
	r := b.expr(n.Rhs)
	b.value(&r)
	if r.kind == exprOpen && b.code[r.at].op == opConcat {
		b.releaseExpr(&l)
		b.code[r.at].b = uint16(l.at)
		return newExpr(exprOpen, r.at)
	}
	b.next(&r)
	b.releaseExpr(&r)
	b.releaseExpr(&l)
	return newExpr(exprOpen, b.emit(opConcat, 0, l.at, r.at))
}

func (b *builder) relational(n *ast.RelationalOpExpr) expr {
	l := b.expr(n.Lhs)
	b.operand(&l)
	r := b.expr(n.Rhs)
	x, y := b.operand(&l), b.operand(&r)
	b.releaseExpr(&r)
	b.releaseExpr(&l)
	is, op := 1, opEq
	switch n.Operator {
	case "~=":
		is = 0
	case "<":
		op = opLt
	case "<=":
		op = opLe
	case ">":
		op, x, y = opLt, y, x
	case ">=":
		op, x, y = opLe, y, x
	}
	switch { // opEqK and opEqX follow opEq, and so the others
	case x >= constBit:
		op += 2
	case y >= constBit:
		op++
		y -= constBit
	}
	return newExpr(exprJump, b.test(op, is, x, y))
}

// operators are the forms of an operation on numbers: two registers, a constant second.
func operator(symbol string) (rr, rk uint8, e event) {
	switch symbol {
	case "+":
		return opAdd, opAddK, eventAdd
	case "-":
		return opSub, opSubK, eventSub
	case "*":
		return opMul, opMulK, eventMul
	case "/":
		return opDiv, opDivK, eventDiv
	case "%":
		return opMod, opModK, eventMod
	}
	return opPow, opArith, eventPow
}

func (b *builder) arithmetic(n *ast.ArithmeticOpExpr) expr {
	l := b.expr(n.Lhs)
	if !l.numeral() {
		b.operand(&l)
	}
	r := b.expr(n.Rhs)
	rr, rk, e := operator(n.Operator)
	if l.numeral() && r.numeral() {
		if f, ok := computed(e, l.number, r.number); ok {
			l.number = f
			return l
		}
	}
	y := b.operand(&r)
	x := b.operand(&l)
	if x > y {
		b.releaseExpr(&l)
		b.releaseExpr(&r)
	} else {
		b.releaseExpr(&r)
		b.releaseExpr(&l)
	}
	op := rr
	switch {
	case x < constBit && y >= constBit && rk != opArith:
		op, y = rk, y-constBit
	case x >= constBit || y >= constBit:
		op = opArith
	}
	pc := b.emit(op, 0, x, y)
	b.code[pc].x = int32(e)
	return newExpr(exprOpen, pc)
}

// computed is an operation on constants, unless it divides by 0 or makes NaN.
func computed(e event, x, y float64) (f float64, ok bool) {
	switch e {
	case eventAdd:
		f = x + y
	case eventSub:
		f = x - y
	case eventMul:
		f = x * y
	case eventDiv:
		f = x / y
	case eventMod:
		f = mod(x, y)
	default:
		f = number.Pow(x, y)
	}
	return f, !(y == 0 && (e == eventDiv || e == eventMod)) && !math.IsNaN(f)
}
