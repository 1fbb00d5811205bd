package vm

// NewThread makes a coroutine that will run fn.
func (L *State) NewThread(fn Value) *Thread {
	co := L.newThread(L.current.env)
	co.stack[0] = fn
	co.top = 1
	return co
}

// Status is that of the coroutine.
func (t *Thread) Status() Status { return t.status }

// Running returns the coroutine that runs, nil for the main program.
func (L *State) Running() *Thread {
	if L.current == L.main {
		return nil
	}
	return L.current
}

// Resume has a coroutine resumed with the arguments from first on. A HostFunc returns what it returns: the results
// are true and what was yielded or returned, or false and the error. With wrap they are only what was yielded or
// returned, and an error goes on in the caller.
func (L *State) Resume(co *Thread, first int, wrap bool) int {
	L.pending = call{at: L.base + first - 1, args: max(L.Args()-first+1, 0), co: co, wrap: wrap}
	return switchTo
}

// Yield ends the running coroutine's turn with the arguments as values.
func (L *State) Yield() int { return yieldBack }

// switchTo lets the coroutine run that L.pending names. Its results will go to d.
func (L *State) switchTo(d dest) (again call, ok bool) {
	from, c := L.current, L.pending
	co := c.co
	if co.status != Suspended {
		text := "cannot resume " + co.status.String() + " coroutine"
		if c.wrap {
			L.Throw(text)
		}
		L.base, L.top = c.at, c.at
		L.Push(False)
		L.Push(L.Str(text))
		from.deliver(L.top-2, 2, d)
		return L.finish(d)
	}
	if L.threads++; L.threads > maxCoroutines {
		L.threads--
		L.Throw("C stack overflow")
	}
	L.spend(int64(c.args)/8 + 10)
	from.top = max(from.top, c.at+c.args)
	args := from.stack[c.at : c.at+c.args]
	co.parent, co.dest, co.wrap = from, d, c.wrap
	from.status, co.status = Normal, Running
	L.current = co
	if len(co.frames) == 0 {
		L.grow(co, 1+len(args))
		copy(co.stack[1:], args)
		// The end's results lie at 0 of the coroutine's stack.
		return L.callOne(call{at: 0, args: len(args)}, dest{want: -1, then: thenEndCoroutine})
	}
	at := co.top
	L.grow(co, at+len(args))
	copy(co.stack[at:], args)
	y := co.yield
	co.deliver(at, len(args), y)
	return L.finish(y)
}

// yieldBack ends the turn of the current coroutine. The next resume's arguments will go to d.
func (L *State) yieldBack(d dest) (again call, ok bool) {
	co := L.current
	if co == L.main || co.hosts > 0 || co.withinOp(d) {
		L.spend(int64(len(co.frames)))
		L.ThrowValue(L.errorText("attempt to yield across metamethod/C-call boundary"))
	}
	n := L.top - L.base
	co.yield, co.top = d, L.top
	return L.finish(L.leave(co, Suspended, L.base, n))
}

// withinOp says whether a call that an instruction made on its own has not ended, d being that of the newest call.
func (th *Thread) withinOp(d dest) bool {
	for i := len(th.frames) - 1; i >= 0 && !d.holdsYield(); i-- {
		d = th.frames[i].dest
	}
	return d.holdsYield()
}

// leave goes back to the coroutine that resumed this one, with n values of this one's stack, and returns what is to be
// done with them.
func (L *State) leave(co *Thread, status Status, at, n int) dest {
	to, d := co.parent, co.dest
	co.status, to.status = status, Running
	co.parent = nil
	L.current = to
	L.threads--
	L.spend(int64(n)/8 + 10)
	extra := 1
	if co.wrap {
		extra = 0
	}
	start := max(int(d.at), to.liveTop())
	L.grow(to, start+extra+n)
	if !co.wrap {
		to.stack[start] = True
	}
	copy(to.stack[start+extra:], co.stack[at:at+n])
	if status == Dead {
		co.frames, co.open = nil, nil
		clear(co.stack)
	}
	to.deliver(start, extra+n, d)
	return d
}

// liveTop is behind all that the frames of a coroutine that waits use.
func (th *Thread) liveTop() int {
	if len(th.frames) == 0 {
		return th.top
	}
	f := &th.frames[len(th.frames)-1]
	if f.fn == nil {
		return max(th.top, int(f.base))
	}
	return int(f.base) + 256
}
