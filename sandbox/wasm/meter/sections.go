package meter

import (
	"fmt"
	"strings"
)

// Sections of a module by id, in the order in which they have to come.
const (
	secCustom    = 0
	secType      = 1
	secImport    = 2
	secFunction  = 3
	secTable     = 4
	secMemory    = 5
	secGlobal    = 6
	secExport    = 7
	secStart     = 8
	secElement   = 9
	secCode      = 10
	secData      = 11
	secDataCount = 12
)

// order is what comes before what; 0 is a section that is not known.
var order = [...]int{secCustom: -1, secType: 1, secImport: 2, secFunction: 3, secTable: 4, secMemory: 5, secGlobal: 6, secExport: 7,
	secStart: 8, secElement: 9, secDataCount: 10, secCode: 11, secData: 12}

func sectionName(id byte) string {
	names := [...]string{"custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code", "data", "data count"}
	if int(id) < len(names) {
		return names[id]
	}
	return fmt.Sprintf("unknown (%d)", id)
}

// parsed is what was read of a module. Spans are of section contents in the original.
type parsed struct {
	r   *reader
	opt *Options
	out *Module

	types    []FuncType
	funcs    []uint32 // type of each function, imported ones first
	imported int
	tables   []table
	memory   *limits
	globals  []global
	declared []bool // functions that ref.func may name: exported, in an element or a global
	elements []byte // type of each segment
	data     int    // how many segments there are, or -1 when the data count section does not say
	codes    int
	segments int
	start    int // function, or -1

	span [13][2]int
	has  [13]bool
	name [2]int // content of the custom section "name" with its name, which is copied

	bodies []byte           // the new code section's content after its count
	extra  []FuncType       // types that the original does not have
	known  map[FuncType]int // number of each type
}

type table struct {
	limits
	elem byte
}

type limits struct {
	min, max uint32
	bounded  bool
}

type global struct {
	typ     byte
	mutable bool
}

// Rewrite checks a module and meters it. Errors are *Error.
func Rewrite(module []byte, opt Options) (*Module, error) {
	p := &parsed{r: &reader{b: module, end: len(module)}, opt: &opt, data: -1, start: -1,
		out: &Module{CustomData: map[string][2]int{}}}
	p.preamble()
	p.sections()
	if p.r.err != nil {
		return nil, p.r.err
	}
	p.out.Code, p.out.CodeAt = p.assemble(module), p.span[secCode][0]
	return p.out, nil
}

func (p *parsed) preamble() {
	r := p.r
	switch b := r.b; {
	case len(b) < 8 || string(b[:4]) != "\x00asm":
		r.fail(0, "this is no WebAssembly module: it does not begin with \\0asm and a version")
	case string(b[4:8]) == "\x0d\x00\x01\x00":
		r.fail(4, "this is a component; build a core module instead: the target wasm32-wasip1 or wasm32-unknown-unknown of Rust and C, GOOS=wasip1 of Go")
	case string(b[4:8]) != "\x01\x00\x00\x00":
		r.fail(4, "version %d of WebAssembly is not known; it should be 1", uint32(b[4])|uint32(b[5])<<8|uint32(b[6])<<16|uint32(b[7])<<24)
	}
	r.at = min(8, r.end)
}

func (p *parsed) sections() {
	r, whole, last := p.r, p.r.end, 0
	for r.err == nil && r.at < whole {
		r.section, r.end = "", whole
		start := r.at
		id := r.byte()
		size := r.u32()
		switch {
		case r.err != nil:
			return
		case int(id) >= len(order):
			r.fail(start, "a section has the id %d, which is not known", id)
			return
		case int64(size) > int64(whole-r.at):
			r.fail(start, "the %s section has %d bytes, the module ends after %d", sectionName(id), size, whole-r.at)
			return
		}
		r.section, r.end = sectionName(id), r.at+int(size)
		end := r.end
		if id != secCustom {
			if order[id] <= last {
				r.fail(start, "it comes twice or too late")
				return
			}
			last = order[id]
			p.span[id], p.has[id] = [2]int{r.at, end}, true
		}
		p.read(id)
		if r.err == nil && r.at != end {
			r.fail(r.at, "it has %d bytes more than it says what for", end-r.at)
		}
		if r.err != nil {
			return
		}
	}
	r.section, r.end = "", whole
	p.complete()
}

