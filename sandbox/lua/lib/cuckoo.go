package lib

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox/number"
	"sandbar/sandbox/sketch"
)

const cuckooExpire = "cuckoo_filter_expire"

// filter is a sketch.CuckooExpire as an object of a plugin.
type filter struct{ *sketch.CuckooExpire }

// Module implements Preserved.
func (f *filter) Module() string { return cuckooExpire }

func reviveFilter(state string) (*filter, error) {
	f, err := sketch.ReviveCuckooExpire(state)
	return &filter{f}, err
}

type filters struct{ h Host }

func openCuckoo(L *lua.LState, h Host) *lua.LTable {
	return functions(L, map[string]lua.LGFunction{"new": filters{h}.create})
}

func newFilterObject(L *lua.LState, h Host, f *filter) *lua.LUserData {
	m := filters{h}
	return newObject(L, cuckooExpire, map[string]lua.LGFunction{
		"add": m.add, "delete": m.remove, "query": m.query, "count": m.count, "clear": m.clear,
		"current_interval": m.interval, "fromstring": m.fromString,
	}, f)
}

// create is new(items, minutes of an interval).
func (m filters) create(L *lua.LState) int {
	items, minutes := L.CheckInt(1), L.CheckInt(2)
	size, err := sketch.CuckooExpireSize(items, minutes)
	if err != nil {
		L.RaiseError("cuckoo_filter_expire.new() %s", err.Error())
	}
	m.h.Reserve(L, size)
	f, err := sketch.NewCuckooExpire(items, minutes)
	if err != nil {
		L.RaiseError("cuckoo_filter_expire.new() %s", err.Error())
	}
	L.Push(newFilterObject(L, m.h, &filter{f}))
	return 1
}

// key is the second argument: a string, or a number in its usual form.
func (m filters) key(L *lua.LState) string {
	switch v := L.Get(2).(type) {
	case lua.LString:
		m.h.Spend(L, int64(len(v))/64)
		return string(v)
	case lua.LNumber:
		return string(number.AppendG(nil, float64(v), 14))
	}
	L.ArgError(2, fmt.Sprintf("must be a string or number, not a %s", L.Get(2).Type()))
	return ""
}

// add is add(key, ns) → added, delta in intervals.
func (m filters) add(L *lua.LState) int {
	f := self[*filter](L, cuckooExpire)
	added, delta, inWindow := f.Add(m.key(L), int64(L.CheckNumber(3)))
	L.Push(lua.LBool(added))
	if !inWindow {
		return 1
	}
	L.Push(lua.LNumber(delta))
	return 2
}

func (m filters) remove(L *lua.LState) int {
	f := self[*filter](L, cuckooExpire)
	L.Push(lua.LBool(f.Delete(m.key(L))))
	return 1
}

func (m filters) query(L *lua.LState) int {
	f := self[*filter](L, cuckooExpire)
	found, interval := f.Query(m.key(L))
	L.Push(lua.LBool(found))
	if !found {
		return 1
	}
	L.Push(lua.LNumber(interval))
	return 2
}

func (m filters) count(L *lua.LState) int {
	L.Push(lua.LNumber(self[*filter](L, cuckooExpire).Count()))
	return 1
}

func (m filters) clear(L *lua.LState) int {
	f := self[*filter](L, cuckooExpire)
	m.h.Spend(L, f.Size()/64)
	f.Clear()
	return 0
}

func (m filters) interval(L *lua.LState) int {
	ns, idx := self[*filter](L, cuckooExpire).CurrentInterval()
	L.Push(lua.LNumber(ns))
	L.Push(lua.LNumber(idx))
	return 2
}

func (m filters) fromString(L *lua.LState) int {
	f := self[*filter](L, cuckooExpire)
	s := L.CheckString(2)
	m.h.Spend(L, int64(len(s))/64)
	if err := f.FromString(s); err != nil {
		L.RaiseError("fromstring() %s", err.Error())
	}
	return 0
}
