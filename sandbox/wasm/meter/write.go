package meter

import (
	"encoding/binary"
	"strconv"
)

// writer writes one metered body.
type writer struct {
	p      *parsed
	f      *function
	out    []byte
	copied []piece // now in out, was in the module

	same bool // the global holds what the local does, on every way to here

	// globals and locals of ours
	gFuel, gStack, gFull uint32
	fuel, stack, tmp     uint32
}

// write appends the metered form of a body, whose bytes are from start to end, to the new code section.
func (p *parsed) write(f *function, start, end int) {
	n := uint32(len(p.globals))
	w := &writer{p: p, f: f, gFuel: n, gStack: n + 1, gFull: n + 2}
	w.fuel = uint32(len(f.locals))
	w.stack, w.tmp = w.fuel+1, w.fuel+2
	w.locals(start)
	w.op(opBlock, 0x40)
	w.op(opBlock)
	w.resultType(f.typ.Results)
	w.begin()
	at := f.events[0].at // behind the locals
	for i := range f.events {
		e := &f.events[i]
		w.keep(at, e.at)
		w.event(e, i == 0)
		at = e.end
	}
	w.keep(at, end) // with the end, which is that of $body now
	w.finish()
	p.bodies = appendU32(p.bodies, uint32(len(w.out)))
	base := len(p.bodies) + len(appendU32(nil, uint32(p.codes)))
	for _, c := range w.copied {
		p.out.pieces = append(p.out.pieces, piece{int32(base) + c.now, c.was - int32(p.span[secCode][0])})
	}
	p.bodies = append(p.bodies, w.out...)
}

// keep copies bytes of the original.
func (w *writer) keep(from, to int) {
	if w.p.opt.Offsets && to > from {
		w.copied = append(w.copied, piece{int32(len(w.out)), int32(from)})
	}
	w.out = append(w.out, w.p.r.b[from:to]...)
}

func (w *writer) op(bytes ...byte) { w.out = append(w.out, bytes...) }

// with is an opcode with a number.
func (w *writer) with(op byte, n uint32) { w.out = appendU32(append(w.out, op), n) }

func (w *writer) i32Const(n int32) { w.out = appendSigned(append(w.out, opI32Const), int64(n)) }
func (w *writer) i64Const(n int64) { w.out = appendSigned(append(w.out, opI64Const), n) }

// locals writes those of the original and three more.
func (w *writer) locals(start int) {
	r := &reader{b: w.p.r.b, at: start, end: w.p.r.end}
	groups := r.u32()
	from := r.at
	for range groups {
		r.u32()
		r.byte()
	}
	w.out = appendU32(w.out, groups+2)
	w.out = append(w.out, w.p.r.b[from:r.at]...)
	w.op(2, i64, 1, i32)
}

func (w *writer) resultType(results string) {
	switch len(results) {
	case 0:
		w.op(0x40)
	case 1:
		w.op(results[0])
	default:
		w.out = appendSigned(w.out, int64(w.p.typeOf(FuncType{Results: results})))
	}
}

// typeOf is the number of a type, which is added when the module does not have it.
func (p *parsed) typeOf(t FuncType) int {
	if p.known == nil {
		p.known = map[FuncType]int{}
		for i, have := range p.types {
			p.known[have] = i
		}
	}
	n, ok := p.known[t]
	if !ok {
		n = len(p.types) + len(p.extra)
		p.known[t] = n
		p.extra = append(p.extra, t)
	}
	return n
}

// frame estimates from above how many bytes of stack a call of the function takes.
func (w *writer) frame() int64 {
	f := w.f
	slot := 8
	if f.simd {
		slot = 16
	}
	n := 64 + slot*(len(f.locals)+f.height) + (w.p.r.end-f.events[0].at)/2
	return int64(n)
}

// counted says whether calls of the function take from the stack: one that calls nothing only if it is large.
func (w *writer) counted() bool { return w.f.calls || w.frame() > 4096 }

func (w *writer) begin() {
	w.with(opGlobalGet, w.gFuel)
	if !w.counted() {
		return
	}
	w.with(opGlobalGet, w.gStack)
	w.i64Const(w.frame())
	w.op(opI64Sub)
	w.with(opLocalTee, w.stack)
	w.with(opGlobalSet, w.gStack)
}

