package vm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"unsafe"
)

// Options are the limits of a State.
type Options struct {
	Fuel   int64 // units of one call; 0: no limit
	Memory int64 // bytes; 0: no limit
	// Poll is asked during a call, each time that about a millisecond's fuel is used up. A text that it returns ends
	// the call with HostLimit. It may be nil.
	Poll func() string
	// Images says that images of the State can be written.
	Images bool
}

// quantum is the fuel between two polls.
const quantum = 1 << 16

// Limit is what a call ran into.
type Limit int

// Limits that end a call past every pcall.
const (
	NoLimit Limit = iota
	FuelLimit
	MemoryLimit
	HostLimit // Poll ended the call
)

// How deep things may nest. They count frames, not the Go stack, and are those of Lua 5.1.
const (
	maxFrames     = 20000 // Lua calls in one coroutine
	maxCoroutines = 190   // coroutines that resumed one another
	maxHostFrames = 200   // calls of the host that wait for Lua code
	maxStack      = 1 << 20
	maxMetaChain  = 100 // tables that name one another as __index
)

// State is one Lua program with all that it holds. It is used by one goroutine at a time.
type State struct {
	fuel    int64 // at hand: what is left of this call until the next poll
	reserve int64 // what is left beyond that
	current *Thread
	base    int  // first argument of the host's function that runs
	top     int  // after its last argument or result
	results int  // first result of the call that it waited for, -1 while there is none
	byHost  bool // a function of the host asked for the operation that runs

	opts     Options
	memory   account
	main     *Thread
	globals  *Table
	strMeta  *Table // of strings
	loaded   *Table // require's
	events   [eventCount]Value
	next     *Function        // the function that pairs returns
	hostFn   *Function        // of the host, that runs
	constant map[string]Value // texts of the code, each once
	lately   [256]Value       // strings that Short has made since the last count, by hash
	lastID   uint32
	seed     uint32   // of hashes
	building []Value  // that a function of the host builds, and has nowhere else yet
	spare    *waiting // of a function of the host that has ended, to be used again
	pending  call     // what the host's function that returned callLua or a limit wants
	threads  int      // coroutines that wait for the current one
	limit    Limit
	cause    string // of the limit
	trace    func(line int, units int64)
	traced   int64  // fuel that was left when trace was called last
	keeps    *keeps // of images; nil: there are none
}

// Thread is a coroutine, or the main program.
type Thread struct {
	mark   uint32
	id     uint32
	stack  []Value
	top    int // after the results of a call with as many as there are
	frames []frame
	open   []*upvalue // by index, rising
	env    *Table
	status Status
	hosts  int // frames of the host

	// of a coroutine: who resumed it, and where the results of that go
	parent *Thread
	wrap   bool
	dest   dest
	// where the values go that the next resume passes to the yield
	yield dest
}

// Status of a coroutine.
type Status uint8

// A coroutine is Normal while one that it resumed is running.
const (
	Suspended Status = iota
	Running
	Normal
	Dead
)

func (s Status) String() string { return [...]string{"suspended", "running", "normal", "dead"}[s] }

// dest is what happens with the results of a call.
type dest struct {
	at   int32 // index of the stack for the first one
	want int32 // how many, -1 for all
	arg  int32 // of then; of thenGoOn: 1 when it is no call of the code itself
	then finish
	// tails is how many calls the one that this is of replaced, each by "return f()": levels that are lost. 255 is as many or more.
	tails uint8
}

// to is the destination of results that need nothing more.
func to(at, want int) dest { return dest{at: int32(at), want: int32(want)} }

// toOp is to for a call that an instruction makes on its own: of a metamethod, or of an iterator.
func toOp(at, want int) dest { return dest{at: int32(at), want: int32(want), arg: 1} }

// holdsYield says whether C Lua would have a C function between the caller and what it called, which no yield passes.
func (d dest) holdsYield() bool {
	switch d.then {
	case thenGoOn:
		return d.arg != 0
	case thenCompare, thenConcat, thenHost:
		return true
	}
	return false
}

