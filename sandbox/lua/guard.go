package lua

import (
	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox/lua/lib"
)

// guardNames are the names under which rewritten source calls the guards. No source can write them.
func guardNames() [4]string { return [4]string{"(concat)", "(table)", "(closure)", "(set)"} }

const (
	guardConcat = iota
	guardTable
	guardClosure
	guardSet
)

// guards are the functions behind guardNames, in the same order.
func (p *plugin) guards() [4]lua.LGFunction {
	return [4]lua.LGFunction{p.concat, p.newTable, p.newClosure, p.setElement}
}

// concat is `a .. b .. c`.
func (p *plugin) concat(L *lua.LState) int { return lib.Concat(L, p) }

// newTable accounts for a table that was just constructed and returns it.
func (p *plugin) newTable(L *lua.LState) int {
	t := L.CheckTable(1)
	size := int64(sizeTable)
	if n := int64(t.MaxN()); n > 0 {
		size += max(n, minArray) * sizeArray
	}
	if k, _ := t.Next(lua.LNumber(t.MaxN())); k != lua.LNil {
		size += sizeSmall
	}
	p.Reserve(L, size)
	return 1
}

// newClosure accounts for the function that is its argument, or that follows.
func (p *plugin) newClosure(L *lua.LState) int {
	size := int64(sizeClosure)
	if fn, ok := L.Get(1).(*lua.LFunction); ok {
		size += sizeUpvalue * int64(len(fn.Upvalues))
	} else {
		size += 4 * sizeUpvalue
	}
	p.Reserve(L, size)
	return L.GetTop()
}

// setElement is `t[k] = v`.
func (p *plugin) setElement(L *lua.LState) int {
	target, key, value := L.Get(1), L.Get(2), L.Get(3)
	t, ok := target.(*lua.LTable)
	if !ok || t.Metatable != lua.LNil {
		p.Reserve(L, sizeEntry)
		if ok {
			if n, isNumber := key.(lua.LNumber); isNumber {
				p.reserveIndex(L, t, n)
			}
		}
		L.SetTable(target, key, value)
		return 0
	}
	switch k := key.(type) {
	case lua.LString:
		p.setNamed(L, t, k, value)
	case lua.LNumber:
		if k != k {
			L.RaiseError("table index is NaN")
		}
		p.reserveIndex(L, t, k)
		t.RawSet(k, value)
	case *lua.LNilType:
		L.RaiseError("table index is nil")
	default:
		p.Reserve(L, sizeEntry)
		t.RawSet(k, value)
	}
	return 0
}

func (p *plugin) setNamed(L *lua.LState, t *lua.LTable, k lua.LString, value lua.LValue) {
	old := t.RawGetString(string(k))
	switch {
	case old == lua.LNil && value != lua.LNil:
		size := int64(sizeEntry + sizeString)
		if first, _ := t.Next(lua.LNil); first == lua.LNil {
			size = sizeSmall
		}
		p.Reserve(L, size)
	case old != lua.LNil && value == lua.LNil:
		p.memory.dead[t]++
		p.memory.deadAll++
	}
	t.RawSetString(string(k), value)
}

// reserveIndex reserves what an assignment to t[n] may add.
func (p *plugin) reserveIndex(L *lua.LState, t *lua.LTable, n lua.LNumber) {
	i := int(n)
	if lua.LNumber(i) != n || i < 1 || i >= maxArray {
		if i == maxArray && t.Len() == maxArray-1 {
			L.RaiseError("a table holds at most %d array elements here", maxArray-1)
		}
		p.Reserve(L, sizeEntry+sizeNumber)
		return
	}
	if t.RawGetInt(i) != lua.LNil {
		return
	}
	last := t.MaxN()
	switch {
	case last == 0:
		p.Reserve(L, int64(max(i, minArray))*sizeArray)
	case i > last:
		p.Reserve(L, int64(i-last)*sizeArray)
	}
	p.Spend(L, int64(max(i-last, 0))/16)
}
