package meter

func (f *function) control(op byte, at int) {
	r := f.r
	switch op {
	case opNop:
	case opUnreachable:
		f.charge(1)
		f.act(evTrap, at, 0)
		f.dead()
		f.piece(r.at, false)
	case opBlock:
		f.enter(op, f.blockType())
	case opLoop:
		f.enter(op, f.blockType())
		f.piece(r.at, false)
		f.events[f.cur].loop = true
	case opIf:
		t := f.blockType()
		f.popType(i32)
		f.charge(1)
		f.enter(op, t)
		f.piece(r.at, false)
	case opElse:
		if f.blocks[len(f.blocks)-1].op != opIf {
			r.fail(at, "an else is in no if")
			return
		}
		top := f.leave()
		f.blocks = append(f.blocks, block{op: opElse, params: top.params, results: top.results, height: len(f.stack), used: true})
		f.pushAll(top.params)
		f.piece(r.at, false)
	case opEnd:
		f.end(at)
	case opBr:
		f.charge(1)
		f.popAll(f.target().label())
		f.dead()
		f.piece(r.at, false)
	case opBrIf:
		f.charge(1)
		label := f.target().label()
		f.popType(i32)
		f.popAll(label)
		f.pushAll(label)
		f.piece(r.at, true)
	case opBrTable:
		f.branchTable()
	case opReturn:
		f.charge(1)
		f.blocks[0].used = true
		f.popAll(f.typ.Results)
		f.act(evReturn, at, 0)
		f.dead()
		f.piece(r.at, false)
	case opCall:
		f.call(at)
	case opCallIndirect:
		f.callIndirect(at)
	default:
		r.fail(at, "the instruction 0x%02x is not known", op)
	}
}

func (f *function) end(at int) {
	top := f.leave()
	if f.r.err != nil {
		return
	}
	if top.op == opIf && top.params != top.results { // there is no else, and so the parameters are the results
		f.r.fail(at, "an if without an else takes and gives other things")
		return
	}
	if len(f.blocks) == 0 {
		return
	}
	f.pushAll(top.results)
	if top.op != opBlock || top.used || top.unreachable {
		f.piece(f.r.at, false)
	}
}

func (f *function) branchTable() {
	r := f.r
	n := r.count2(maxTargets, "targets of a branch")
	if n > r.end-r.at {
		r.fail(r.at, "%d targets were to come, there are %d bytes", n, r.end-r.at)
		return
	}
	f.charge(costTable)
	f.popType(i32)
	labels := map[string]bool{}
	arity := -1
	for range n + 1 {
		at := r.at
		label := f.target().label()
		if r.err != nil {
			return
		}
		if arity >= 0 && len(label) != arity {
			r.fail(at, "the targets of a branch take %d and %d values", arity, len(label))
			return
		}
		arity = len(label)
		if labels[label] {
			continue
		}
		labels[label] = true
		f.peekAll(label)
	}
	f.dead()
	f.piece(r.at, false)
}

// peekAll checks that the values are there and leaves them as they are.
func (f *function) peekAll(types string) {
	n := len(f.stack)
	f.popAll(types)
	f.stack = f.stack[:n] // taking moves the end only
}

func (f *function) call(at int) {
	n := f.index(len(f.p.funcs), "function")
	if n < 0 {
		return
	}
	t := f.p.types[f.p.funcs[n]]
	cost := int64(costCall)
	if n < f.p.imported && f.p.opt.ImportCost != nil {
		i := f.p.out.Imports[n]
		cost += f.p.opt.ImportCost(i.Module, i.Name)
	}
	f.charge(cost)
	f.popAll(t.Params)
	f.pushAll(t.Results)
	f.calls = true
	f.act(evCall, at, 0)
}

func (f *function) callIndirect(at int) {
	n := f.index(len(f.p.types), "type")
	tab := f.index(len(f.p.tables), "table")
	if n < 0 || tab < 0 {
		return
	}
	if f.p.tables[tab].elem != funcref {
		f.r.fail(at, "an indirect call goes through a table of %s", typeName(f.p.tables[tab].elem))
		return
	}
	f.charge(costIndirect)
	f.popType(i32)
	f.popAll(f.p.types[n].Params)
	f.pushAll(f.p.types[n].Results)
	f.calls = true
	f.act(evCall, at, 0)
}

func (f *function) variable(op byte, at int) {
	r := f.r
	switch op {
	case opDrop:
		f.pop()
	case opSelect:
		f.charge(1)
		f.popType(i32)
		a, b := f.pop(), f.pop()
		switch {
		case r.err != nil:
		case isReference(a) || isReference(b) || a != b && a != unknown && b != unknown:
			r.fail(at, "select takes two numbers of one type, and there are %s and %s", typeName(b), typeName(a))
		}
		if a == unknown {
			a = b
		}
		f.push(a)
	case opSelectType:
		f.charge(1)
		if n := r.u32(); r.err == nil && n != 1 {
			r.fail(at, "select gives %d values", n)
			return
		}
		t := r.byte()
		if !isValueType(t) {
			r.fail(at, "select gives %s", typeName(t))
			return
		}
		f.popAll(string([]byte{t, t, i32}))
		f.push(t)
	case opLocalGet, opLocalSet, opLocalTee:
		f.charge(1)
		n := f.index(len(f.locals), "local")
		if n < 0 {
			return
		}
		if op != opLocalGet {
			f.popType(f.locals[n])
		}
		if op != opLocalSet {
			f.push(f.locals[n])
		}
	case opGlobalGet, opGlobalSet:
		f.charge(1)
		n := f.index(len(f.p.globals), "global")
		switch {
		case n < 0:
		case op == opGlobalGet:
			f.push(f.p.globals[n].typ)
		case !f.p.globals[n].mutable:
			r.fail(at, "global %d cannot be changed", n)
		default:
			f.popType(f.p.globals[n].typ)
		}
	case opTableGet, opTableSet:
		f.charge(costTable)
		n := f.index(len(f.p.tables), "table")
		switch {
		case n < 0:
		case op == opTableGet:
			f.popType(i32)
			f.push(f.p.tables[n].elem)
		default:
			f.popType(f.p.tables[n].elem)
			f.popType(i32)
			f.p.out.HasTables = true
		}
	default:
		r.fail(at, "the instruction 0x%02x is not known", op)
	}
}

