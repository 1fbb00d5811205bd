package vm

// nameOfRegister finds what the code calls the value of a register, as Lua 5.1 does: the name of a local variable,
// or the instruction that put it there.
func (L *State) nameOfRegister(f *frame, r int) string {
	kind, name := L.kindAndName(f, r)
	if name == "" {
		return ""
	}
	return kind + " '" + name + "'"
}

// kindAndName pays for the search, which goes through the function's code once for each copy of the value.
func (L *State) kindAndName(f *frame, r int) (kind, name string) {
	steps := 0
	kind, name = f.fn.p.nameOf(int(f.pc)-1, r, &steps)
	L.spend(int64(steps) / 16)
	return kind, name
}

// calledAs is what the code that called the running function of the host calls it; "" when no Lua code has.
func (L *State) calledAs() (kind, name string) {
	frames := L.current.frames
	i := len(frames) - 1
	if L.results >= 0 { // it has waited, and has a frame
		i--
	}
	if i < 0 || frames[i].fn == nil || frames[i].pc == 0 {
		return "", ""
	}
	f := &frames[i]
	switch in := f.fn.p.code[f.pc-1]; in.op {
	case opCall, opTailCall, opTForCall:
		return L.kindAndName(f, int(in.a))
	}
	return "", ""
}

// nameOf is what the code calls the value that a register has before an instruction. steps counts what it looks at.
func (c *Code) nameOf(at, r int, steps *int) (kind, name string) {
	*steps += at + len(c.locals)
	if name := c.localName(at, r); name != "" {
		return "local", name
	}
	pc := c.lastSet(at, r)
	if pc < 0 {
		return "", ""
	}
	switch i := &c.code[pc]; i.op {
	case opGetGlobal:
		return "global", c.consts[int(i.b)|int(i.c)<<16].text
	case opMove:
		if i.b < uint16(i.a) {
			return c.nameOf(pc, int(i.b), steps)
		}
	case opGetTableS:
		return "field", c.consts[i.c].text
	case opGetTable, opGetTableK:
		return "field", "?"
	case opGetUpval:
		return "upvalue", c.upvalues[i.b]
	case opSelf:
		return "method", c.consts[i.c].text
	}
	return "", ""
}

// localName is the name of the local variable that lives in a register.
func (c *Code) localName(pc, r int) string {
	for i := range c.locals {
		l := &c.locals[i]
		if l.from > pc {
			break
		}
		if pc < l.to {
			if r == 0 {
				return l.name
			}
			r--
		}
	}
	return ""
}

// lastSet finds the instruction before at that set a register, following the code as Lua 5.1's symbolic execution
// does: jumps forward that do not pass at are taken.
func (c *Code) lastSet(at, r int) int {
	last := -1
	for pc := 0; pc < at; pc++ {
		i := &c.code[pc]
		a := int(i.a)
		switch i.op {
		case opLoadNil:
			if a <= r && r <= int(i.b) {
				last = pc
			}
		case opTForCall:
			if r >= a+3 {
				last = pc
			}
		case opCall, opTailCall:
			if r >= a {
				last = pc
			}
		case opSelf:
			if r == a || r == a+1 {
				last = pc
			}
		case opVararg:
			if r == a || r > a && (i.b == 0 || r < a+int(i.b)-1) {
				last = pc
			}
		case opJmp, opForLoop, opForPrep:
			if i.op != opJmp && r == a {
				last = pc
			}
			if to := pc + 1 + int(i.x); to > pc && to <= at {
				pc = to - 1
			}
		case opSetGlobal, opSetUpval, opSetTable, opSetTableS, opSetList, opEq, opEqK, opEqX, opLt, opLtK, opLtX, opLe, opLeK, opLeX, opReturn, opClose, opTForLoop:
		default:
			if r == a {
				last = pc
			}
		}
	}
	return last
}