func (p *parsed) read(id byte) {
	switch id {
	case secCustom:
		p.custom()
	case secType:
		p.readTypes()
	case secImport:
		p.readImports()
	case secFunction:
		p.readFunctions()
	case secTable:
		p.readTables()
	case secMemory:
		p.readMemories()
	case secGlobal:
		p.readGlobals()
	case secExport:
		p.readExports()
	case secStart:
		p.readStart()
	case secElement:
		p.readElements()
	case secDataCount:
		p.data = p.r.count2(100_000, "data segments")
	case secCode:
		p.readCode()
	case secData:
		p.readData()
	}
}

// count2 is count for things that are not in this section.
func (r *reader) count2(most int, what string) int {
	start := r.at
	n := r.u32()
	if uint64(n) > uint64(most) {
		r.fail(start, "there are %d %s, %d are allowed", n, what, most)
		return 0
	}
	return int(n)
}

// complete checks what can only be known at the end.
func (p *parsed) complete() {
	r := p.r
	switch {
	case r.err != nil:
	case len(p.funcs)-p.imported != p.codes:
		r.fail(r.end, "%d functions are declared and %d have code", len(p.funcs)-p.imported, p.codes)
	case p.has[secDataCount] && p.data != p.segments:
		r.fail(r.end, "the data count section says %d segments, there are %d", p.data, p.segments)
	}
}

func (p *parsed) custom() {
	r := p.r
	start := r.at
	name := r.name()
	if r.err != nil {
		return
	}
	if name == "name" {
		p.name = [2]int{start, r.end}
	}
	if strings.HasPrefix(name, ".debug_") && len(p.out.CustomData) < maxDebugSections {
		p.out.CustomData[name] = [2]int{r.at, r.end}
	}
	r.at = r.end
}

func (p *parsed) readTypes() {
	r := p.r
	for n := r.count(maxTypes, "types"); n > 0 && r.err == nil; n-- {
		if at := r.at; r.byte() != 0x60 {
			r.fail(at, "a type is no function type")
			return
		}
		params := p.valueTypes("parameters")
		results := p.valueTypes("results")
		p.types = append(p.types, FuncType{params, results})
	}
}

func (p *parsed) valueTypes(what string) string {
	r := p.r
	n := r.count(maxParams, what)
	types := r.bytes(n)
	for i, t := range types {
		if !isValueType(t) {
			r.fail(r.at-n+i, "0x%02x is no type of a value", t)
		}
	}
	return string(types)
}

func (p *parsed) readImports() {
	r := p.r
	for n := r.count(maxImports, "imports"); n > 0 && r.err == nil; n-- {
		start := r.at
		module, name := r.name(), r.name()
		kind := r.byte()
		switch {
		case r.err != nil:
			return
		case kind != 0:
			r.fail(start, "it imports %s.%s, which is no function; a plugin has its memory, tables and globals itself", module, name)
			return
		case strings.HasPrefix(name, Prefix):
			r.fail(start, "the name %s is the host's", name)
			return
		}
		t := p.typeIndex()
		if r.err == nil {
			p.funcs = append(p.funcs, t)
			p.out.Imports = append(p.out.Imports, Import{module, name, p.types[t]})
		}
	}
	p.imported = len(p.funcs)
}

func (p *parsed) typeIndex() uint32 {
	r := p.r
	at := r.at
	t := r.u32()
	if r.err == nil && int64(t) >= int64(len(p.types)) {
		r.fail(at, "there is no type %d", t)
		return 0
	}
	return t
}

func (p *parsed) readFunctions() {
	r := p.r
	for n := r.count(maxFunctions, "functions"); n > 0 && r.err == nil; n-- {
		p.funcs = append(p.funcs, p.typeIndex())
	}
	p.out.Functions = len(p.funcs) - p.imported
}

func (p *parsed) readLimits(most uint32, what string) limits {
	r := p.r
	at := r.at
	flags := r.byte()
	if flags > 1 {
		r.fail(at, "the %s has the flags %d; shared and 64-bit ones are not known", what, flags)
		return limits{}
	}
	l := limits{min: r.u32(), max: most}
	if flags == 1 {
		l.bounded = true
		own := r.u32()
		if own < l.min {
			r.fail(at, "the %s begins with more than its maximum", what)
		}
		l.max = min(own, most)
	}
	return l
}

func (p *parsed) readTables() {
	r := p.r
	for n := r.count(maxTables, "tables"); n > 0 && r.err == nil; n-- {
		at := r.at
		elem := r.byte()
		if elem != funcref && elem != extref {
			r.fail(at, "a table holds %s", typeName(elem))
			return
		}
		t := table{p.readLimits(p.opt.Entries, "table"), elem}
		if t.min > p.opt.Entries {
			r.fail(at, "a table begins with %d entries; %d are allowed", t.min, p.opt.Entries)
		}
		p.tables = append(p.tables, t)
	}
}

