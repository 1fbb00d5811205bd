package lib

import (
	"fmt"
	"maps"
	"slices"

	"sandbar/sandbox/lua/vm"
)

// methods is the metatable of a kind of object: its methods are a table that L keeps under the name of the kind.
func methods(L *vm.State, kind string, fns map[string]vm.HostFunc) *vm.Table {
	name := "methods of " + kind
	mt := L.Field(L.Loaded(), name).Table()
	if mt == nil {
		mt = L.NewTable(0, 2)
		L.SetField(mt, "__index", functions(L, fns).Value())
		L.SetField(mt, "__metatable", vm.False)
		L.SetField(L.Loaded(), name, mt.Value())
	}
	return mt
}

// self is the object of a method call.
func self[T Object](L *vm.State, kind string) T {
	if ud := L.Arg(1).Userdata(); ud != nil {
		if o, ok := ud.Object.(T); ok {
			return o
		}
	}
	L.Throwf("bad argument #1 (%s expected, got %s); call it as object:method()", kind, L.Arg(1).Type())
	panic("unreachable")
}

// Revive makes a preserved object anew of its module's name and its state.
func Revive(L *vm.State, h Host, module, state string) (*vm.Userdata, error) {
	switch module {
	case circularBuffer:
		b, err := reviveBuffer(state)
		if err != nil {
			return nil, err
		}
		return newBufferObject(L, h, b), nil
	case cuckooExpire:
		f, err := reviveFilter(state)
		if err != nil {
			return nil, err
		}
		return newFilterObject(L, h, f), nil
	}
	return nil, fmt.Errorf("module %q makes nothing that is preserved", module)
}

// functions makes a module of Go functions.
func functions(L *vm.State, fns map[string]vm.HostFunc) *vm.Table {
	t := L.NewTable(0, len(fns))
	for _, name := range slices.Sorted(maps.Keys(fns)) { // pairs goes in this order
		L.SetField(t, name, L.NewFunction(name, fns[name]).Value())
	}
	return t
}

// column is argument i as a column from 1 to n.
func column(L *vm.State, i, n int) int {
	c := L.CheckInt(i)
	if c < 1 || c > n {
		L.ArgError(i, "column out of range")
	}
	return c
}
