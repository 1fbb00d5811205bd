package vm

import (
	"fmt"
	"math"
	"runtime/debug"
)

// LimitError says which limit ended a call.
type LimitError struct {
	Limit Limit
	Text  string
	Line  int // of the source, 0: not known
}

func (e *LimitError) Error() string { return e.Text }

// InternalError is a fault of the machine itself. It ends the program that met it.
type InternalError struct {
	Cause any
	Stack string
}

func (e *InternalError) Error() string {
	return fmt.Sprintf("internal error: %v\n%s", e.Cause, e.Stack)
}

// Do calls a function, from outside of Lua code, with the fuel that there is. The results, at most want of them, all when
// want is negative, are valid until the next call. The error is an *Error, a *LimitError or an *InternalError.
func (L *State) Do(fn Value, want int, args ...Value) ([]Value, error) {
	th := L.main
	if len(th.frames) > 0 {
		return nil, fmt.Errorf("vm: a call while one is running")
	}
	L.current, L.threads, L.limit, L.results, L.byHost = th, 0, NoLimit, -1, false
	if len(L.building) > 0 {
		clear(L.building)
		L.building = L.building[:0]
	}
	err := L.begin(th, fn, want, args)
	for err != nil {
		t, ok := err.(thrown)
		if !ok {
			break
		}
		if !L.caught() {
			err = L.uncaught(t)
			break
		}
		err = L.goOn(t)
	}
	n := want
	if want < 0 {
		n = th.top - 1
	}
	if err != nil {
		L.abandon()
		if e, ok := err.(error); ok {
			return nil, e
		}
	}
	th.frames = th.frames[:0]
	return th.stack[1 : 1+n], nil
}

// Unlimited runs work of the host with the program's values: limits do not end it, but what it makes is counted.
func (L *State) Unlimited(work func() error) (err error) {
	const plenty = math.MaxInt64 / 4
	fuel, left := L.fuel, L.memory.left
	L.fuel, L.memory.left = plenty, plenty
	defer func() {
		if r := recover(); r != nil {
			err = failure(r).(error)
		}
		L.fuel, L.memory.left = fuel, left-(plenty-L.memory.left)
	}()
	return work()
}

// begin runs a function until its call ends or fails.
func (L *State) begin(th *Thread, fn Value, want int, args []Value) (err any) {
	defer func() {
		if r := recover(); r != nil {
			err = failure(r)
		}
	}()
	L.grow(th, 2+len(args))
	L.pushFrame(th, frame{base: 1})
	th.stack[1] = fn
	copy(th.stack[2:], args)
	d := dest{at: 1, want: int32(want), then: thenEndEntry}
	if c := (call{at: 1, args: len(args)}); fn.bits == functionBits && (*Function)(fn.ref).p != nil {
		L.enter(th, (*Function)(fn.ref), c, d)
	} else {
		L.call(c, d)
	}
	L.execute()
	return nil
}

// goOn runs Lua code from where an error is caught.
func (L *State) goOn(t thrown) (err any) {
	defer func() {
		if r := recover(); r != nil {
			err = failure(r)
		}
	}()
	L.fail(t)
	L.execute()
	return nil
}

func failure(r any) any {
	switch r := r.(type) {
	case thrown:
		return r
	case *abort:
		return &LimitError{r.limit, r.text, r.line}
	}
	return &InternalError{r, string(debug.Stack())}
}

// abandon leaves nothing of a call that has ended with an error.
func (L *State) abandon() {
	for th := L.current; th != nil; th = th.parent {
		th.closeUpvalues(0)
		if th != L.main {
			th.status, th.frames = Dead, nil
		}
	}
	L.current = L.main
	th := L.main
	th.status = Running
	clear(th.frames)
	th.frames = th.frames[:0]
	th.hosts, L.threads = 0, 0
	clear(th.stack)
}

// protector is the frame of the function of the host that catches errors, -1 when the coroutine has none.
func (th *Thread) protector() int {
	for i := len(th.frames) - 1; i >= 0; i-- {
		if w := th.frames[i].wait; w != nil && w.protect {
			return i
		}
	}
	return -1
}

// caught says whether something catches an error.
func (L *State) caught() bool {
	for th := L.current; th != nil; th = th.parent {
		if th.protector() >= 0 || th != L.main && !th.wrap {
			return true
		}
	}
	return false
}

func (L *State) uncaught(t thrown) error {
	e := &Error{Value: t.value, Traceback: L.traceback()}
	if s, ok := t.value.Str(); ok {
		e.Text = s
	} else if t.value.isNumber() {
		e.Text = string(appendNumber(nil, t.value.float()))
	} else {
		e.Text = fmt.Sprintf("(error object is a %s value)", t.value.Type())
	}
	e.Line = L.line()
	return e
}

// line is the line of the newest call of Lua code, 0 when there is none.
func (L *State) line() int {
	if L.current == nil {
		return 0
	}
	frames := L.current.frames
	for i := len(frames) - 1; i >= 0; i-- {
		if f := &frames[i]; f.fn != nil {
			return f.line()
		}
	}
	return 0
}

// fail goes back to what catches an error, and goes on from there.
func (L *State) fail(t thrown) {
	for {
		th := L.current
		if i := th.protector(); i >= 0 {
			L.unwindTo(th, i)
			f := &th.frames[i]
			w := f.wait
			w.protect = false
			L.base, L.results = int(f.base), -1
			L.top = max(int(f.base), w.top)
			n := w.failed(L, t.value)
			if n < 0 {
				if c, ok := L.requestedAgain(n); ok {
					L.call(c, toHost(c))
				}
				return
			}
			L.finishCalls(L.endHost(n))
			return
		}
		th.closeUpvalues(0)
		th.frames = nil
		th.hosts = 0
		if th.wrap {
			L.leaveFailed(th)
			if where := L.Where(1); where != "" && (t.value.isString() || t.value.isNumber()) {
				t.value = L.errorText(where + t.Error())
			}
			continue
		}
		L.finishCalls(L.leaveWith(th, t.value))
		return
	}
}

// unwindTo drops all frames above one.
func (L *State) unwindTo(th *Thread, i int) {
	f := &th.frames[i]
	th.closeUpvalues(int(f.base))
	for j := i + 1; j < len(th.frames); j++ {
		if th.frames[j].wait != nil {
			th.hosts--
		}
		th.frames[j] = frame{}
	}
	th.frames = th.frames[:i+1]
}

// leaveFailed goes back to the coroutine that resumed one which failed.
func (L *State) leaveFailed(th *Thread) {
	to := th.parent
	th.status, to.status, th.parent = Dead, Running, nil
	clear(th.stack)
	L.current = to
	L.threads--
}

// leaveWith is leaveFailed with the results of resume: false and the error.
func (L *State) leaveWith(th *Thread, v Value) dest {
	to, d := th.parent, th.dest
	L.leaveFailed(th)
	start := max(int(d.at), to.liveTop())
	L.grow(to, start+2)
	to.stack[start], to.stack[start+1] = False, v
	to.deliver(start, 2, d)
	return d
}
