// Package meter checks a WebAssembly module and rewrites it so that what runs can be bounded: every straight piece of code
// charges its fuel before it runs, calls take from a bounded stack, memories and tables get a maximum.
//
// The check is that of the core specification, release 2.0 without the parts that one plugin has no use for (imports other
// than functions, several memories, tail calls, threads, exceptions); what it does not know it refuses, with the byte and the
// section. What it accepts, an engine that follows the specification accepts as well.
//
// A metered function is
//
//	(func (param ...) (result ...) (local ...) (local $fuel i64) (local $stack i64) (local $tmp i32)
//	  (block $out
//	    (block $body (result ...)
//	      $stack = STACK - frame; STACK = $stack              ;; where there are calls
//	      $fuel = FUEL - cost of the first piece; br_if $out when one of the two is below 0, unless the function is cheap
//	      ...                                                                  ;; $fuel -= cost before each piece
//	    )
//	    STACK = $stack + frame; FUEL = $fuel
//	    return)
//	  FUEL = $fuel
//	  unreachable)
//
// FUEL and STACK are globals of the module; around a call FUEL holds what $fuel does. Everything is done to bytes, in one pass
// of checking and one of writing for each function.
package meter

import (
	"fmt"
	"sort"
)

// Names of what a metered module exports for the host. No module may export or import one that begins with Prefix.
const (
	Prefix = "__sandbar_"
	Fuel   = Prefix + "fuel"   // i64, mutable: units that are left; below 0 when the call ended for want of it
	Stack  = Prefix + "stack"  // i64, mutable: bytes of call stack that are left; below 0 when it ended for want of them
	Full   = Prefix + "full"   // i32, mutable: 1 when a memory or table was to grow beyond its maximum, which ends the call
	Start  = Prefix + "start"  // the module's start function, if it has one: the host calls it when there is fuel
	Global = Prefix + "global" // with a number: a mutable global of the module, so that it can be saved
)

// StackBytes is how many bytes all frames of a call may have together, by an upper estimate.
const StackBytes = 1 << 20

// Bounds of a module beside those of Options.
const (
	maxTypes     = 10_000
	maxFunctions = 50_000
	maxImports   = 1_000
	maxExports   = 1_000
	maxGlobals   = 1_000
	maxTables    = 10
	maxLocals    = 2_000 // of one function, with its parameters
	maxParams    = 100   // and results
	maxBody      = 1 << 20
	maxDepth     = 10_000 // of nested blocks; Go makes one for each call
	maxTargets   = 10_000

	maxDebugSections = 32
)

// Options bound what a module may have.
type Options struct {
	Pages   uint32 // of 64 KiB: the maximum of its memory
	Entries uint32 // the maximum of each table
	// Offsets asks for Module.Original, and for sections in the new module that make wazero tell offsets in traces.
	Offsets bool
	// ImportCost is the fuel of a call of an imported function, beside what the function itself takes.
	ImportCost func(module, name string) int64
}

// Module is a checked and metered module, and what it says of itself.
type Module struct {
	Code       []byte // the new module
	Imports    []Import
	Exports    []Export
	Memory     uint32 // pages that it begins with
	HasMemory  bool
	HasStart   bool
	Mutable    int  // how many mutable globals it has
	HasTables  bool // it can change tables, or drop segments: what a snapshot does not hold
	Functions  int
	CustomData map[string][2]int // sections of the original that begin with .debug_, by name: begin and end of their content
	CodeAt     int               // where the content of the original's code section begins

	pieces []piece // of the new code section, in order, when Options.Offsets asked for them
}

// piece is a run of bytes that were copied. Offsets are from the beginning of the code section's content.
type piece struct{ now, was int32 }

// Original is where an instruction at an offset of the new code section was in the original one.
func (m *Module) Original(offset int) (int, bool) {
	i := sort.Search(len(m.pieces), func(i int) bool { return int(m.pieces[i].now) > offset }) - 1
	if i < 0 {
		return 0, false
	}
	was := int(m.pieces[i].was) + offset - int(m.pieces[i].now)
	if i+1 < len(m.pieces) { // what was written in between belongs to what comes before it
		was = min(was, int(m.pieces[i+1].was))
	}
	return was, true
}

// Import is a function that the module asks for.
type Import struct {
	Module, Name string
	Type         FuncType
}

// Export is something that the module offers; Type is set for functions.
type Export struct {
	Name  string
	Kind  byte // 0 function, 1 table, 2 memory, 3 global
	Index int
	Type  FuncType
}

// FuncType is the type of a function: its parameters and results as the bytes of the binary format.
type FuncType struct{ Params, Results string }

func (t FuncType) String() string {
	return "(" + typeNames(t.Params) + ") -> (" + typeNames(t.Results) + ")"
}

func typeNames(types string) string {
	out := ""
	for i, t := range []byte(types) {
		if i > 0 {
			out += ", "
		}
		out += typeName(t)
	}
	return out
}

// Error says what is wrong with a module and where.
type Error struct {
	Section string
	Offset  int // in bytes from the beginning of the module
	Text    string
}

func (e *Error) Error() string {
	if e.Section == "" {
		return fmt.Sprintf("byte %d: %s", e.Offset, e.Text)
	}
	return fmt.Sprintf("byte %d, %s section: %s", e.Offset, e.Section, e.Text)
}
