package lib

import (
	"sort"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox/number"
)

// tables is the table module.
type tables struct{ h Host }

func openTable(L *lua.LState, h Host) *lua.LTable {
	m := tables{h}
	return functions(L, map[string]lua.LGFunction{
		"concat": m.concat, "foreach": m.foreach, "foreachi": m.foreachi, "getn": m.getn, "insert": m.insert,
		"maxn": m.maxn, "remove": m.remove, "sort": m.sort,
	})
}

// concat is concat(t [, separator [, first [, last]]]).
func (m tables) concat(L *lua.LState) int {
	t, sep := checkTable(L, 1, "concat"), optString(L, 2, "concat", "")
	first := optInt(L, 3, "concat", 1)
	last := 0
	if L.Get(4) == lua.LNil {
		last = length(L, m.h, t)
	} else {
		last = checkInt(L, 4, "concat")
	}
	size := 0
	for i := first; i <= last; i++ {
		switch v := getIndex(t, i).(type) {
		case lua.LString:
			size += len(v)
		case lua.LNumber:
			size += numberSize
		default:
			L.RaiseError("invalid value (%s) at index %d in table for 'concat'", v.Type(), i)
		}
		if i < last {
			size += len(sep)
		}
		if (i-first)&63 == 63 {
			m.h.Spend(L, 8)
		}
	}
	reserveText(L, m.h, size)
	var b strings.Builder
	b.Grow(size)
	for i := first; i <= last; i++ {
		appendText(&b, getIndex(t, i))
		if i < last {
			b.WriteString(sep)
		}
	}
	L.Push(lua.LString(b.String()))
	return 1
}

// appendText writes a string or number.
func appendText(b *strings.Builder, v lua.LValue) {
	switch v := v.(type) {
	case lua.LString:
		b.WriteString(string(v))
	case lua.LNumber:
		var buf [numberSize]byte
		b.Write(number.AppendG(buf[:0], float64(v), 14))
	}
}

func (m tables) getn(L *lua.LState) int {
	L.Push(integer(length(L, m.h, checkTable(L, 1, "getn"))))
	return 1
}

// insert is insert(t [, position], value).
func (m tables) insert(L *lua.LState) int {
	t := checkTable(L, 1, "insert")
	end := length(L, m.h, t) + 1
	if end >= lua.MaxArrayIndex {
		L.RaiseError("a table holds at most %d array elements here", lua.MaxArrayIndex-1)
	}
	switch L.GetTop() {
	case 2:
		setIndex(L, m.h, t, end, L.Get(2))
		return 0
	case 3:
	default:
		L.RaiseError("wrong number of arguments to 'insert'")
	}
	at, v := checkInt(L, 2, "insert"), L.Get(3)
	if at >= end {
		setIndex(L, m.h, t, at, v)
		return 0
	}
	m.h.Spend(L, 1+int64(end-at)/16)
	if at >= 1 {
		m.h.Reserve(L, slotBytes)
		t.Insert(at, v)
		return 0
	}
	for i := end; i > at; i-- {
		setIndex(L, m.h, t, i, getIndex(t, i-1))
	}
	setIndex(L, m.h, t, at, v)
	return 0
}

// maxn is the largest positive number that is a key.
func (m tables) maxn(L *lua.LState) int {
	t := checkTable(L, 1, "maxn")
	largest := float64(length(L, m.h, t))
	s := ShapeOf(t)
	if s.Live > 0 {
		m.h.Spend(L, int64(s.Array+s.Keys)/2)
		t.ForEach(func(k, _ lua.LValue) {
			if n, ok := k.(lua.LNumber); ok {
				largest = max(largest, float64(n))
			}
		})
	}
	L.Push(lua.LNumber(largest))
	return 1
}

// remove is remove(t [, position]).
func (m tables) remove(L *lua.LState) int {
	t := checkTable(L, 1, "remove")
	end := length(L, m.h, t)
	at := optInt(L, 2, "remove", end)
	if at < 1 || at > end {
		return 0
	}
	if n := int64(end - at); n >= 16 {
		m.h.Spend(L, n/16)
	}
	L.Push(t.Remove(at))
	return 1
}

// foreach calls a function with each key and value until it returns something.
func (m tables) foreach(L *lua.LState) int {
	t, fn := checkTable(L, 1, "foreach"), checkFunction(L, 2, "foreach")
	for k, v := next(L, m.h, t, lua.LNil); k != lua.LNil; k, v = next(L, m.h, t, k) {
		if m.call(L, fn, k, v) {
			return 1
		}
	}
	return 0
}

func (m tables) foreachi(L *lua.LState) int {
	t, fn := checkTable(L, 1, "foreachi"), checkFunction(L, 2, "foreachi")
	for i, n := 1, length(L, m.h, t); i <= n; i++ {
		if m.call(L, fn, integer(i), t.RawGetInt(i)) {
			return 1
		}
	}
	return 0
}

// call calls fn(k, v) and leaves its result on the stack when there is one.
func (m tables) call(L *lua.LState, fn *lua.LFunction, k, v lua.LValue) bool {
	m.h.Spend(L, 4)
	L.Push(fn)
	L.Push(k)
	L.Push(v)
	L.Call(2, 1)
	if L.Get(-1) != lua.LNil {
		return true
	}
	L.Pop(1)
	return false
}

// sort is sort(t [, less]). The elements are sorted in a copy, so that a function that changes the table, or
// contradicts itself, does no harm.
func (m tables) sort(L *lua.LState) int {
	t := checkTable(L, 1, "sort")
	o := order{L: L, h: m.h}
	if L.Get(2) != lua.LNil {
		o.less = checkFunction(L, 2, "sort")
	}
	n := length(L, m.h, t)
	m.h.Reserve(L, 16*int64(n))
	m.h.Spend(L, int64(n)/8)
	o.values = make([]lua.LValue, n)
	for i := range o.values {
		o.values[i] = t.RawGetInt(i + 1)
	}
	sort.Sort(&o)
	o.spend(0)
	for i, v := range o.values {
		setIndex(L, m.h, t, i+1, v)
	}
	return 0
}

// order is the elements of one sort. It implements sort.Interface.
type order struct {
	L      *lua.LState
	h      Host
	less   *lua.LFunction
	values []lua.LValue
	work   int64
}

func (o *order) Len() int { return len(o.values) }

func (o *order) Swap(i, j int) { o.values[i], o.values[j] = o.values[j], o.values[i] }

func (o *order) Less(i, j int) bool {
	a, b := o.values[i], o.values[j]
	o.work++
	if o.less != nil {
		return o.call(a, b)
	}
	switch x := a.(type) {
	case lua.LNumber:
		if y, ok := b.(lua.LNumber); ok {
			o.spend(1 << 10)
			return x < y
		}
	case lua.LString:
		if y, ok := b.(lua.LString); ok {
			o.work += int64(min(len(x), len(y))) / 64
			o.spend(1 << 10)
			return x < y
		}
	}
	o.spend(0)
	return o.L.LessThan(a, b)
}

// spend spends the work that was done, once it is more than some units.
func (o *order) spend(over int64) {
	if o.work > over {
		o.h.Spend(o.L, o.work)
		o.work = 0
	}
}

func (o *order) call(a, b lua.LValue) bool {
	o.spend(0)
	o.L.Push(o.less)
	o.L.Push(a)
	o.L.Push(b)
	o.L.Call(2, 1)
	is := lua.LVAsBool(o.L.Get(-1))
	o.L.Pop(1)
	return is
}
