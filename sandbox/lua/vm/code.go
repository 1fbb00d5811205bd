package vm

import (
	"fmt"
	"slices"
	"unsafe"
)

// Code is a compiled function. States share it: what a State remembers of it is in its proto.
type Code struct {
	Name      string // of the source
	first     int    // line where it begins, 0 for a whole source
	code      []inst
	lines     []int32 // of each instruction
	consts    []constant
	subs      []*Code
	shapes    [][]int     // keys of constructors that have few and name them, as indexes of consts
	captures  [][]capture // of each of subs: where its upvalues come from
	params    int
	vararg    bool // takes more arguments than it names
	arg       bool // has the variable arg of Lua 5.0 behind its parameters
	fillsArg  bool // and a table in it: it does not use "..."
	registers int
	locals    []localVar
	upvalues  []string
}

// localVar is a local variable: its name, and the instructions for which it is there.
type localVar struct {
	name     string
	from, to int
}

// constant is nil, a boolean, a number or a string. 0 and -0 are the same, as for C Lua's compiler.
type constant struct {
	kind   constKind
	number float64
	text   string
}

type constKind uint8

const (
	constNil constKind = iota
	constFalse
	constTrue
	constNumber
	constText
)

// Limits of a function, those of C Lua.
const (
	maxRegisters = 250
	maxLocals    = 200
	maxUpvalues  = 60
	maxLooked    = 50_000_000 // variables that are looked at to find names, of a whole source: some 0.2 s
	noRegister   = 255
	maxOperand   = 1<<16 - 1 - constBit // the largest constant that an operand can name
	noJump       = -1                   // ends a list of jumps
)

// builder makes the code of one function.
type builder struct {
	*Code
	*compiler
	outer   *builder
	block   *block
	free    int   // first free register
	active  []int // indices of locals, of those in scope
	from    []capture
	target  int   // the last instruction that a jump leads to
	pending int   // jumps to the next instruction
	line    int32 // of the last token that was compiled
	known   map[constant]int
}

// block is a block that is being compiled.
type block struct {
	outer   *block
	breaks  int // list of jumps out of it
	active  int // local variables outside of it
	loop    bool
	escapes bool // a function uses one of its variables
}

func (b *builder) fail(format string, args ...any) {
	panic(&SourceError{Name: b.Name, Line: int(b.line), Text: fmt.Sprintf(format, args...)})
}

func (b *builder) tooMany(limit int, what string) {
	if b.first == 0 {
		b.fail("main function has more than %d %s", limit, what)
	}
	b.fail("function at line %d has more than %d %s", b.first, limit, what)
}

func (b *builder) pc() int { return len(b.code) }

// emit adds an instruction and returns where it is.
func (b *builder) emit(op uint8, a, x, y int) int {
	b.patchPending()
	b.code = append(b.code, inst{op: op, a: uint8(a), b: uint16(x), c: uint16(y)})
	b.lines = append(b.lines, b.line)
	return b.pc() - 1
}

func (b *builder) emitX(op uint8, a, x int) int {
	pc := b.emit(op, a, 0, 0)
	b.code[pc].x = int32(x)
	return pc
}

// onLine corrects the line of the last instruction.
func (b *builder) onLine(line int) { b.lines[b.pc()-1] = int32(line) }

// reserve takes n registers.
func (b *builder) reserve(n int) {
	b.free += n
	if b.free > b.registers {
		if b.free >= maxRegisters {
			b.fail("function or expression too complex")
		}
		b.registers = b.free
	}
}

// release gives a register back unless a variable lives there, or it is a constant.
func (b *builder) release(r int) {
	if r < constBit && r >= len(b.active) {
		b.free--
	}
}

func (b *builder) constant(k constant) int {
	if i, ok := b.known[k]; ok {
		return i
	}
	i := len(b.consts)
	b.known[k] = i
	b.consts = append(b.consts, k)
	return i
}

func (b *builder) text(s string) int {
	return b.constant(constant{kind: constText, text: b.name(s)})
}

// loadNil sets n registers to nil.
func (b *builder) loadNil(from, n int) {
	if pc := b.pc(); pc > b.target && pc > 0 { // nobody jumps here
		if i := &b.code[pc-1]; i.op == opLoadNil && int(i.a) <= from && from <= int(i.b)+1 {
			i.b = max(i.b, uint16(from+n-1))
			return
		}
	}
	b.emit(opLoadNil, from, from+n-1, 0)
}