// finish is what is still to be done when a call has put down its results.
type finish uint8

const (
	thenGoOn     finish = iota
	thenCompare         // with the result's truth: skip the next instruction unless it is arg
	thenConcat          // go on with the operands before index arg
	thenHost            // call the function of the host again
	thenEndEntry        // the host called
	thenEndCoroutine
)

// frame is a call that has not returned. Its registers are stack[base:].
type frame struct {
	fn      *Function // nil for a function of the host that waits
	wait    *waiting  // of the host
	pc      int32
	base    int32
	area    int32 // where the call's part of the stack begins: the function's place
	varargs int32 // how many lie below base
	dest
}

// waiting is a function of the host that called Lua code.
type waiting struct {
	name    string
	again   HostFunc // called with the results
	protect bool     // errors end here
	failed  func(L *State, err Value) int
	top     int    // the stack's top when it asked
	holds   Holder // may be nil
}

// Holder is what a function of the host has made so far, or keeps, while it waits for Lua code: it counts as what can be reached.
type Holder interface {
	// Held is how many bytes it has, and the values that it holds beside its arguments.
	Held() (bytes int64, values []Value)
}

// HostFunc is a function of the host. Arguments are L.Arg(1) to L.Arg(L.Args()); it pushes results and returns how
// many they are, or returns what L.Call, L.Resume or L.Yield return.
type HostFunc func(L *State) int

// What a HostFunc returns instead of a number of results.
const (
	callLua = -1 - iota
	switchTo
	yieldBack
)

// call is a call that a function of the host asked for.
type call struct {
	at, args int // the function's place on the stack, and the number of arguments after it
	wait     *waiting
	co       *Thread
	wrap     bool
}

const (
	firstStack  = slack + 16
	firstFrames = 4
	slack       = 256 + 32 // registers behind the base of every frame, so that an index of 8 bits is always one
	stateSize   = int64(unsafe.Sizeof(State{})) + 4096
	threadSize  = int64(unsafe.Sizeof(Thread{}))
	frameSize   = int64(unsafe.Sizeof(frame{}))
	waitingSize = int64(unsafe.Sizeof(waiting{})) + 64 // and what it closes over
)

// New makes a State without any library.
func New(opts Options) *State {
	L := &State{opts: opts, constant: map[string]Value{}, fuel: math.MaxInt64, seed: rand.Uint32()}
	L.memory.limit = opts.Memory
	L.memory.epoch = 1
	if opts.Memory <= 0 {
		L.memory.limit = math.MaxInt64 / 4
	}
	L.memory.left = L.memory.limit
	L.globals = L.NewTable(0, 0)
	L.loaded = L.NewTable(0, 0)
	L.main = L.newThread(L.globals)
	L.main.status = Running
	L.current = L.main
	if opts.Images {
		L.keeps = &keeps{named: map[string]Value{}, names: map[unsafe.Pointer]string{}, kinds: map[string]hostKind{}}
		L.Permanent("globals", L.globals.Value())
		L.Permanent("loaded", L.loaded.Value())
	}
	for e := range L.events {
		L.events[e] = L.intern(eventNames[e])
	}
	return L
}

func (L *State) nextID() uint32 {
	L.lastID++
	return L.lastID
}

func (L *State) newThread(env *Table) *Thread {
	L.Charge(roundSize(threadSize) + roundSize(firstStack*valueSize) + roundSize(firstFrames*frameSize))
	return &Thread{id: L.nextID(), env: env, stack: make([]Value, firstStack), frames: make([]frame, 0, firstFrames)}
}

