package std

import "sandbar/sandbox/lua/vm"

// sortFn is sort(t [, less]). It does what C Lua's does, comparison by comparison: a quicksort whose pivot is the middle of three (Sedgewick), so that
// equal elements, and a function that contradicts itself, end up where they do there.
func sortFn(L *vm.State) int {
	t := L.CheckTable(1)
	n := t.Len()
	if L.Arg(2).IsNil() && sortNumbers(L, t, n) {
		return 0
	}
	o := &sorting{t: t, low: 1, high: n}
	if !L.Arg(2).IsNil() {
		o.less = L.CheckFunction(2)
	}
	o.begin()
	return o.run(L)
}

// sorting is one sort, which can wait for the answer to each of its comparisons. Elements stay in the table.
type sorting struct {
	t         *vm.Table
	less      vm.Value // nil: the operator <
	waits     bool     // it has asked once
	ask       question
	low, high int // of the range that is sorted
	up, down  int // what moves towards the other
	pivot     vm.Value
	x, y      vm.Value // elements that may change places
	a, b      vm.Value // of the question: is a less than b?
	later     [][2]int // ranges
}

// question is what a comparison is for.
type question uint8

const (
	none       question = iota
	highLow             // is the last less than the first?
	middleLow           // is the middle less than the first?
	highMiddle          // is the last less than the middle?
	upPivot             // is the element that moves up less than the pivot?
	pivotDown           // is the pivot less than the element that moves down?
)

// run asks until all is sorted, or a function has to answer.
func (o *sorting) run(L *vm.State) int {
	for o.ask != none {
		L.Spend(1)
		less := o.less
		if less.IsNil() {
			L.SpendText(o.a)
			if is, ok := vm.Less(o.a, o.b); ok {
				o.answer(L, is)
				continue
			}
			less = L.LessHandler(o.a, o.b)
		}
		if o.waits {
			return L.Repeat(less, o.a, o.b)
		}
		o.waits = true
		return L.Waits(L.Call(less, []vm.Value{o.a, o.b}, o.answered), o)
	}
	return 0
}

// Held implements vm.Holder: the function that is asked may take the elements out of the table.
func (o *sorting) Held() (int64, []vm.Value) {
	return 256 + 16*int64(cap(o.later)), []vm.Value{o.pivot, o.x, o.y, o.a, o.b}
}

func (o *sorting) answered(L *vm.State) int {
	o.answer(L, L.Result(1).True())
	return o.run(L)
}

// begin takes the next range with more than one element.
func (o *sorting) begin() {
	for o.low >= o.high {
		if len(o.later) == 0 {
			o.ask = none
			return
		}
		last := len(o.later) - 1
		o.low, o.high = o.later[last][0], o.later[last][1]
		o.later = o.later[:last]
	}
	o.x, o.y = o.t.GetInt(o.low), o.t.GetInt(o.high)
	o.ask, o.a, o.b = highLow, o.y, o.x
}

// done ends a range.
func (o *sorting) done() {
	o.low = o.high
	o.begin()
}

// swap puts y in the place of x and x in the place of y.
func (o *sorting) swap(L *vm.State, x, y int) {
	L.SetInt(o.t, x, o.y)
	L.SetInt(o.t, y, o.x)
}

func (o *sorting) answer(L *vm.State, is bool) {
	switch o.ask {
	case highLow:
		if is {
			o.swap(L, o.low, o.high)
		}
		if o.high-o.low == 1 {
			o.done()
			return
		}
		o.up = (o.low + o.high) / 2
		o.x, o.y = o.t.GetInt(o.up), o.t.GetInt(o.low)
		o.ask, o.a, o.b = middleLow, o.x, o.y
	case middleLow:
		if is {
			o.swap(L, o.up, o.low)
			o.partition(L)
			return
		}
		o.y = o.t.GetInt(o.high)
		o.ask, o.a, o.b = highMiddle, o.y, o.x
	case highMiddle:
		if is {
			o.swap(L, o.up, o.high)
		}
		o.partition(L)
	case upPivot:
		if !is {
			o.moveDown()
			return
		}
		if o.up > o.high {
			L.Throw("invalid order function for sorting")
		}
		o.moveUp()
	case pivotDown:
		switch {
		case is && o.down < o.low:
			L.Throw("invalid order function for sorting")
		case is:
			o.moveDown()
		case o.down < o.up:
			o.split(L)
		default:
			o.swap(L, o.up, o.down)
			o.moveUp()
		}
	}
}

// partition begins to bring what is less than the middle before it, and the rest behind.
func (o *sorting) partition(L *vm.State) {
	if o.high-o.low == 2 {
		o.done()
		return
	}
	o.pivot = o.t.GetInt(o.up)
	o.x, o.y = o.pivot, o.t.GetInt(o.high-1)
	o.swap(L, o.up, o.high-1)
	o.up, o.down = o.low, o.high-1
	o.moveUp()
}

func (o *sorting) moveUp() {
	o.up++
	o.x = o.t.GetInt(o.up)
	o.ask, o.a, o.b = upPivot, o.x, o.pivot
}

func (o *sorting) moveDown() {
	o.down--
	o.y = o.t.GetInt(o.down)
	o.ask, o.a, o.b = pivotDown, o.pivot, o.y
}

// split puts the pivot between the halves, and goes on with the smaller one.
func (o *sorting) split(L *vm.State) {
	o.x, o.y = o.t.GetInt(o.high-1), o.t.GetInt(o.up)
	o.swap(L, o.high-1, o.up)
	if o.up-o.low < o.high-o.up {
		o.later = append(o.later, [2]int{o.up + 1, o.high})
		o.high = o.up - 1
	} else {
		o.later = append(o.later, [2]int{o.low, o.up - 1})
		o.low = o.up + 1
	}
	o.begin()
}

// sortNumbers sorts a list of nothing but numbers, in a copy. What NaN would do depends on what lies beside the list.
func sortNumbers(L *vm.State, t *vm.Table, n int) bool {
	L.Charge(8 * int64(n))
	L.Spend(int64(n) / 8)
	list := make([]float64, n)
	for i := range list {
		f, ok := t.GetInt(i + 1).Float()
		if !ok || f != f {
			return false
		}
		list[i] = f
	}
	quicksort(L, list)
	for i, f := range list {
		L.SetInt(t, i+1, vm.Number(f))
	}
	return true
}

// quicksort is what sorting does, where there is nobody to ask.
func quicksort(L *vm.State, a []float64) {
	for len(a) > 1 {
		L.Spend(int64(len(a)))
		last, mid := len(a)-1, (len(a)-1)/2
		if a[last] < a[0] {
			a[0], a[last] = a[last], a[0]
		}
		if len(a) == 2 {
			return
		}
		if a[mid] < a[0] {
			a[mid], a[0] = a[0], a[mid]
		} else if a[last] < a[mid] {
			a[mid], a[last] = a[last], a[mid]
		}
		if len(a) == 3 {
			return
		}
		pivot := a[mid]
		a[mid], a[last-1] = a[last-1], pivot
		i, j := 0, last-1
		for {
			for i++; a[i] < pivot; i++ {
			}
			for j--; pivot < a[j]; j-- {
			}
			if j < i {
				break
			}
			a[i], a[j] = a[j], a[i]
		}
		a[last-1], a[i] = a[i], a[last-1]
		if i < last-i {
			quicksort(L, a[:i])
			a = a[i+1:]
		} else {
			quicksort(L, a[i+1:])
			a = a[:i]
		}
	}
}