func (b *builder) ret(first, n int) { b.emit(opReturn, first, n+1, 0) }

// Jumps. A list of them is the last one; each has the distance to the one before, noJump at the end, until its target is known.

func (b *builder) jump() int {
	before := b.pending
	b.pending = noJump
	j := b.emitX(opJmp, 0, noJump)
	return b.joined(j, before)
}

// label marks the next instruction as one that is jumped to.
func (b *builder) label() int {
	b.target = b.pc()
	return b.target
}

func (b *builder) follow(pc int) int {
	if x := int(b.code[pc].x); x != noJump {
		return pc + 1 + x
	}
	return noJump
}

func (b *builder) fix(pc, to int) { b.code[pc].x = int32(to - pc - 1) }

// joined is both lists as one.
func (b *builder) joined(list, other int) int {
	if other == noJump {
		return list
	}
	if list == noJump {
		return other
	}
	last := list
	for next := b.follow(last); next != noJump; next = b.follow(last) {
		last = next
	}
	b.fix(last, other)
	return list
}

// condition is the instruction that decides on a jump.
func (b *builder) condition(pc int) *inst {
	if pc > 0 && decides(b.code[pc-1].op) {
		return &b.code[pc-1]
	}
	return &b.code[pc]
}

func decides(op uint8) bool {
	switch op {
	case opEq, opEqK, opEqX, opLt, opLtK, opLtX, opLe, opLeK, opLeX, opTest, opTestSet:
		return true
	}
	return false
}

// needsValue says whether a jump of a list brings no value along.
func (b *builder) needsValue(list int) bool {
	for ; list != noJump; list = b.follow(list) {
		if b.condition(list).op != opTestSet {
			return true
		}
	}
	return false
}

// testInto lets the test before a jump put its value into a register, or none.
func (b *builder) testInto(pc, r int) bool {
	i := b.condition(pc)
	if i.op != opTestSet {
		return false
	}
	if r != noRegister && r != int(i.b) {
		i.a = uint8(r)
	} else {
		*i = inst{op: opTest, a: uint8(i.b), c: i.c}
	}
	return true
}

func (b *builder) removeValues(list int) {
	for ; list != noJump; list = b.follow(list) {
		b.testInto(list, noRegister)
	}
}

// patch leads the jumps of a list that bring a value, in register r, to one place, and the others to another.
func (b *builder) patch(list, withValue, r, without int) {
	for list != noJump {
		next := b.follow(list)
		if b.testInto(list, r) {
			b.fix(list, withValue)
		} else {
			b.fix(list, without)
		}
		list = next
	}
}

func (b *builder) patchPending() {
	list := b.pending
	b.pending = noJump
	b.patch(list, b.pc(), noRegister, b.pc())
}

// lead leads a list to an instruction.
func (b *builder) lead(list, to int) {
	if to == b.pc() {
		b.leadHere(list)
		return
	}
	b.patch(list, to, noRegister, to)
}

func (b *builder) leadHere(list int) {
	b.label()
	b.pending = b.joined(b.pending, list)
}

// Variables.

// declare begins the scope of variables in the next registers.
func (b *builder) declare(names ...string) {
	for _, name := range names {
		if len(b.active) >= maxLocals {
			b.tooMany(maxLocals, "local variables")
		}
		b.active = append(b.active, len(b.locals))
		b.locals = append(b.locals, localVar{name: b.name(name), from: b.pc()})
	}
}

// forget ends the scope of all but the first n variables.
func (b *builder) forget(n int) {
	for _, i := range b.active[n:] {
		b.locals[i].to = b.pc()
	}
	b.active = b.active[:n]
}

func (b *builder) enter(bl *block, loop bool) {
	*bl = block{outer: b.block, breaks: noJump, active: len(b.active), loop: loop}
	b.block = bl
}

func (b *builder) leave() {
	bl := b.block
	b.block = bl.outer
	b.forget(bl.active)
	if bl.escapes {
		b.emit(opClose, bl.active, 0, 0)
	}
	b.free = len(b.active)
	b.leadHere(bl.breaks)
}

