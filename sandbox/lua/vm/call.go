package vm

import (
	"math"
	"unsafe"

	"sandbar/sandbox/number"
)

// call calls what lies at c.at with the arguments after it. A function of Lua gets a frame, which execute runs; one
// of the host runs here, and so does all that it asks for until Lua code is next.
func (L *State) call(c call, d dest) {
	for {
		again, ok := L.callOne(c, d)
		if !ok {
			return
		}
		c, d = again, toHost(again)
	}
}

// callOne calls one function. When one of the host asks for a further call it returns that.
func (L *State) callOne(c call, d dest) (again call, ok bool) {
	th := L.current
	fn := L.callable(th, &c)
	if fn.p != nil {
		L.enter(th, fn, c, d)
		return call{}, false
	}
	L.grow(th, c.at+1+c.args)
	L.base, L.top, L.results = c.at+1, c.at+1+c.args, -1
	L.hostFn = fn
	L.fuel -= hostFuel
	n := fn.host(L)
	if n >= 0 {
		th.deliver(L.top-n, n, d)
		return L.finish(d)
	}
	return L.requested(n, c, d, fn)
}

// hostFuel is what a call of a function of the host costs before it does anything, and what it costs it to have Lua code called.
const hostFuel = 4

// callable makes the function at c.at one that can be called.
func (L *State) callable(th *Thread, c *call) *Function {
	v := th.stack[c.at]
	if v.bits == functionBits {
		return (*Function)(v.ref)
	}
	h := L.metamethod(v, eventCall)
	if h.bits != functionBits { // __call of __call is not looked for
		L.callError(v, c.at)
	}
	L.grow(th, c.at+c.args+2)
	copy(th.stack[c.at+1:c.at+c.args+2], th.stack[c.at:c.at+c.args+1])
	th.stack[c.at] = h
	c.args++
	L.spend(int64(c.args)/8 + 1)
	return (*Function)(h.ref)
}

// enter makes the frame of a function of Lua.
func (L *State) enter(th *Thread, fn *Function, c call, d dest) {
	base := c.at + 1
	missing := fn.p.params - c.args
	extra := 0
	if fn.p.vararg {
		// Parameters are moved behind the arguments, so that those that have no name stay below the base.
		extra = max(-missing, 0)
		base += c.args
		L.grow(th, base+fn.p.params)
		named := min(c.args, fn.p.params)
		copy(th.stack[base:base+named], th.stack[c.at+1:c.at+1+named])
		if extra > 0 && named > 0 { // what follows the named ones must end at the base: it does
			clear(th.stack[c.at+1 : c.at+1+named])
		}
		if missing > 0 {
			clear(th.stack[base+named : base+fn.p.params])
		}
	} else {
		L.grow(th, base)
		if missing > 0 {
			clear(th.stack[c.at+1+c.args : c.at+1+fn.p.params])
		}
	}
	L.pushFrame(th, frame{fn: fn, base: int32(base), area: int32(c.at), varargs: int32(extra), dest: d})
	if fn.p.arg {
		th.stack[base+fn.p.params] = Value{}
		if fn.p.fillsArg {
			L.makeArg(th, base, fn.p.params, extra)
		}
	}
}

// makeArg makes the variable arg, which follows the parameters of a function that takes more but has no use of "...".
func (L *State) makeArg(th *Thread, base, params, extra int) {
	L.spend(16)
	t := L.NewTable(extra, 1)
	for i := range extra {
		t.setInt(L, i+1, th.stack[base-extra+i])
	}
	t.set(L, L.intern("n"), Int(extra))
	th.stack[base+params] = t.Value()
}

// tailCall replaces the current frame.
func (L *State) tailCall(th *Thread, f *frame, at, args int) {
	c := call{at: at, args: args}
	fn := L.callable(th, &c)
	if fn.p == nil { // the return that follows passes its results on
		L.call(c, to(at, -1))
		return
	}
	th.closeUpvalues(int(f.base))
	copy(th.stack[f.area:], th.stack[c.at:c.at+c.args+1])
	c.at = int(f.area)
	d := f.dest
	if d.tails < math.MaxUint8 {
		d.tails++
	}
	th.frames = th.frames[:len(th.frames)-1]
	L.enter(th, fn, c, d)
}

