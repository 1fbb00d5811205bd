// Package std is the standard library of Lua 5.1 for the virtual machine of package vm, as much of it as plugins
// have. No function works for free: each spends fuel and asks for memory in proportion to what it does, and those
// that call Lua code do so without using the Go stack.
package std

import (
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"sandbar/sandbox/lua/vm"
)

// Options are what the library knows of the world.
type Options struct {
	Random *rand.PCG        // of math.random
	Now    func() time.Time // nil: there is no clock
}

// OpenBase puts the base library into the globals, without what compiles, prints or loads.
func OpenBase(L *vm.State) {
	next := L.NewFunction("next", nextFn)
	nextIndex := L.NewFunction("ipairs", nextIndex)
	L.SetNext(next)
	base := map[string]vm.HostFunc{
		"assert": assert, "error": raise, "getfenv": getEnv, "getmetatable": getMetatable, "pcall": pcall, "rawequal": rawEqual,
		"rawget": rawGet, "rawset": rawSet, "select": selectFn, "setfenv": setEnv, "setmetatable": setMetatable, "tonumber": toNumber,
		"tostring": toString, "gcinfo": gcinfo, "type": typeFn(L), "unpack": unpack, "xpcall": xpcall,
		"ipairs": func(L *vm.State) int {
			t := L.CheckTable(1)
			L.Push(nextIndex.Value())
			L.Push(t.Value())
			L.PushInt(0)
			return 3
		},
		"pairs": func(L *vm.State) int {
			t := L.CheckTable(1)
			L.Push(next.Value())
			L.Push(t.Value())
			L.Push(vm.Nil)
			return 3
		},
	}
	g := L.Globals()
	L.SetField(g, "_G", g.Value())
	L.SetField(g, "_VERSION", L.Str("Lua 5.1"))
	L.SetField(g, "next", next.Value())
	for _, name := range sortedKeys(base) {
		L.SetField(g, name, L.NewFunction(name, base[name]).Value())
	}
	L.Permanent("ipairs' next", nextIndex.Value())
	L.PermanentIn("base", g)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Modules are the libraries that require finds.
func Modules(o Options) map[string]func(*vm.State) *vm.Table {
	return map[string]func(*vm.State) *vm.Table{
		"string": OpenString, "table": OpenTable, "coroutine": OpenCoroutine,
		"math": func(L *vm.State) *vm.Table { return openMath(L, o.Random) },
		"os":   func(L *vm.State) *vm.Table { return openOS(L, o.Now) },
	}
}