func (w *writer) event(e *event, first bool) {
	out := uint32(e.depth + 1) // label of $out
	switch e.kind {
	case evCharge:
		w.charge(e, out, first)
	case evCall:
		if !w.same {
			w.sync()
		}
		w.copy(e)
		w.with(opGlobalGet, w.gFuel)
		w.with(opLocalSet, w.fuel)
		w.same = true
	case evReturn:
		w.with(opBr, uint32(e.depth))
	case evTrap:
		w.sync()
		w.copy(e)
	case evBulk:
		w.chargeBulk(out, func() { w.i64Const(e.cost); w.op(opI64ShrU) })
		w.copy(e)
	case evGrow, evGrowLong:
		w.chargeBulk(out, func() {
			if e.kind == evGrowLong {
				w.i64Const(e.cost)
				w.op(opI64Mul)
			}
		})
		w.copy(e)
		w.grown()
	}
}

func (w *writer) copy(e *event) { w.keep(e.at, e.end) }

// sync puts the fuel that is left into the global.
func (w *writer) sync() {
	w.with(opLocalGet, w.fuel)
	w.with(opGlobalSet, w.gFuel)
}

// cheap is what a function may cost that calls nothing and does not ask at its beginning whether there is enough. One body has no more
// than 350 000 calls of such functions.
const cheap = 64

// charge takes a piece's fuel. Whether there was enough is asked where a function begins, unless it is cheap, and each time round a
// loop: in between a call can overdraw no more than what one body and its calls of cheap functions hold, some milliseconds at the very most.
func (w *writer) charge(e *event, out uint32, first bool) {
	if !e.soft || e.cost > 0 { // other ways may lead to here
		w.same = false
	}
	if !first {
		if e.cost == 0 && !e.loop {
			return
		}
		w.with(opLocalGet, w.fuel)
	} // else it lies on the stack of values, see begin
	w.i64Const(e.cost)
	w.op(opI64Sub)
	if !e.loop && !(first && (w.counted() || w.f.total > cheap)) {
		w.with(opLocalSet, w.fuel)
		return
	}
	w.with(opLocalTee, w.fuel)
	if first && w.counted() { // both at once: one of them is below 0
		w.with(opLocalGet, w.stack)
		w.op(opI64Or)
	}
	w.below(out)
}

// below leaves when what lies on the stack is below 0.
func (w *writer) below(out uint32) {
	w.i64Const(0)
	w.op(opI64LtS)
	w.with(opBrIf, out)
}

// chargeBulk takes what scale makes of the operand on top, which stays there.
func (w *writer) chargeBulk(out uint32, scale func()) {
	w.same = false
	w.with(opLocalSet, w.tmp)
	w.with(opLocalGet, w.fuel)
	w.with(opLocalGet, w.tmp)
	w.op(opI64ExtendU)
	scale()
	w.op(opI64Sub)
	w.with(opLocalTee, w.fuel)
	w.below(out)
	w.with(opLocalGet, w.tmp)
}

// grown ends the call when what lies on the stack says that growing failed.
func (w *writer) grown() {
	w.with(opLocalTee, w.tmp)
	w.i32Const(-1)
	w.op(opI32Eq, opIf, 0x40)
	w.i32Const(1)
	w.with(opGlobalSet, w.gFull)
	w.sync()
	w.op(opUnreachable, opEnd)
	w.with(opLocalGet, w.tmp)
}

// finish writes what comes after $body: the way out that is good, and the other.
func (w *writer) finish() {
	if w.counted() {
		w.with(opLocalGet, w.stack)
		w.i64Const(w.frame())
		w.op(opI64Add)
		w.with(opGlobalSet, w.gStack)
	}
	w.sync()
	w.op(opReturn, opEnd)
	w.sync()
	w.op(opUnreachable, opEnd)
}

// assemble makes the new module.
func (p *parsed) assemble(b []byte) []byte {
	out := make([]byte, 0, len(b)+len(b)/2+1024)
	out = append(out, b[:8]...)
	keep := func(id byte) {
		if p.has[id] {
			out = appendSection(out, id, b[p.span[id][0]:p.span[id][1]])
		}
	}
	if types := len(p.types) + len(p.extra); types > 0 {
		out = appendSection(out, secType, p.newTypes())
	}
	keep(secImport)
	keep(secFunction)
	if p.has[secTable] {
		out = appendSection(out, secTable, p.newTables())
	}
	if p.memory != nil {
		out = appendSection(out, secMemory, appendLimits([]byte{1}, *p.memory))
	}
	out = appendSection(out, secGlobal, p.newGlobals(b))
	out = appendSection(out, secExport, p.newExports(b))
	keep(secElement)
	keep(secDataCount)
	if p.has[secCode] {
		out = appendSection(out, secCode, append(appendU32(nil, uint32(p.codes)), p.bodies...))
	}
	keep(secData)
	if p.opt.Offsets {
		out = appendOffsetSections(out)
	}
	if p.name[1] > 0 {
		out = appendSection(out, secCustom, b[p.name[0]:p.name[1]])
	}
	return out
}