// deliver puts n results where they are wanted.
func (th *Thread) deliver(from, n int, d dest) {
	at, want := int(d.at), int(d.want)
	if want < 0 {
		want = n
		th.top = at + n
	}
	if n >= want {
		copy(th.stack[at:], th.stack[from:from+want])
		return
	}
	copy(th.stack[at:], th.stack[from:from+n])
	clear(th.stack[at+n : at+want])
}

// finishCalls does what is to be done after a call of Lua code that has returned.
func (L *State) finishCalls(d dest) {
	if c, ok := L.finish(d); ok {
		L.call(c, toHost(c))
	}
}

// finish does what is to be done with the results of a call. It returns the call that a waiting function of the
// host asks for.
func (L *State) finish(d dest) (again call, ok bool) {
	for {
		th := L.current
		switch d.then {
		case thenGoOn, thenEndEntry:
			return call{}, false
		case thenCompare:
			L.skipUnless(th.stack[d.at].True(), uint8(d.arg))
			return call{}, false
		case thenConcat:
			f := &th.frames[len(th.frames)-1]
			i := f.fn.p.code[f.pc-1]
			L.concatFrom(th, int(f.base), int(i.a), int(i.b), int(d.arg))
			return call{}, false
		case thenEndCoroutine:
			n := th.top - int(d.at)
			d = L.leave(th, Dead, int(d.at), n)
		case thenHost:
			f := &th.frames[len(th.frames)-1]
			L.base, L.top, L.results = int(f.base), th.top, int(d.at)
			n := f.wait.again(L)
			L.results = -1
			if n < 0 {
				return L.requestedAgain(n)
			}
			d = L.endHost(n)
		}
	}
}

// endHost ends a function of the host that waited, with n results, and returns what is to be done with them.
func (L *State) endHost(n int) dest {
	th := L.current
	d := th.frames[len(th.frames)-1].dest
	L.popHost(th)
	th.deliver(L.top-n, n, d)
	return d
}

func (L *State) popHost(th *Thread) {
	last := len(th.frames) - 1
	L.spare = th.frames[last].wait
	*L.spare = waiting{} // what it held
	th.frames[last].wait = nil
	th.frames = th.frames[:last]
	th.hosts--
}

// requested does what a function of the host asked for in place of results.
func (L *State) requested(n int, c call, d dest, fn *Function) (again call, ok bool) {
	th := L.current
	switch n {
	case callLua:
		if th.hosts++; th.hosts > maxHostFrames {
			th.hosts--
			L.Throw("C stack overflow")
		}
		w := L.pending.wait
		w.name = fn.name
		L.pushFrame(th, frame{base: int32(L.base), area: int32(c.at), dest: d, wait: w})
		return L.pending, true
	case switchTo:
		return L.switchTo(d)
	}
	return L.yieldBack(d)
}

// asked is requested, and makes the calls that follow.
func (L *State) asked(n int, c call, d dest, fn *Function) {
	if again, ok := L.requested(n, c, d, fn); ok {
		L.call(again, toHost(again))
	}
}

// requestedAgain is requested for a function that waited, and has its frame.
func (L *State) requestedAgain(n int) (again call, ok bool) {
	th := L.current
	if n == callLua {
		f := &th.frames[len(th.frames)-1]
		L.pending.wait.name = f.wait.name
		f.wait = L.pending.wait
		return L.pending, true
	}
	d := th.frames[len(th.frames)-1].dest
	L.popHost(th)
	if n == switchTo {
		return L.switchTo(d)
	}
	return L.yieldBack(d)
}

// toHost are the results of a call that a function of the host waits for.
func toHost(c call) dest { return dest{at: int32(c.at), want: -1, then: thenHost} }

// Call has fn called with args. A HostFunc returns what it returns; again is called when it has returned:
// L.Result are its results, and L.Arg still the arguments.
func (L *State) Call(fn Value, args []Value, again HostFunc) int {
	w := L.waiting()
	w.again = again
	return L.callWith(fn, args, w)
}

// Waits says what a function of the host holds that returns what Call or Repeat returned.
func (L *State) Waits(asked int, h Holder) int {
	if asked == callLua {
		L.pending.wait.holds = h
	}
	return asked
}

