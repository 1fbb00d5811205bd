package std

import "sandbar/sandbox/lua/vm"

// numberSize is the most bytes that a number takes as text.
const numberSize = 32

// room makes sure that a string of n bytes can be made, and spends what making it costs.
func room(L *vm.State, n int) {
	if n > maxText {
		L.Charge(int64(n))
		L.Throw("not enough memory")
	}
	L.Room(int64(n))
	if n >= 64 {
		L.Spend(int64(n) / 64)
	}
}

// maxText bounds every string that a function makes, also where no memory limit does.
const maxText = 256 << 20

// functions makes a table of functions.
func functions(L *vm.State, fns map[string]vm.HostFunc) *vm.Table {
	t := L.NewTable(0, len(fns))
	for _, name := range sortedKeys(fns) { // pairs goes in this order
		L.SetField(t, name, L.NewFunction(name, fns[name]).Value())
	}
	return t
}
