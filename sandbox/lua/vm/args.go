package vm

import (
	"sandbar/sandbox/number"
)

// What checks the arguments of a call, with Lua 5.1's conversions and error texts: a number is taken for a
// string and the other way round.

// ArgError raises what is wrong with an argument of the running function.
func (L *State) ArgError(i int, text string) {
	kind, name := L.calledAs()
	switch {
	case kind == "method" && i == 1:
		L.Throwf("calling '%s' on bad self (%s)", name, text)
	case kind == "method": // self does not count
		i--
	case name == "":
		name = "?"
	}
	L.Throwf("bad argument #%d to '%s' (%s)", i, name, text)
}

// TypeError raises that an argument is of another type than expected.
func (L *State) TypeError(i int, expected string) {
	got := "no value"
	if i <= L.Args() {
		got = L.Arg(i).Type().String()
	}
	L.ArgError(i, expected+" expected, got "+got)
}

// CheckAny returns an argument that must be there, as nil at least.
func (L *State) CheckAny(i int) Value {
	if i > L.Args() {
		L.ArgError(i, "value expected")
	}
	return L.Arg(i)
}

// CheckString returns an argument that is a string or number.
func (L *State) CheckString(i int) string {
	v := L.Arg(i)
	if s, ok := v.Str(); ok {
		return s
	}
	if f, ok := v.Float(); ok {
		return NumberText(f)
	}
	L.TypeError(i, "string")
	return ""
}

// OptString is CheckString, or otherwise when the argument is nil.
func (L *State) OptString(i int, otherwise string) string {
	if L.Arg(i).IsNil() {
		return otherwise
	}
	return L.CheckString(i)
}

// CheckNumber returns an argument that is a number or looks like one.
func (L *State) CheckNumber(i int) float64 {
	f, ok := L.number(L.Arg(i))
	if !ok {
		L.TypeError(i, "number")
	}
	return f
}

// CheckInt returns a number without its fraction.
func (L *State) CheckInt(i int) int { return ToInt(L.CheckNumber(i)) }

// OptInt is CheckInt, or otherwise when the argument is nil.
func (L *State) OptInt(i int, otherwise int) int {
	if L.Arg(i).IsNil() {
		return otherwise
	}
	return L.CheckInt(i)
}

// CheckTable returns an argument that is a table.
func (L *State) CheckTable(i int) *Table {
	t := L.Arg(i).Table()
	if t == nil {
		L.TypeError(i, "table")
	}
	return t
}

// CheckFunction returns an argument that is a function.
func (L *State) CheckFunction(i int) Value {
	v := L.Arg(i)
	if v.Function() == nil {
		L.TypeError(i, "function")
	}
	return v
}

// MaxInt bounds the integers of arguments, so that sums of a few of them do not overflow.
const MaxInt = 1 << 53

// ToInt cuts the fraction off. Where C's result is undefined it takes the nearest integer there is, and 0 for NaN.
func ToInt(f float64) int {
	switch {
	case f >= MaxInt:
		return MaxInt
	case f <= -MaxInt:
		return -MaxInt
	case f != f:
		return 0
	}
	return int(f)
}

// NumberText is a number as tostring writes it.
func NumberText(f float64) string {
	var buf [numberSize]byte
	return string(number.AppendG(buf[:0], f, 14))
}

// OptNumber is CheckNumber, or otherwise when the argument is nil.
func (L *State) OptNumber(i int, otherwise float64) float64 {
	if L.Arg(i).IsNil() {
		return otherwise
	}
	return L.CheckNumber(i)
}

// OptBool is an argument that is a boolean, or otherwise when it is nil.
func (L *State) OptBool(i int, otherwise bool) bool {
	switch v := L.Arg(i); v.Type() {
	case NilType:
		return otherwise
	case BoolType:
		return v.True()
	}
	L.TypeError(i, "boolean")
	return false
}
