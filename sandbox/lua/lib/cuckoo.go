package lib

import (
	"fmt"

	"sandbar/sandbox/lua/vm"

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

func openCuckoo(L *vm.State, h Host) *vm.Table {
	filterMethods(L, h) // images know them from the beginning
	return functions(L, map[string]vm.HostFunc{"new": filters{h}.create})
}

func newFilterObject(L *vm.State, h Host, f *filter) *vm.Userdata {
	return L.NewUserdata(f, filterMethods(L, h))
}

func filterMethods(L *vm.State, h Host) *vm.Table {
	m := filters{h}
	return methods(L, cuckooExpire, map[string]vm.HostFunc{
		"add": m.add, "delete": m.remove, "query": m.query, "count": m.count, "clear": m.clear,
		"current_interval": m.interval, "fromstring": m.fromString,
	})
}

// create is new(items, minutes of an interval).
func (m filters) create(L *vm.State) int {
	items, minutes := L.CheckInt(1), L.CheckInt(2)
	size, err := sketch.CuckooExpireSize(items, minutes)
	if err != nil {
		L.Throwf("cuckoo_filter_expire.new() %s", err.Error())
	}
	L.Charge(size)
	L.Spend(32 + size/64)
	f, err := sketch.NewCuckooExpire(items, minutes)
	if err != nil {
		L.Throwf("cuckoo_filter_expire.new() %s", err.Error())
	}
	L.Push(newFilterObject(L, m.h, &filter{f}).Value())
	return 1
}

// key is the second argument: a string, or a number in its usual form.
func (m filters) key(L *vm.State) string {
	v := L.Arg(2)
	if s, ok := v.Str(); ok {
		L.Spend(int64(len(s)) / 64)
		return s
	}
	if f, ok := v.Float(); ok {
		L.Spend(8)
		return string(number.AppendG(nil, f, 14))
	}
	L.ArgError(2, fmt.Sprintf("must be a string or number, not a %s", L.Arg(2).Type()))
	return ""
}

// add is add(key, ns) → added, delta in intervals.
func (m filters) add(L *vm.State) int {
	f := self[*filter](L, cuckooExpire)
	key, ns := m.key(L), int64(L.CheckNumber(3))
	L.Spend(f.Work(ns) / 8)
	added, delta, inWindow := f.Add(key, ns)
	L.PushBool(added)
	if !inWindow {
		return 1
	}
	L.PushFloat(float64(delta))
	return 2
}

func (m filters) remove(L *vm.State) int {
	f := self[*filter](L, cuckooExpire)
	L.PushBool(f.Delete(m.key(L)))
	return 1
}

func (m filters) query(L *vm.State) int {
	f := self[*filter](L, cuckooExpire)
	found, interval := f.Query(m.key(L))
	L.PushBool(found)
	if !found {
		return 1
	}
	L.PushFloat(float64(interval))
	return 2
}

func (m filters) count(L *vm.State) int {
	L.PushFloat(float64(self[*filter](L, cuckooExpire).Count()))
	return 1
}

func (m filters) clear(L *vm.State) int {
	f := self[*filter](L, cuckooExpire)
	L.Spend(f.Size() / 64)
	f.Clear()
	return 0
}

func (m filters) interval(L *vm.State) int {
	ns, idx := self[*filter](L, cuckooExpire).CurrentInterval()
	L.PushFloat(float64(ns))
	L.PushFloat(float64(idx))
	return 2
}

func (m filters) fromString(L *vm.State) int {
	f := self[*filter](L, cuckooExpire)
	s := L.CheckString(2)
	L.Spend(int64(len(s)) / 64)
	if err := f.FromString(s); err != nil {
		L.Throwf("fromstring() %s", err.Error())
	}
	return 0
}
