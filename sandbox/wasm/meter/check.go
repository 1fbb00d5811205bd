package meter

// block is an entry of the stack of control: a block, loop, if or the function itself.
type block struct {
	op              byte
	params, results string
	height          int  // of the value stack below its parameters
	unreachable     bool // what follows in it is never run
	used            bool // something branches to its end
}

// label is what a branch to the block has to bring.
func (b *block) label() string {
	if b.op == opLoop {
		return b.params
	}
	return b.results
}

// event is a place of a body where the writer has something to do.
type event struct {
	at, end int // bytes of the original that it stands for; a charge has none
	kind    eventKind
	soft    bool // of a charge: the piece before it always runs when this one does
	loop    bool // of a charge: it is run for each time round
	depth   int  // blocks around it
	cost    int64
}

type eventKind uint8

const (
	evCharge   eventKind = iota // take cost before what follows
	evCall                      // the callee takes fuel itself
	evReturn                    // becomes a branch
	evTrap                      // unreachable
	evBulk                      // takes cost by its last operand, shifted by what cost says
	evGrow                      // the same, and ends the call when it fails
	evGrowLong                  // a multiple of its operand instead
)

// Fuel of instructions that have no signature, and what bulk instructions take.
const (
	costCall     = 4
	costIndirect = 8
	costTable    = 3
	costGrow     = 100
	costPage     = 4096 // of memory that is new
	bulkBytes    = 4    // as a shift: 16 bytes a unit
	bulkEntries  = 0
)

// function checks one body and notes what has to be written.
type function struct {
	p      *parsed
	r      *reader
	typ    FuncType
	locals []byte // types, parameters first
	stack  []byte // types
	blocks []block
	events []event
	cur    int // the event that charges for what is read

	total  int64 // what all pieces cost
	height int   // most values on the stack
	calls  bool  // it calls others
	tmp    bool  // it needs a further local
	simd   bool
}

func (p *parsed) readCode() {
	r := p.r
	n := r.count(maxFunctions, "bodies")
	if r.err == nil && n != len(p.funcs)-p.imported {
		r.fail(r.at, "%d functions are declared and %d have code", len(p.funcs)-p.imported, n)
	}
	p.codes = n
	if p.declared == nil {
		p.declared = make([]bool, len(p.funcs))
	}
	f := &function{p: p, r: r}
	end := r.end
	for i := range n {
		size := r.count(maxBody, "bytes of a function")
		if r.err != nil {
			return
		}
		start := r.at
		r.end = start + size
		f.check(p.types[p.funcs[p.imported+i]])
		if r.err != nil {
			return
		}
		if r.at != r.end {
			r.fail(r.at, "a function goes on after its end")
			return
		}
		p.write(f, start, r.end)
		r.end = end
	}
}

// check reads a body: locals, and instructions to the end of the function.
func (f *function) check(typ FuncType) {
	f.typ = typ
	f.locals = append(f.locals[:0], typ.Params...)
	f.stack, f.blocks, f.events = f.stack[:0], f.blocks[:0], f.events[:0]
	f.height, f.calls, f.tmp, f.simd = 0, false, false, false
	f.readLocals()
	f.blocks = append(f.blocks, block{results: typ.Results})
	f.piece(f.r.at, false)
	f.charge(2 + int64(len(f.locals))/4)
	for len(f.blocks) > 0 && f.r.err == nil {
		f.instruction()
	}
	f.merge()
}

func (f *function) readLocals() {
	r := f.r
	groups := r.count(maxLocals, "groups of locals")
	for ; groups > 0 && r.err == nil; groups-- {
		at := r.at
		n := r.u32()
		t := r.byte()
		switch {
		case r.err != nil:
			return
		case !isValueType(t):
			r.fail(at, "0x%02x is no type of a local", t)
			return
		case int64(len(f.locals))+int64(n) > maxLocals:
			r.fail(at, "a function has %d locals and parameters or more, %d are allowed", int64(len(f.locals))+int64(n), maxLocals)
			return
		}
		f.simd = f.simd || t == v128
		for range n {
			f.locals = append(f.locals, t)
		}
	}
}

// piece begins a straight piece of code at a byte.
func (f *function) piece(at int, soft bool) {
	f.cur = len(f.events)
	f.events = append(f.events, event{at: at, end: at, kind: evCharge, soft: soft, depth: len(f.blocks) - 1})
}

func (f *function) charge(cost int64) { f.events[f.cur].cost += cost }

// act notes an instruction that is written in another way.
func (f *function) act(kind eventKind, at int, cost int64) {
	f.events = append(f.events, event{at: at, end: f.r.at, kind: kind, depth: len(f.blocks) - 1, cost: cost})
}

// smallPiece is how much a piece after a conditional branch may cost to be charged before the branch.
const smallPiece = 64

// merge charges a small piece that only runs when the one before it has run together with that, which saves an addition and a
// comparison; a branch that is taken then pays for a little too much, always the same.
func (f *function) merge() {
	f.total = 0
	for i := range f.events {
		if e := &f.events[i]; e.kind == evCharge {
			f.total += e.cost
		}
	}
	last := -1 // the newest charge behind the one looked at, if it may be merged
	for i := len(f.events) - 1; i >= 0; i-- {
		e := &f.events[i]
		if e.kind != evCharge {
			continue
		}
		if last >= 0 {
			e.cost += f.events[last].cost
			f.events[last].cost = 0
		}
		last = -1
		if e.soft && e.cost <= smallPiece {
			last = i
		}
	}
}