func (p *parsed) readMemories() {
	r := p.r
	at := r.at
	if n := r.count(1, "memories"); n == 0 {
		return
	}
	l := p.readLimits(p.opt.Pages, "memory")
	switch {
	case r.err != nil:
	case l.min > 1<<16 || l.bounded && l.max > 1<<16:
		r.fail(at, "the memory may have 65536 pages")
	case l.min > p.opt.Pages:
		r.fail(at, "the memory begins with %d bytes; memory_limit allows %d", int64(l.min)<<16, int64(p.opt.Pages)<<16)
	}
	p.memory = &l
	p.out.Memory, p.out.HasMemory = l.min, true
}

func (p *parsed) readGlobals() {
	r := p.r
	for n := r.count(maxGlobals, "globals"); n > 0 && r.err == nil; n-- {
		at := r.at
		t, mut := r.byte(), r.byte()
		switch {
		case r.err != nil:
			return
		case !isValueType(t) || mut > 1:
			r.fail(at, "a global has the type 0x%02x and is mutable %d", t, mut)
			return
		case mut == 1 && (t == v128 || t == funcref || t == extref):
			r.fail(at, "a mutable global holds %s, which could not be saved; keep it in memory", typeName(t))
			return
		}
		p.constant(t)
		p.globals = append(p.globals, global{t, mut == 1})
		if mut == 1 {
			p.out.Mutable++
		}
	}
}

// constant checks a constant expression of that type.
func (p *parsed) constant(want byte) {
	r := p.r
	at := r.at
	var got byte
	switch op := r.byte(); op {
	case opI32Const:
		got = i32
		r.signed(32)
	case opI64Const:
		got = i64
		r.signed(64)
	case opF32Const:
		got = f32
		r.bytes(4)
	case opF64Const:
		got = f64
		r.bytes(8)
	case opPrefixSIMD:
		got = v128
		if r.u32() != 0x0c {
			r.fail(at, "a constant was expected")
		}
		r.bytes(16)
	case opRefNull:
		got = r.byte()
		if got != funcref && got != extref {
			r.fail(at, "there is no null of %s", typeName(got))
		}
	case opRefFunc:
		got = funcref
		p.declare(int(r.u32()), at)
	case opGlobalGet:
		r.fail(at, "a constant takes an imported global, and there is none")
	default:
		r.fail(at, "0x%02x is no constant", op)
	}
	if r.err == nil && got != want {
		r.fail(at, "a constant is %s, %s was expected", typeName(got), typeName(want))
	}
	if end := r.at; r.byte() != opEnd {
		r.fail(end, "a constant does not end")
	}
}

// declare notes that ref.func may name a function.
func (p *parsed) declare(f, at int) {
	if f >= len(p.funcs) {
		p.r.fail(at, "there is no function %d", f)
		return
	}
	if p.declared == nil {
		p.declared = make([]bool, len(p.funcs))
	}
	p.declared[f] = true
}

func (p *parsed) readExports() {
	r := p.r
	seen := map[string]bool{}
	for n := r.count(maxExports, "exports"); n > 0 && r.err == nil; n-- {
		at := r.at
		e := Export{Name: r.name(), Kind: r.byte()}
		index := int64(r.u32())
		if r.err != nil {
			return
		}
		e.Index = int(index)
		have := [...]int{len(p.funcs), len(p.tables), 0, len(p.globals)}
		if p.memory != nil {
			have[2] = 1
		}
		switch {
		case int(e.Kind) >= len(have) || index >= int64(have[e.Kind]):
			r.fail(at, "the export %q names what is not there", e.Name)
		case seen[e.Name]:
			r.fail(at, "the export %q is there twice", e.Name)
		case strings.HasPrefix(e.Name, Prefix):
			r.fail(at, "the name %s is the host's", e.Name)
		case e.Kind == 0:
			e.Type = p.types[p.funcs[index]]
			p.declare(int(index), at)
		}
		seen[e.Name] = true
		p.out.Exports = append(p.out.Exports, e)
	}
}

func (p *parsed) readStart() {
	r := p.r
	at := r.at
	f := r.u32()
	switch {
	case r.err != nil:
	case int64(f) >= int64(len(p.funcs)) || p.types[p.funcs[f]] != FuncType{}:
		r.fail(at, "the start function %d is not there, or takes or gives something", f)
	default:
		p.start, p.out.HasStart = int(f), true
	}
}