// appendOffsetSections adds the least DWARF that there is: one unit that covers all code, and one line. With it wazero says in a trace
// at which offset of the code section each function was.
func appendOffsetSections(dst []byte) []byte {
	abbrev := []byte{1, 0x11, 0, 0x11, 0x01, 0x12, 0x06, 0x10, 0x17, 0, 0, 0}                        // a compile unit: low_pc, high_pc as a length, stmt_list
	unit := []byte{4, 0, 0, 0, 0, 0, 4, 1, 1, 0, 0, 0, 0xf0, 0xff, 0xff, 0x7f, 0, 0, 0, 0}           // version 4, 4 bytes an address; from 1 on
	head := []byte{1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 'f', 0, 0, 0, 0, 0} // the usual numbers, no folder, a file "f"
	program := []byte{0, 5, 2, 1, 0, 0, 0, 1, 2, 0xf0, 0xff, 0xff, 0xff, 7, 0, 1, 1}                 // address 1, a row, on to the end
	line := append([]byte{4, 0}, binary.LittleEndian.AppendUint32(nil, uint32(len(head)))...)
	line = append(append(line, head...), program...)
	for _, s := range []struct {
		name    string
		content []byte
	}{
		{".debug_abbrev", abbrev}, {".debug_info", append(binary.LittleEndian.AppendUint32(nil, uint32(len(unit))), unit...)},
		{".debug_line", append(binary.LittleEndian.AppendUint32(nil, uint32(len(line))), line...)}, {".debug_str", []byte{0}},
	} {
		dst = appendSection(dst, secCustom, append(appendName(nil, s.name), s.content...))
	}
	return dst
}

func (p *parsed) newTypes() []byte {
	all := append(p.types[:len(p.types):len(p.types)], p.extra...)
	out := appendU32(nil, uint32(len(all)))
	for _, t := range all {
		out = appendName(append(out, 0x60), t.Params)
		out = appendName(out, t.Results)
	}
	return out
}

func appendLimits(dst []byte, l limits) []byte {
	return appendU32(appendU32(append(dst, 1), l.min), l.max)
}

func (p *parsed) newTables() []byte {
	out := appendU32(nil, uint32(len(p.tables)))
	for _, t := range p.tables {
		out = appendLimits(append(out, t.elem), t.limits)
	}
	return out
}

// content is a section's without the number of things in it.
func (p *parsed) content(b []byte, id byte) []byte {
	r := &reader{b: b, at: p.span[id][0], end: p.span[id][1]}
	if p.has[id] {
		r.u32()
	}
	return b[r.at:r.end]
}

// newGlobals has those of the original, and the host's, which are full until the host says otherwise.
func (p *parsed) newGlobals(b []byte) []byte {
	out := appendU32(nil, uint32(len(p.globals))+3)
	out = append(out, p.content(b, secGlobal)...)
	out = append(out, i64, 1, opI64Const, 0, opEnd)
	out = append(appendSigned(append(out, i64, 1, opI64Const), StackBytes), opEnd)
	return append(out, i32, 1, opI32Const, 0, opEnd)
}

func (p *parsed) newExports(b []byte) []byte {
	n := uint32(len(p.globals))
	more := []struct {
		name string
		kind byte
		at   uint32
	}{{Fuel, 3, n}, {Stack, 3, n + 1}, {Full, 3, n + 2}}
	if p.start >= 0 {
		more = append(more, struct {
			name string
			kind byte
			at   uint32
		}{Start, 0, uint32(p.start)})
	}
	k := 0
	for i, g := range p.globals {
		if g.mutable {
			more = append(more, struct {
				name string
				kind byte
				at   uint32
			}{Global + strconv.Itoa(k), 3, uint32(i)})
			k++
		}
	}
	out := appendU32(nil, uint32(len(p.out.Exports)+len(more)))
	out = append(out, p.content(b, secExport)...)
	for _, e := range more {
		out = appendU32(append(appendName(out, e.name), e.kind), e.at)
	}
	return out
}