// local finds the register of a variable of this function, -1 when there is none of that name.
func (b *builder) local(name string) int {
	for r := len(b.active) - 1; r >= 0; r-- {
		if b.locals[b.active[r]].name == name {
			return r
		}
	}
	return -1
}

// find returns what a name means here.
func (b *builder) find(name string, inner bool) expr {
	if b.looked += len(b.active) + 1; b.looked > maxLooked {
		b.fail("the source has too many names among too many variables")
	}
	if r := b.local(name); r >= 0 {
		if inner {
			b.escape(r)
		}
		return newExpr(exprLocal, r)
	}
	if b.outer == nil {
		return newExpr(exprGlobal, -1)
	}
	e := b.outer.find(name, true)
	if e.kind == exprGlobal {
		return e
	}
	return newExpr(exprUpvalue, b.upvalue(name, capture{local: e.kind == exprLocal, index: e.at}))
}

// escape notes that a function uses a variable, which has to leave the stack where its block ends.
func (b *builder) escape(r int) {
	bl := b.block
	for bl != nil && bl.active > r {
		bl = bl.outer
	}
	if bl != nil {
		bl.escapes = true
	}
}

func (b *builder) upvalue(name string, c capture) int {
	for i := range b.from {
		if b.from[i] == c {
			return i
		}
	}
	if len(b.from) >= maxUpvalues {
		b.tooMany(maxUpvalues, "upvalues")
	}
	b.from = append(b.from, c)
	b.upvalues = append(b.upvalues, name)
	return len(b.from) - 1
}

// exact gives back what was reserved for more.
func (c *Code) exact() {
	c.code, c.lines, c.consts = slices.Clone(c.code), slices.Clone(c.lines), slices.Clone(c.consts)
	c.subs, c.captures, c.locals, c.upvalues = slices.Clone(c.subs), slices.Clone(c.captures), slices.Clone(c.locals), slices.Clone(c.upvalues)
}

// size is what code takes, with what a State has of it.
func (c *Code) size() int64 {
	n := roundSize(int64(unsafe.Sizeof(*c))) + roundSize(int64(unsafe.Sizeof(proto{})))
	n += 2*roundSize(int64(len(c.code))*int64(unsafe.Sizeof(inst{}))) + roundSize(int64(len(c.lines))*4)
	n += roundSize(int64(len(c.consts))*int64(unsafe.Sizeof(constant{}))) + roundSize(int64(len(c.consts))*valueSize)
	n += 2*roundSize(int64(len(c.subs))*8) + roundSize(int64(len(c.subs))*24) + roundSize(int64(len(c.locals))*int64(unsafe.Sizeof(localVar{}))) + roundSize(int64(len(c.upvalues))*16)
	n += roundSize(int64(len(c.shapes)) * 24)
	for _, list := range c.shapes {
		n += roundSize(int64(len(list)) * 8)
	}
	for _, list := range c.captures {
		n += roundSize(int64(len(list)) * int64(unsafe.Sizeof(capture{})))
	}
	return n
}

// fuse gives what decides on a jump the way that the jump behind it goes.
func (c *Code) fuse() {
	for pc := range len(c.code) - 1 {
		if i, next := &c.code[pc], &c.code[pc+1]; decides(i.op) && next.op == opJmp || i.op == opTForCall {
			i.x = next.x + 1
		}
	}
}

// Use is what code says of a name.
type Use struct {
	Name string
	Line int
	Set  bool // it is a global that is set
	Text bool // it is a value, such as the argument of require
}

// Uses lists the globals that code reads and sets, and strings that it has as values.
func (c *Code) Uses(yield func(Use) bool) {
	c.uses(yield)
}

func (c *Code) uses(yield func(Use) bool) bool {
	for pc := range c.code {
		u, k := Use{Line: int(c.lines[pc])}, 0
		switch i := &c.code[pc]; i.op {
		case opGetGlobal, opSetGlobal:
			k, u.Set = int(i.b)|int(i.c)<<16, i.op == opSetGlobal
		case opLoadK:
			k, u.Text = int(i.x), true
		default:
			continue
		}
		if u.Name = c.consts[k].text; c.consts[k].kind == constText && !yield(u) {
			return false
		}
	}
	for _, sub := range c.subs {
		if !sub.uses(yield) {
			return false
		}
	}
	return true
}
