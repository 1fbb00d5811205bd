package std

import (
	"fmt"
	"strings"

	"sandbar/sandbox/lua/vm"
)

// maxUnpacked bounds what unpack and similar functions return.
const maxUnpacked = 7900

func assert(L *vm.State) int {
	if L.CheckAny(1).True() {
		return L.Args()
	}
	L.Throw(L.OptString(2, "assertion failed!"))
	return 0
}

// raise is error(value [, level]).
func raise(L *vm.State) int {
	v, level := L.Arg(1), L.OptInt(2, 1)
	switch v.Type() {
	case vm.StringType, vm.NumberType:
		if where := L.Where(min(level, 1<<20)); where != "" {
			text := L.CheckString(1)
			room(L, len(where)+len(text))
			v = L.Str(where + text)
		}
	}
	L.ThrowValue(v)
	return 0
}

func pcall(L *vm.State) int {
	f := L.CheckAny(1)
	return L.Protected(f, L.ArgList(2), succeeded, func(L *vm.State, err vm.Value) int {
		L.Push(vm.False)
		L.Push(err)
		return 2
	})
}

// succeeded returns true and the results of the call.
func succeeded(L *vm.State) int {
	n := L.Results()
	L.Push(vm.True)
	for i := 1; i <= n; i++ {
		L.Push(L.Result(i))
	}
	L.Spend(int64(n) / 8)
	return n + 1
}

func xpcall(L *vm.State) int {
	handler, f, tries := L.CheckAny(2), L.Arg(1), 0
	var failed func(L *vm.State, err vm.Value) int
	failed = func(L *vm.State, err vm.Value) int { // of the function, and then of the handler
		if tries++; handler.Function() == nil || tries > maxHandled {
			L.Push(vm.False)
			L.Push(L.Intern("error in error handling"))
			return 2
		}
		return L.Protected(handler, []vm.Value{err}, func(L *vm.State) int {
			L.Push(vm.False)
			L.Push(L.Result(1))
			return 2
		}, failed)
	}
	return L.Protected(f, nil, succeeded, failed)
}

// maxHandled is how often a handler gets an error that it made itself; about as often as in C, where each time nests.
const maxHandled = 200

func getMetatable(L *vm.State) int {
	v := L.CheckAny(1)
	if hidden := L.Meta(v, "__metatable"); !hidden.IsNil() {
		L.Push(hidden)
		return 1
	}
	if m := L.MetaOf(v); m != nil {
		L.Push(m.Value())
		return 1
	}
	L.Push(vm.Nil)
	return 1
}

func setMetatable(L *vm.State) int {
	t := L.CheckTable(1)
	mt := L.Arg(2)
	if mt.Table() == nil && (!mt.IsNil() || L.Args() < 2) {
		L.ArgError(2, "nil or table expected")
	}
	if !L.Meta(t.Value(), "__metatable").IsNil() {
		L.Throw("cannot change a protected metatable")
	}
	t.SetMeta(mt.Table())
	L.Push(t.Value())
	return 1
}

func rawEqual(L *vm.State) int {
	a, b := L.CheckAny(1), L.CheckAny(2)
	L.SpendText(a)
	L.PushBool(vm.RawEqual(a, b))
	return 1
}

func rawGet(L *vm.State) int {
	t, k := L.CheckTable(1), L.CheckAny(2)
	L.SpendText(k)
	L.Push(t.Get(k))
	return 1
}

func rawSet(L *vm.State) int {
	t, k, v := L.CheckTable(1), L.CheckAny(2), L.CheckAny(3)
	L.Set(t, k, v)
	L.Push(t.Value())
	return 1
}

// selectFn is select(index or "#", ...).
func selectFn(L *vm.State) int {
	count := L.Args()
	if s, ok := L.Arg(1).Str(); ok && strings.HasPrefix(s, "#") {
		L.PushInt(count - 1)
		return 1
	}
	i := L.CheckInt(1)
	if i < 0 {
		i += count
	}
	if i < 1 {
		L.ArgError(1, "index out of range")
	}
	n := max(count-i, 0)
	L.Spend(int64(n) / 8)
	return n
}

// nextIndex is what ipairs iterates with.
func nextIndex(L *vm.State) int {
	i := L.CheckInt(2) + 1
	v := L.CheckTable(1).GetInt(i)
	if v.IsNil() {
		return 0
	}
	L.PushInt(i)
	L.Push(v)
	return 2
}

func nextFn(L *vm.State) int {
	t := L.CheckTable(1)
	L.SpendText(L.Arg(2))
	k, v, ok := t.Next(L, L.Arg(2))
	if !ok {
		L.ThrowBare("invalid key to 'next'")
	}
	L.Push(k)
	if k.IsNil() {
		return 1
	}
	L.Push(v)
	return 2
}