func isReference(t byte) bool { return t == funcref || t == extref }

func (f *function) memoryOrConstant(op byte, at int) {
	r := f.r
	switch op {
	case opMemorySize, opMemoryGrow:
		f.memory(at)
		if where := r.at; r.byte() != 0 {
			r.fail(where, "there is one memory")
		}
		if op == opMemoryGrow {
			f.charge(costGrow)
			f.popType(i32)
			f.tmp = true
			f.act(evGrowLong, at, costPage)
		} else {
			f.charge(1)
		}
		f.push(i32)
	case opI32Const:
		r.signed(32)
		f.charge(1)
		f.push(i32)
	case opI64Const:
		r.signed(64)
		f.charge(1)
		f.push(i64)
	case opF32Const:
		r.bytes(4)
		f.charge(1)
		f.push(f32)
	case opF64Const:
		r.bytes(8)
		f.charge(1)
		f.push(f64)
	}
}

func (f *function) reference(op byte, at int) {
	r := f.r
	f.charge(1)
	switch op {
	case opRefNull:
		t := r.byte()
		if !isReference(t) {
			r.fail(at, "there is no null of %s", typeName(t))
		}
		f.push(t)
	case opRefIsNull:
		if t := f.pop(); r.err == nil && t != unknown && !isReference(t) {
			r.fail(at, "%s is no reference", typeName(t))
		}
		f.push(i32)
	case opRefFunc:
		n := f.index(len(f.p.funcs), "function")
		if n >= 0 && !f.p.declared[n] {
			r.fail(at, "function %d is not declared as one that is referred to", n)
		}
		f.push(funcref)
	}
}

// misc are the instructions after 0xfc: conversions, and what works on many bytes or entries at once.
func (f *function) misc(at int) {
	r := f.r
	n := r.u32()
	if r.err == nil && n < uint32(len(misc)) {
		f.signature(&misc[n])
		return
	}
	f.charge(2)
	kind, cost := evBulk, int64(bulkEntries)
	switch n {
	case miscMemoryInit, miscDataDrop:
		if !f.p.has[secDataCount] {
			r.fail(at, "the data count section is missing")
			return
		}
		f.index(f.p.data, "data segment")
		f.p.out.HasTables = f.p.out.HasTables || n == miscDataDrop
		if n == miscDataDrop {
			return
		}
		f.memoryIndex(at)
		cost = bulkBytes
		f.popAll("\x7f\x7f\x7f")
	case miscMemoryCopy:
		f.memoryIndex(at)
		f.memoryIndex(at)
		cost = bulkBytes
		f.popAll("\x7f\x7f\x7f")
	case miscMemoryFill:
		f.memoryIndex(at)
		cost = bulkBytes
		f.popAll("\x7f\x7f\x7f")
	case miscTableInit:
		seg, tab := f.index(len(f.p.elements), "element segment"), f.index(len(f.p.tables), "table")
		if seg >= 0 && tab >= 0 && f.p.elements[seg] != f.p.tables[tab].elem {
			r.fail(at, "an element segment and its table hold other things")
		}
		f.popAll("\x7f\x7f\x7f")
		f.p.out.HasTables = true
	case miscElemDrop:
		f.index(len(f.p.elements), "element segment")
		f.p.out.HasTables = true
		return
	case miscTableCopy:
		to, from := f.index(len(f.p.tables), "table"), f.index(len(f.p.tables), "table")
		if to >= 0 && from >= 0 && f.p.tables[to].elem != f.p.tables[from].elem {
			r.fail(at, "two tables hold other things")
		}
		f.popAll("\x7f\x7f\x7f")
		f.p.out.HasTables = true
	case miscTableGrow, miscTableFill, miscTableSize:
		tab := f.index(len(f.p.tables), "table")
		if tab < 0 {
			return
		}
		elem := f.p.tables[tab].elem
		switch n {
		case miscTableSize:
			f.push(i32)
			return
		case miscTableGrow:
			f.charge(costGrow)
			f.popAll(string([]byte{elem, i32}))
			f.push(i32)
			kind = evGrow
		default:
			f.popAll(string([]byte{i32, elem, i32}))
		}
		f.p.out.HasTables = true
	default:
		r.fail(at, "the instruction 0xfc 0x%02x is not known", n)
		return
	}
	f.tmp = true
	f.act(kind, at, cost)
}

func (f *function) memoryIndex(at int) {
	f.memory(at)
	if where := f.r.at; f.r.byte() != 0 {
		f.r.fail(where, "there is one memory")
	}
}