// NewTable makes a table with room for that many values and keys.
func (L *State) NewTable(array, keys int) *Table {
	var t *Table
	switch {
	case keys > 0 && keys <= tinyNodes:
		L.Charge(roundSize(tinySize))
		s := &tinyTable{Table: Table{id: L.nextID(), seed: L.seed, absent: tiny}}
		t = &s.Table
		t.nodes = s.room[:0]
	case keys > 0 && keys <= minNodes:
		L.Charge(roundSize(smallSize))
		s := &smallTable{Table: Table{id: L.nextID(), seed: L.seed, absent: small}}
		t = &s.Table
		t.nodes = s.room[:0]
	default:
		L.Charge(roundSize(tableSize))
		t = &Table{id: L.nextID(), seed: L.seed}
		if keys > 0 {
			size := minNodes
			for size < keys {
				size *= 2
			}
			L.Charge(nodesSize(size))
			t.makeNodes(size)
		}
	}
	if array > 0 {
		L.Charge(roundSize(int64(array) * valueSize))
		t.arr = make([]Value, 0, array)
	}
	return t
}

// NewFunction makes a function of the host. The name is for error messages.
func (L *State) NewFunction(name string, fn HostFunc) *Function {
	L.Charge(roundSize(functionSize) + hostSize)
	return &Function{id: L.nextID(), host: fn, name: name, env: L.globals}
}

// NewUserdata makes an object of the host. meta may be nil.
func (L *State) NewUserdata(object any, meta *Table) *Userdata {
	L.Charge(roundSize(userdataSize))
	return &Userdata{id: L.nextID(), Object: object, meta: meta, env: L.globals}
}

// Str makes a string.
func (L *State) Str(s string) Value {
	if s == "" {
		return Value{bits: stringBits}
	}
	L.Charge(textSize(len(s)))
	return textOf(s)
}

// shortText is how long a string may be to be remembered; see Short.
const shortText = 64

// Short is Str for a string that may well have been made lately, like a document type: it need not be made again then, and is the same piece of
// memory as the key of a table that it was used for.
func (L *State) Short(s string) Value {
	if len(s) == 0 || len(s) > shortText {
		return L.Str(s)
	}
	L.Charge(textSize(len(s))) // also for one that is there: which ones are depends on the hash, and what a program spends must not
	h := hashText(s, L.seed) | 1
	at := &L.lately[h>>1%uint32(len(L.lately))]
	if at.bits == stringBits|uint64(len(s)) && (*text)(at.ref).hash == h && at.str() == s {
		return *at
	}
	v := textOf(s)
	(*text)(v.ref).hash = h
	*at = v
	return v
}

// Bytes makes a string.
func (L *State) Bytes(b []byte) Value { return L.Str(unsafe.String(unsafe.SliceData(b), len(b))) }

// intern makes the string of a constant: each text once, so that most comparisons of keys are of addresses.
func (L *State) intern(s string) Value {
	v, ok := L.constant[s]
	if !ok {
		v = L.Str(s)
		L.constant[s] = v
	}
	return v
}

// Globals is the table of global variables.
func (L *State) Globals() *Table { return L.globals }

// SetGlobal sets a global variable.
func (L *State) SetGlobal(name string, v Value) { L.globals.set(L, L.intern(name), v) }

// Global returns a global variable.
func (L *State) Global(name string) Value { return L.globals.get(L.intern(name)) }

// SetStringMeta sets the metatable of all strings.
func (L *State) SetStringMeta(t *Table) { L.strMeta = t }

// Fuel is what is left of the current call's.
func (L *State) Fuel() int64 { return L.fuel + L.reserve }

// Trace has each told how much fuel was used up, and on which line; nil ends it. It is called for each instruction.
func (L *State) Trace(each func(line int, units int64)) { L.trace = each }

// Refill begins a call with the whole of the fuel.
func (L *State) Refill() {
	L.reserve = L.opts.Fuel
	if L.opts.Fuel <= 0 {
		L.reserve = math.MaxInt64 / 2
	}
	L.portion()
	L.limit = NoLimit
	if L.trace != nil {
		L.traced = L.Fuel()
	}
}

// portion takes the fuel until the next poll from the reserve; none of it when each instruction is traced.
func (L *State) portion() {
	L.fuel = 0
	if L.trace == nil {
		L.fuel = min(quantum, L.reserve)
		L.reserve -= L.fuel
	}
}

