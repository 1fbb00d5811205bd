package lib

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"
)

// newObject wraps o as a userdata whose methods are a table that L keeps under the name of the kind of object.
func newObject(L *lua.LState, kind string, methods map[string]lua.LGFunction, o Object) *lua.LUserData {
	mt := L.NewTypeMetatable(kind)
	if mt.RawGetString("__index") == lua.LNil {
		mt.RawSetString("__index", L.SetFuncs(L.NewTable(), methods))
		mt.RawSetString("__metatable", lua.LFalse)
	}
	ud := L.NewUserData()
	ud.Value, ud.Metatable = o, mt
	return ud
}

// self is the object of a method call.
func self[T Object](L *lua.LState, kind string) T {
	if ud, ok := L.Get(1).(*lua.LUserData); ok {
		if o, ok := ud.Value.(T); ok {
			return o
		}
	}
	L.RaiseError("bad argument #1 (%s expected, got %s); call it as object:method()", kind, L.Get(1).Type())
	panic("unreachable")
}

// Revive makes a preserved object anew of its module's name and its state.
func Revive(L *lua.LState, h Host, module, state string) (*lua.LUserData, error) {
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
func functions(L *lua.LState, fns map[string]lua.LGFunction) *lua.LTable {
	return L.SetFuncs(L.NewTable(), fns)
}

// column is argument i as a column from 1 to n.
func column(L *lua.LState, i, n int) int {
	c := L.CheckInt(i)
	if c < 1 || c > n {
		L.ArgError(i, "column out of range")
	}
	return c
}