func unpack(L *vm.State) int {
	t, from := L.CheckTable(1), L.OptInt(2, 1)
	to := 0
	if L.Arg(3).IsNil() {
		to = t.Len()
	} else {
		to = L.CheckInt(3)
	}
	if from > to {
		return 0
	}
	n := to - from + 1
	if n > maxUnpacked {
		L.Throw("too many results to unpack")
	}
	L.Spend(int64(n) / 8)
	for i := from; i <= to; i++ {
		L.Push(t.GetInt(i))
	}
	return n
}

// typeFn is type(), whose results are made once.
func typeFn(L *vm.State) vm.HostFunc {
	var names [vm.ThreadType + 1]vm.Value
	for i := range names {
		names[i] = L.Intern(vm.Type(i).String())
	}
	return func(L *vm.State) int {
		L.Push(names[L.CheckAny(1).Type()])
		return 1
	}
}

func toString(L *vm.State) int {
	v := L.CheckAny(1)
	if h := L.Meta(v, "__tostring"); !h.IsNil() {
		return L.Call(h, []vm.Value{v}, func(L *vm.State) int {
			L.Push(L.Result(1))
			return 1
		})
	}
	L.Push(Text(L, v))
	return 1
}

// Text is a value as tostring shows it, without metamethods. Addresses are numbers in the order of making.
func Text(L *vm.State, v vm.Value) vm.Value {
	switch v.Type() {
	case vm.StringType:
		return v
	case vm.NumberType:
		f, _ := v.Float()
		return L.Short(vm.NumberText(f))
	case vm.NilType:
		return L.Intern("nil")
	case vm.BoolType:
		if v.True() {
			return L.Intern("true")
		}
		return L.Intern("false")
	}
	L.Spend(8)
	return L.Str(fmt.Sprintf("%s: 0x%08x", v.Type(), v.ID()))
}

// gcinfo returns how many KiB the program holds, as far as they are counted.
func gcinfo(L *vm.State) int {
	L.PushInt(int(L.Known() >> 10))
	return 1
}

func toNumber(L *vm.State) int {
	radix := L.OptInt(2, 10)
	if radix == 10 {
		v := L.CheckAny(1)
		if f, ok := L.ToNumber(v); ok {
			L.PushFloat(f)
		} else {
			L.Push(vm.Nil)
		}
		return 1
	}
	s := L.CheckString(1)
	if radix < 2 || radix > 36 {
		L.ArgError(2, "base out of range")
	}
	L.Spend(int64(len(s)) / 8)
	f, ok := parseInRadix(s, uint64(radix))
	if !ok {
		L.Push(vm.Nil)
		return 1
	}
	L.PushFloat(f)
	return 1
}

// parseInRadix reads a number as C's strtoul does: what is too large is the largest, and negative ones wrap.
func parseInRadix(s string, radix uint64) (float64, bool) {
	s = strings.Trim(s, " \t\n\v\f\r")
	negative := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		negative, s = s[0] == '-', s[1:]
	}
	if radix == 16 && len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		s = s[2:]
	}
	n, overflow := uint64(0), false
	for i := range len(s) {
		d := digitOf(s[i])
		if d >= radix {
			return 0, false
		}
		if n > (1<<64-1-d)/radix {
			overflow = true
		}
		n = n*radix + d
	}
	switch {
	case overflow:
		n = 1<<64 - 1
	case negative:
		n = -n
	}
	return float64(n), s != ""
}

func digitOf(c byte) uint64 {
	switch {
	case c >= '0' && c <= '9':
		return uint64(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return uint64(c|0x20-'a') + 10
	}
	return 64
}

// envFunction is the function that the first argument of getfenv and setfenv means: itself, or a level of calls.
func envFunction(L *vm.State, fn string, otherwise int) (f *vm.Function, level int) {
	if f := L.Arg(1).Function(); f != nil {
		return f, -1
	}
	level = otherwise
	if otherwise < 0 || !L.Arg(1).IsNil() {
		level = L.CheckInt(1)
	}
	if level < 0 {
		L.ArgError(1, "level must be non-negative")
	}
	if level == 0 {
		return nil, 0
	}
	f, lost, ok := L.FunctionAt(level)
	if !ok {
		L.ArgError(1, "invalid level")
	}
	if lost {
		L.Throwf("no function environment for tail call at level %d", level)
	}
	return f, level
}

func getEnv(L *vm.State) int {
	f, _ := envFunction(L, "getfenv", 1)
	if f == nil || f.IsHost() {
		L.Push(L.GlobalEnv().Value())
		return 1
	}
	L.Push(f.Env().Value())
	return 1
}

func setEnv(L *vm.State) int {
	t := L.CheckTable(2)
	f, level := envFunction(L, "setfenv", -1)
	if level == 0 {
		L.SetGlobalEnv(t)
		return 0
	}
	if f == nil || f.IsHost() {
		L.Throw("'setfenv' cannot change environment of given object")
	}
	f.SetEnv(t)
	L.Push(f.Value())
	return 1
}
