package std

import (
	"slices"

	"sandbar/sandbox/lua/vm"
)

// sortFn is sort(t [, less]). The elements are sorted in a copy, so that a function that changes the table, or
// contradicts itself, does no harm.
func sortFn(L *vm.State) int {
	t := L.CheckTable(1)
	o := &order{t: t}
	if !L.Arg(2).IsNil() {
		o.less = L.CheckFunction(2)
	}
	n := t.Len()
	L.Charge(2 * 16 * int64(n))
	L.Spend(int64(n) / 8)
	o.from, o.to = make([]vm.Value, n), make([]vm.Value, n)
	for i := range o.from {
		o.from[i] = t.GetInt(i + 1)
	}
	if o.less.IsNil() && o.sortPlain(L) {
		o.finish(L)
		return 0
	}
	o.width = 1
	o.nextPair()
	return o.step(L)
}

// order is one sort with a function: a merge sort that can wait for the answer to each of its comparisons.
type order struct {
	t        *vm.Table
	less     vm.Value // nil: the operator <
	from, to []vm.Value
	waits    bool // it has asked once
	width    int  // of the runs that are merged
	begin    int  // of the two runs
	i, j     int  // the next of each
	out      int
}

// sortPlain sorts numbers, or strings, without a call.
func (o *order) sortPlain(L *vm.State) bool {
	if len(o.from) == 0 {
		return true
	}
	kind := o.from[0].Type()
	if kind != vm.NumberType && kind != vm.StringType {
		return false
	}
	for _, v := range o.from {
		if v.Type() != kind {
			return false
		}
	}
	levels := 1
	for n := len(o.from); n > 1; n /= 2 {
		levels++
	}
	L.Spend(int64(levels) * int64(len(o.from)))
	slices.SortFunc(o.from, func(a, b vm.Value) int {
		L.SpendText(a) // the whole of it where all are equal
		if is, _ := vm.Less(a, b); is {
			return -1
		}
		if is, _ := vm.Less(b, a); is {
			return 1
		}
		return 0
	})
	return true
}

// nextPair begins with the pair of runs at begin.
func (o *order) nextPair() {
	o.i, o.j, o.out = o.begin, min(o.begin+o.width, len(o.from)), o.begin
}

// step merges until a comparison has to be asked for, or all is sorted.
func (o *order) step(L *vm.State) int {
	n := len(o.from)
	for o.width < n {
		mid, end := min(o.begin+o.width, n), min(o.begin+2*o.width, n)
		for o.i < mid && o.j < end {
			// The right one comes first only when it is less, which keeps the order of equal ones.
			a, b := o.from[o.j], o.from[o.i]
			if o.less.IsNil() {
				if is, ok := vm.Less(a, b); ok {
					L.Spend(1)
					o.take(is)
					continue
				}
				return o.ask(L, L.LessHandler(a, b), a, b)
			}
			return o.ask(L, o.less, a, b)
		}
		o.out += copy(o.to[o.out:], o.from[o.i:max(mid, o.i)])
		o.out += copy(o.to[o.out:], o.from[o.j:max(end, o.j)])
		if o.begin += 2 * o.width; o.begin >= n {
			o.from, o.to = o.to, o.from
			o.begin, o.width = 0, 2*o.width
			L.Spend(int64(n) / 16)
		}
		o.nextPair()
	}
	o.finish(L)
	return 0
}

// ask has a function say whether a is less than b.
func (o *order) ask(L *vm.State, less, a, b vm.Value) int {
	if o.waits {
		return L.Repeat(less, a, b)
	}
	o.waits = true
	return L.Call(less, []vm.Value{a, b}, o.answered)
}

// take moves one element: of the right run when it is less.
func (o *order) take(right bool) {
	if right {
		o.to[o.out] = o.from[o.j]
		o.j++
	} else {
		o.to[o.out] = o.from[o.i]
		o.i++
	}
	o.out++
}

func (o *order) answered(L *vm.State) int {
	o.take(L.Result(1).True())
	return o.step(L)
}

func (o *order) finish(L *vm.State) {
	for i, v := range o.from {
		L.SetInt(o.t, i+1, v)
	}
}
