package std

import (
	"sandbar/sandbox/lua/vm"
	"sandbar/sandbox/number"
)

// What checks the arguments of a call, with Lua 5.1's conversions and error texts: a number is taken for a
// string and the other way round. fn is the name of the function in the text.

func argError(L *vm.State, i int, fn, text string) {
	L.Throwf("bad argument #%d to '%s' (%s)", i, fn, text)
}

func typeError(L *vm.State, i int, fn, expected string) {
	got := "no value"
	if i <= L.Args() {
		got = L.Arg(i).Type().String()
	}
	argError(L, i, fn, expected+" expected, got "+got)
}

func checkAny(L *vm.State, i int, fn string) vm.Value {
	if i > L.Args() {
		argError(L, i, fn, "value expected")
	}
	return L.Arg(i)
}

func checkString(L *vm.State, i int, fn string) string {
	v := L.Arg(i)
	if s, ok := v.Str(); ok {
		return s
	}
	if f, ok := v.Float(); ok {
		return numberText(f)
	}
	typeError(L, i, fn, "string")
	return ""
}

func optString(L *vm.State, i int, fn, otherwise string) string {
	if L.Arg(i).IsNil() {
		return otherwise
	}
	return checkString(L, i, fn)
}

func checkNumber(L *vm.State, i int, fn string) float64 {
	f, ok := vm.ToNumber(L.Arg(i))
	if !ok {
		typeError(L, i, fn, "number")
	}
	return f
}

func checkInt(L *vm.State, i int, fn string) int { return toInt(checkNumber(L, i, fn)) }

func optInt(L *vm.State, i int, fn string, otherwise int) int {
	if L.Arg(i).IsNil() {
		return otherwise
	}
	return checkInt(L, i, fn)
}

func checkTable(L *vm.State, i int, fn string) *vm.Table {
	t := L.Arg(i).Table()
	if t == nil {
		typeError(L, i, fn, "table")
	}
	return t
}

func checkFunction(L *vm.State, i int, fn string) vm.Value {
	v := L.Arg(i)
	if v.Function() == nil {
		typeError(L, i, fn, "function")
	}
	return v
}

// maxInt bounds the integers of arguments, so that sums of a few of them do not overflow.
const maxInt = 1 << 53

// toInt cuts the fraction off. Where C's result is undefined it takes the nearest integer there is, and 0 for NaN.
func toInt(f float64) int {
	switch {
	case f >= maxInt:
		return maxInt
	case f <= -maxInt:
		return -maxInt
	case f != f:
		return 0
	}
	return int(f)
}

// numberSize is the most bytes that a number takes as text.
const numberSize = 32

// numberText is a number as tostring writes it.
func numberText(f float64) string {
	var buf [numberSize]byte
	return string(number.AppendG(buf[:0], f, 14))
}

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