// waiting is an empty one.
func (L *State) waiting() *waiting {
	w := L.spare
	if w == nil {
		return &waiting{}
	}
	L.spare = nil
	return w
}

func (L *State) callWith(fn Value, args []Value, w *waiting) int {
	th := L.current
	L.spend(hostFuel)
	at := L.top
	if L.results >= 0 {
		at = L.results // those of the call before are no longer needed
	}
	L.grow(th, at+1+len(args))
	copy(th.stack[at+1:], args)
	th.stack[at] = fn
	w.top = at
	L.pending = call{at: at, args: len(args), wait: w}
	return callLua
}

// Repeat is Call of another function, or of the same again, for a function of the host that waited: it goes on in the
// same way, with one or two arguments.
func (L *State) Repeat(fn, a, b Value) int {
	th := L.current
	at := L.results
	L.grow(th, at+3)
	th.stack[at], th.stack[at+1], th.stack[at+2] = fn, a, b
	L.pending = call{at: at, args: 2, wait: th.frames[len(th.frames)-1].wait}
	return callLua
}

// Results is the number of results of the call that a waiting function of the host asked for.
func (L *State) Results() int { return L.top - L.results }

// Result returns one of them, counted from 1; nil when there are fewer.
func (L *State) Result(i int) Value {
	if at := L.results + i - 1; at < L.top {
		return L.current.stack[at]
	}
	return Value{}
}

// ResultList returns all of them. It is valid until something is pushed.
func (L *State) ResultList() []Value { return L.current.stack[L.results:L.top] }

// Protected is Call for functions that get the error when the call fails.
func (L *State) Protected(fn Value, args []Value, again HostFunc, failed func(L *State, err Value) int) int {
	w := L.waiting()
	w.again, w.protect, w.failed = again, true, failed
	return L.callWith(fn, args, w)
}

// concat is the operator .. over registers. It returns whether it may have called something.
func (L *State) concat(th *Thread, base, a, b, c int) bool {
	// All strings and numbers: one piece of memory.
	size := 0
	for j := b; j <= c; j++ {
		switch v := &th.stack[base+j]; {
		case v.isString():
			size += v.strLen()
		case v.isNumber():
			size += numberSize
		default:
			L.concatFrom(th, base, a, b, c)
			return true
		}
	}
	th.stack[base+a] = L.joined(th.stack[base+b:base+c+1], size)
	return false
}

// joined joins strings and numbers, which take at most size bytes.
func (L *State) joined(parts []Value, size int) Value {
	L.spend(int64(size) / 64)
	if size <= smallText {
		var buf [smallText]byte
		b := buf[:0]
		for i := range parts {
			if v := &parts[i]; v.isString() {
				b = append(b, v.str()...)
			} else {
				b = number.AppendG(b, v.float(), 14)
			}
		}
		return L.Short(unsafe.String(unsafe.SliceData(b), len(b)))
	}
	L.Charge(textSize(size))
	text := make([]byte, textHeader, textHeader+size+7)
	for i := range parts {
		if v := &parts[i]; v.isString() {
			text = append(text, v.str()...)
		} else {
			text = number.AppendG(text, v.float(), 14)
		}
	}
	return textIn(text)
}

// smallText is how long a string may be to be made on the stack first.
const smallText = 256

// concatFrom joins registers b to c from the right, with metamethods where they are needed, and puts the result
// into register a. When a metamethod is called it goes on later.
func (L *State) concatFrom(th *Thread, base, a, b, c int) {
	for ; c > b; c-- {
		pair := th.stack[base+c-1 : base+c+1]
		size := 0
		for _, v := range pair {
			switch {
			case v.isString():
				size += v.strLen()
			case v.isNumber():
				size += numberSize
			default:
				size = -1 << 62
			}
		}
		if size < 0 {
			h := L.metamethod(pair[0], eventConcat)
			if h.bits == nilBits {
				h = L.metamethod(pair[1], eventConcat)
			}
			if h.bits == nilBits {
				L.concatError(c-1, pair[0], pair[1])
			}
			L.callMeta(h, pair[0], pair[1], dest{at: int32(base + c - 1), want: 1, then: thenConcat, arg: int32(c - 1)})
			return
		}
		th.stack[base+c-1] = L.joined(pair, size)
	}
	th.stack[base+a] = th.stack[base+b]
}