func (f *function) push(t byte) {
	f.stack = append(f.stack, t)
	f.height = max(f.height, len(f.stack))
}

func (f *function) pushAll(types string) {
	for _, t := range []byte(types) {
		f.push(t)
	}
}

// pop takes a value of any type; unknown is one of code that never runs.
func (f *function) pop() byte {
	top := &f.blocks[len(f.blocks)-1]
	if len(f.stack) == top.height {
		if !top.unreachable {
			f.r.fail(f.r.at, "an instruction takes a value, and there is none")
		}
		return unknown
	}
	t := f.stack[len(f.stack)-1]
	f.stack = f.stack[:len(f.stack)-1]
	return t
}

func (f *function) popType(want byte) {
	if got := f.pop(); got != want && got != unknown && f.r.err == nil {
		f.r.fail(f.r.at, "an instruction takes %s, and there is %s", typeName(want), typeName(got))
	}
}

func (f *function) popAll(types string) {
	for i := len(types) - 1; i >= 0 && f.r.err == nil; i-- {
		f.popType(types[i])
	}
}

func (f *function) enter(op byte, t FuncType) {
	f.popAll(t.Params)
	if len(f.blocks) >= maxDepth {
		f.r.fail(f.r.at, "blocks are nested more than %d deep", maxDepth)
		return
	}
	f.blocks = append(f.blocks, block{op: op, params: t.Params, results: t.Results, height: len(f.stack)})
	f.pushAll(t.Params)
}

// leave ends the innermost block and returns it.
func (f *function) leave() block {
	top := f.blocks[len(f.blocks)-1]
	f.popAll(top.results)
	if f.r.err == nil && len(f.stack) != top.height {
		f.r.fail(f.r.at, "a block leaves %d values too many", len(f.stack)-top.height)
	}
	f.blocks = f.blocks[:len(f.blocks)-1]
	return top
}

// dead says that what follows in this block is never run.
func (f *function) dead() {
	top := &f.blocks[len(f.blocks)-1]
	f.stack, top.unreachable = f.stack[:top.height], true
}

func (f *function) blockType() FuncType {
	r := f.r
	at := r.at
	if c := r.byte(); r.err != nil || c == 0x40 {
		return FuncType{}
	} else if isValueType(c) {
		return FuncType{Results: string([]byte{c})}
	}
	r.at = at
	n := r.signed(33)
	if r.err == nil && (n < 0 || n >= int64(len(f.p.types))) {
		r.fail(at, "there is no type %d", n)
	}
	if r.err != nil {
		return FuncType{}
	}
	return f.p.types[n]
}

// target reads a label and returns the block that it names.
func (f *function) target() *block {
	at := f.r.at
	n := f.r.u32()
	if f.r.err == nil && int64(n) >= int64(len(f.blocks)) {
		f.r.fail(at, "a branch goes %d blocks out, there are %d", n, len(f.blocks))
	}
	if f.r.err != nil {
		return &block{}
	}
	b := &f.blocks[len(f.blocks)-1-int(n)]
	b.used = true
	return b
}

// index reads the number of something of which there are n.
func (f *function) index(n int, what string) int {
	at := f.r.at
	i := f.r.u32()
	if f.r.err == nil && int64(i) >= int64(n) {
		f.r.fail(at, "there is no %s %d", what, i)
	}
	if f.r.err != nil {
		return -1
	}
	return int(i)
}

func (f *function) instruction() {
	r := f.r
	at := r.at
	op := r.byte()
	if r.err != nil {
		return
	}
	if s := &plain[op]; s.known {
		f.signature(s)
		return
	}
	switch {
	case op <= opCallIndirect:
		f.control(op, at)
	case op <= opTableSet:
		f.variable(op, at)
	case op >= opMemorySize && op <= opF64Const:
		f.memoryOrConstant(op, at)
	case op >= opRefNull && op <= opRefFunc:
		f.reference(op, at)
	case op == opPrefixMisc:
		f.misc(at)
	case op == opPrefixSIMD:
		f.simd = true
		if n := r.u32(); n < 256 && simd[n].known {
			f.signature(&simd[n])
		} else {
			r.fail(at, "the instruction 0xfd 0x%02x is not known", n)
		}
	default:
		r.fail(at, "the instruction 0x%02x is not known", op)
	}
}

func (f *function) signature(s *signature) {
	r := f.r
	at := r.at
	switch s.imm {
	case memarg, memlane:
		f.memory(at)
		if a := r.u32(); r.err == nil && a > uint32(s.align) {
			r.fail(at, "an access to memory is aligned to 2^%d bytes, its size is 2^%d", a, s.align)
		}
		r.u32()
		if s.imm == memlane {
			f.lane(s.lanes)
		}
	case lane:
		f.lane(s.lanes)
	case bytes16:
		r.bytes(16)
	case shuffles:
		for range 16 {
			f.lane(s.lanes)
		}
	}
	f.popAll(s.in)
	f.pushAll(s.out)
	f.charge(int64(s.cost))
}

func (f *function) lane(lanes uint8) {
	if at := f.r.at; f.r.byte() >= lanes {
		f.r.fail(at, "there are %d lanes", lanes)
	}
}

func (f *function) memory(at int) {
	if f.p.memory == nil {
		f.r.fail(at, "there is no memory")
	}
}
