package std

import (
	"strings"

	"sandbar/sandbox/lua/vm"
	"sandbar/sandbox/number"
)

// OpenTable makes the module table.
func OpenTable(L *vm.State) *vm.Table {
	return functions(L, map[string]vm.HostFunc{
		"concat": concat, "foreach": foreach, "foreachi": foreachi, "getn": getn, "insert": insert,
		"maxn": maxn, "remove": remove, "sort": sortFn,
		"setn": func(L *vm.State) int { L.Throw("'setn' is obsolete"); return 0 },
	})
}

// concat is concat(t [, separator [, first [, last]]]).
func concat(L *vm.State) int {
	sep := L.OptString(2, "")
	t := L.CheckTable(1)
	first := L.OptInt(3, 1)
	last := 0
	if L.Arg(4).IsNil() {
		last = t.Len()
	} else {
		last = L.CheckInt(4)
	}
	size := 0
	for i := first; i <= last; i++ {
		v := t.GetInt(i)
		if s, ok := v.Str(); ok {
			size += len(s)
		} else if v.Type() == vm.NumberType {
			size += numberSize
		} else {
			L.Throwf("invalid value (%s) at index %d in table for 'concat'", v.Type(), i)
		}
		if i < last {
			size += len(sep)
		}
		if (i-first)&63 == 63 {
			L.Spend(128)
		}
		if size > maxText {
			break
		}
	}
	room(L, size)
	var b strings.Builder
	b.Grow(size)
	for i := first; i <= last; i++ {
		appendText(&b, t.GetInt(i))
		if i < last {
			b.WriteString(sep)
		}
	}
	L.PushString(b.String())
	return 1
}

// appendText writes a string or number.
func appendText(b *strings.Builder, v vm.Value) {
	if s, ok := v.Str(); ok {
		b.WriteString(s)
	} else if f, ok := v.Float(); ok {
		var buf [numberSize]byte
		b.Write(number.AppendG(buf[:0], f, 14))
	}
}

func getn(L *vm.State) int {
	L.PushInt(L.CheckTable(1).Len())
	return 1
}

// insert is insert(t [, position], value).
func insert(L *vm.State) int {
	t := L.CheckTable(1)
	end := t.Len() + 1
	switch L.Args() {
	case 2:
		L.SetInt(t, end, L.Arg(2))
		return 0
	case 3:
	default:
		L.Throw("wrong number of arguments to 'insert'")
	}
	at, v := L.CheckInt(2), L.Arg(3)
	for i := end; i > at; i-- {
		payMoves(L, end-i)
		L.SetInt(t, i, t.GetInt(i-1))
	}
	L.SetInt(t, at, v)
	return 0
}

// payMoves pays for moving elements, some at a time; n were moved. One in the hash part costs several times what one in
// the array does.
func payMoves(L *vm.State, n int) {
	if n&15 == 0 {
		L.Spend(8)
	}
}

// maxn is the largest positive number that is a key.
func maxn(L *vm.State) int {
	t := L.CheckTable(1)
	largest := 0.0
	for k, _, _ := t.Next(L, vm.Nil); !k.IsNil(); k, _, _ = t.Next(L, k) {
		if f, ok := k.Float(); ok {
			largest = max(largest, f)
		}
		L.Spend(1)
	}
	L.PushFloat(largest)
	return 1
}

// remove is remove(t [, position]).
func remove(L *vm.State) int {
	t := L.CheckTable(1)
	end := t.Len()
	at := L.OptInt(2, end)
	if at < 1 || at > end {
		return 0
	}
	v := t.GetInt(at)
	for i := at; i < end; i++ {
		payMoves(L, i-at)
		L.SetInt(t, i, t.GetInt(i+1))
	}
	L.SetInt(t, end, vm.Nil)
	L.Push(v)
	return 1
}

// foreach calls a function with each key and value until it returns something.
func foreach(L *vm.State) int {
	e := &each{t: L.CheckTable(1), fn: L.CheckFunction(2), last: -1}
	return e.step(L)
}

// foreachi is foreach of the indices from 1 to the length.
func foreachi(L *vm.State) int {
	e := &each{t: L.CheckTable(1), fn: L.CheckFunction(2)}
	e.last = e.t.Len()
	return e.step(L)
}

// each goes on with a table when the function has returned.
type each struct {
	t     *vm.Table
	fn    vm.Value
	key   vm.Value // that it is called with
	i     int
	last  int // index; -1: all keys
	asked bool
}

func (e *each) step(L *vm.State) int {
	var v vm.Value
	if e.last < 0 {
		e.key, v, _ = e.t.Next(L, e.key)
	} else if e.i++; e.i <= e.last {
		e.key, v = vm.Int(e.i), e.t.GetInt(e.i)
	} else {
		return 0
	}
	if e.key.IsNil() {
		return 0
	}
	if e.asked {
		return L.Repeat(e.fn, e.key, v)
	}
	e.asked = true
	return L.Waits(L.Call(e.fn, []vm.Value{e.key, v}, e.again), e)
}

func (e *each) again(L *vm.State) int {
	if v := L.Result(1); !v.IsNil() {
		L.Push(v)
		return 1
	}
	return e.step(L)
}

// Held implements vm.Holder: the function may take the key out of the table.
func (e *each) Held() (int64, []vm.Value) { return 96, []vm.Value{e.key} }