// Spend takes fuel for work of the host, one unit for about 10 ns. It does not return when there is too little.
func (L *State) Spend(units int64) { L.spend(units) }

func (L *State) spend(units int64) {
	if L.fuel -= units; L.fuel < 0 {
		L.refuel()
	}
}

// refuel goes on with the reserve when the fuel at hand is used up. It ends the call when that is too little, or when
// the host wants it to end.
func (L *State) refuel() {
	if L.trace != nil {
		L.trace(L.line(), L.traced-L.Fuel())
		L.traced = L.Fuel()
	}
	if L.reserve += L.fuel; L.reserve < 0 {
		L.fuel, L.reserve = 0, 0
		L.stop(FuelLimit, "instruction_limit exceeded")
	}
	L.portion()
	if L.opts.Poll != nil {
		if why := L.opts.Poll(); why != "" {
			L.stop(HostLimit, why)
		}
	}
}

// stop ends the call past every pcall.
func (L *State) stop(why Limit, text string) {
	if L.limit == NoLimit {
		L.limit, L.cause = why, text
	}
	panic(&abort{L.limit, L.cause, L.line()})
}

// Limit says whether the newest call ran into a limit.
func (L *State) Limit() Limit { return L.limit }

// abort is what ends a call past every pcall.
type abort struct {
	limit Limit
	text  string
	line  int
}

func (a *abort) Error() string { return a.text }

// regs are the registers of a frame. All indices of 8 bits are within the stack: grow sees to it.
func (th *Thread) regs(base int) *[256]Value {
	return (*[256]Value)(unsafe.Pointer(unsafe.SliceData(th.stack[base : base+256])))
}

// grow lets the stack have n values and the slack behind them.
func (L *State) grow(th *Thread, n int) {
	if n+slack <= len(th.stack) {
		return
	}
	if n > maxStack {
		L.Throw("stack overflow")
	}
	size := max(2*len(th.stack), n+slack)
	L.Charge(roundSize(int64(size) * valueSize))
	L.spend(int64(len(th.stack)) / 16)
	stack := make([]Value, size)
	copy(stack, th.stack)
	th.stack = stack
	for _, u := range th.open {
		u.at = &stack[u.index]
	}
}

func (L *State) pushFrame(th *Thread, f frame) {
	if len(th.frames) == cap(th.frames) {
		if len(th.frames) >= maxFrames {
			L.Throw("stack overflow")
		}
		size := min(max(8, 2*cap(th.frames)), maxFrames)
		L.Charge(roundSize(int64(size) * frameSize))
		frames := make([]frame, len(th.frames), size)
		copy(frames, th.frames)
		th.frames = frames
	}
	th.frames = append(th.frames, f)
}

// findUpvalue returns the upvalue of a stack's place.
func (L *State) findUpvalue(th *Thread, index int) *upvalue {
	at := len(th.open)
	for at > 0 && int(th.open[at-1].index) >= index {
		at--
		if int(th.open[at].index) == index {
			L.spend(int64(len(th.open)-at) / 8)
			return th.open[at]
		}
	}
	L.spend(int64(len(th.open)-at) / 8)
	L.Charge(roundSize(upvalueSize) + 16)
	u := &upvalue{at: &th.stack[index], index: int32(index)}
	th.open = append(th.open, nil)
	copy(th.open[at+1:], th.open[at:])
	th.open[at] = u
	return u
}

// closeUpvalues takes variables off the stack from an index on.
func (th *Thread) closeUpvalues(from int) {
	for n := len(th.open); n > 0 && int(th.open[n-1].index) >= from; n-- {
		u := th.open[n-1]
		u.closed = *u.at
		u.at = &u.closed
		th.open[n-1] = nil
		th.open = th.open[:n-1]
	}
}

// reg is the place of a register on the stack.
func (f *frame) reg(a uint8) int { return int(f.base) + int(a) }

// String shows where a frame is, for tests.
func (f *frame) String() string { return fmt.Sprintf("frame at %d of %d", f.pc, f.base) }
