package vm

import (
	"fmt"
	"strings"
)

// Error is an error of Lua code that nothing has caught.
type Error struct {
	Value     Value // what error() was called with, or a text
	Text      string
	Traceback string
	Line      int // of the source, 0: not known
}

func (e *Error) Error() string { return e.Text }

// thrown is an error on its way.
type thrown struct{ value Value }

func (t thrown) Error() string {
	if f, ok := t.value.Float(); ok {
		return NumberText(f)
	}
	s, _ := t.value.Str()
	return s
}

// Throw raises an error with a text, before which comes where the code is that called the running function of the host.
func (L *State) Throw(text string) {
	level := 1
	if L.results >= 0 { // it has waited, and has a frame
		level = 2
	}
	L.ThrowValue(L.errorText(L.Where(level) + cut(text)))
}

// cut is as much of a text as an error has of it.
func cut(s string) string { return s[:min(len(s), maxErrorText)] }

// throwOp raises the error of an operation. As in Lua 5.1 it has no position when a function of the host asked for it.
func (L *State) throwOp(text string) {
	if L.byHost {
		L.byHost = false
		L.ThrowValue(L.errorText(text))
	}
	L.ThrowValue(L.errorText(L.Where(1) + text))
}

// ThrowBare is Throw without the place, for what C Lua's machine raises in a function of C.
func (L *State) ThrowBare(text string) { L.ThrowValue(L.errorText(text)) }

// Throwf is Throw with a format.
func (L *State) Throwf(format string, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = cut(s)
		}
	}
	L.Throw(fmt.Sprintf(format, args...))
}

// maxErrorText is how long an error's text may be, so that it needs no check of the memory limit.
const maxErrorText = 4096

func (L *State) errorText(s string) Value {
	return textOf(cut(s))
}

// ThrowValue raises any value as an error. It does not return.
func (L *State) ThrowValue(v Value) {
	L.spend(throwFuel)
	panic(thrown{v})
}

// throwFuel is what an error costs.
const throwFuel = 100

// at is the call at a level, 1 being the code that called the function of the host that runs; nil where there is none. lost says that
// it has left no trace, since it ended with "return f()".
func (th *Thread) at(level int) (f *frame, lost bool) {
	i := len(th.frames)
	for ; level > 0 && i > 0; i-- {
		level--
		if i < len(th.frames) && th.frames[i].fn != nil {
			level -= int(th.frames[i].tails)
		}
	}
	if level != 0 || i == len(th.frames) {
		return nil, level < 0
	}
	return &th.frames[i], false
}

// Where is "chunk:line: " of a level of calls, 1 being the code that runs. It is empty for functions of the host.
func (L *State) Where(level int) string {
	f, _ := L.current.at(level)
	if f == nil || f.fn == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d: ", f.fn.p.Name, f.line())
}

func (f *frame) line() int {
	lines := f.fn.p.lines
	if at := int(f.pc) - 1; at >= 0 && at < len(lines) {
		return int(lines[at])
	}
	return f.fn.p.first
}

// traceback lists the calls of the current coroutine, the newest first.
func (L *State) traceback() string {
	var b strings.Builder
	b.WriteString("stack traceback:")
	frames := L.current.frames
	for n, i := 0, len(frames)-1; i >= 0; n, i = n+1, i-1 {
		if n == 12 && i > 10 {
			b.WriteString("\n\t...")
			i = 9
		}
		switch f := &frames[i]; {
		case f.fn != nil && f.fn.p.first == 0:
			fmt.Fprintf(&b, "\n\t%s:%d: in main chunk", f.fn.p.Name, f.line())
		case f.fn != nil:
			fmt.Fprintf(&b, "\n\t%s:%d: in function <%s:%d>", f.fn.p.Name, f.line(), f.fn.p.Name, f.fn.p.first)
		case f.wait != nil:
			fmt.Fprintf(&b, "\n\t[host]: in function '%s'", f.wait.name)
		}
	}
	return b.String()
}

// The errors of Lua 5.1 about operands, with the name of the variable where the code tells it.

func (L *State) typeError(doing string, v Value) {
	L.throwOp("attempt to " + doing + " " + describe(L.nameOf(v), v))
}

func describe(name string, v Value) string {
	if name == "" {
		return "a " + v.Type().String() + " value"
	}
	return name + " (a " + v.Type().String() + " value)"
}

func (L *State) callError(v Value, at int) {
	th := L.current
	name := ""
	if n := len(th.frames); n > 0 {
		if f := &th.frames[n-1]; f.fn != nil && at >= int(f.base) && f.pc > 0 {
			switch f.fn.p.code[f.pc-1].op {
			case opCall, opTailCall:
				name = L.nameOfRegister(f, at-int(f.base))
			}
		}
	}
	L.throwOp("attempt to call " + describe(name, v))
}

func (L *State) arithError(a, b Value) {
	if _, ok := L.number(a); ok {
		a = b
	}
	L.typeError("perform arithmetic on", a)
}

// concatError is of the values of two registers, r being the first.
func (L *State) concatError(r int, a, b Value) {
	if a.isString() || a.isNumber() {
		a, r = b, r+1
	}
	f := &L.current.frames[len(L.current.frames)-1]
	L.throwOp("attempt to concatenate " + describe(L.nameOfRegister(f, r), a))
}

func (L *State) compareError(a, b Value) {
	if x, y := a.Type(), b.Type(); x != y {
		L.throwOp(fmt.Sprintf("attempt to compare %s with %s", x, y))
	}
	L.throwOp(fmt.Sprintf("attempt to compare two %s values", a.Type()))
}

// nameOf is "local 'x'", "field 'x'" and so on for an operand of the instruction that runs.
func (L *State) nameOf(v Value) string {
	th := L.current
	f := &th.frames[len(th.frames)-1]
	if L.byHost || f.fn == nil || f.pc == 0 {
		return ""
	}
	i := f.fn.p.code[f.pc-1]
	registers := []int{int(i.b), int(i.c)}
	switch i.op {
	case opSetTable, opSetTableS:
		registers = []int{int(i.a)}
	case opGetTable, opGetTableK, opGetTableS, opSelf, opLen, opUnm:
		registers = registers[:1]
	case opAddK, opSubK, opMulK, opDivK, opModK:
		registers = registers[:1]
	case opAdd, opSub, opMul, opDiv, opMod, opPow, opArith, opLt, opLe, opEq:
	default:
		return ""
	}
	for _, r := range registers {
		if r < constBit {
			if at := th.stack[f.reg(uint8(r))]; at.bits == v.bits && (at.ref == v.ref || v.bits <= trueBits || v.isNumber()) {
				return L.nameOfRegister(f, r)
			}
		} else if i.op == opArith && r-constBit < len(f.fn.p.k) && rawEqual(f.fn.p.k[r-constBit], v) {
			return ""
		}
	}
	return ""
}
