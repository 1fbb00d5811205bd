package std

import (
	"math"
	"strings"

	"sandbar/sandbox/lua/vm"
	"sandbar/sandbox/pattern"
)

// texts is the string module. What it keeps are buffers for the next call.
type texts struct {
	match   pattern.Match
	more    func() int64 // pays for further steps of a match
	scratch []byte
	ones    [256]vm.Value // the strings of one byte, as they are asked for
}

// OpenString makes the module string and the metatable of strings.
func OpenString(L *vm.State) *vm.Table {
	m := &texts{}
	t := functions(L, map[string]vm.HostFunc{
		"byte": m.byte, "char": m.char, "find": m.find, "format": m.format, "gmatch": m.gmatch,
		"gsub": m.gsub, "len": m.len, "lower": m.lower, "match": m.matchFn, "rep": m.rep, "reverse": m.reverse,
		"sub": m.sub, "upper": m.upper,
	})
	L.Kind("gmatch", m.nextMatch, vm.StringType, vm.StringType, vm.NumberType)
	L.SetField(t, "gfind", L.Field(t, "gmatch")) // its name in Lua 5.0
	mt := L.NewTable(0, 1)
	L.SetField(mt, "__index", t.Value())
	L.SetStringMeta(mt)
	return t
}

// slice makes a value of s[from:to]. Strings of one byte are made once.
func (m *texts) slice(L *vm.State, s string, from, to int) vm.Value {
	if to-from == 1 {
		one := &m.ones[s[from]]
		if one.IsNil() {
			*one = L.Intern(s[from:to])
		}
		return *one
	}
	return L.Short(s[from:to])
}

// take lends the scratch buffer. What give gets back may be lent again.
func (m *texts) take() []byte {
	b := m.scratch[:0]
	m.scratch = nil
	return b
}

func (m *texts) give(b []byte) {
	if cap(b) <= 64<<10 {
		m.scratch = b
	}
}

func (m *texts) push(L *vm.State, b []byte) int {
	L.Push(L.Bytes(b))
	return 1
}

// index turns a position that may count from the end into one from 1.
func index(i, length int) int {
	if i < 0 {
		return max(i+length+1, 0)
	}
	return i
}

func (m *texts) byte(L *vm.State) int {
	s := L.CheckString(1)
	from := index(L.OptInt(2, 1), len(s))
	to := min(index(L.OptInt(3, from), len(s)), len(s))
	from = max(from, 1)
	if from > to {
		return 0
	}
	n := to - from + 1
	if n > maxUnpacked {
		L.Throw("stack overflow (string slice too long)")
	}
	if n > 8 {
		L.Spend(int64(n) / 8)
	}
	for i := from - 1; i < to; i++ {
		L.PushInt(int(s[i]))
	}
	return n
}

func (m *texts) char(L *vm.State) int {
	n := L.Args()
	room(L, n)
	b := m.take()
	for i := 1; i <= n; i++ {
		c := L.CheckInt(i)
		if c < 0 || c > math.MaxUint8 {
			L.ArgError(i, "invalid value")
		}
		b = append(b, byte(c))
	}
	m.give(b)
	return m.push(L, b)
}

func (m *texts) len(L *vm.State) int {
	L.PushInt(len(L.CheckString(1)))
	return 1
}

func (m *texts) lower(L *vm.State) int { return m.changeCase(L, "lower", 'A') }

func (m *texts) upper(L *vm.State) int { return m.changeCase(L, "upper", 'a') }

// changeCase changes the 26 letters from first on.
func (m *texts) changeCase(L *vm.State, fn string, first byte) int {
	s := L.CheckString(1)
	at := 0
	for at < len(s) && s[at]-first >= 26 {
		at++
	}
	if at == len(s) && L.Arg(1).Type() == vm.StringType {
		L.Spend(int64(len(s)) / 64)
		L.Push(L.Arg(1))
		return 1
	}
	room(L, len(s))
	L.Spend(int64(len(s)) / 32)
	b := append(m.take(), s...)
	for i := at; i < len(b); i++ {
		if b[i]-first < 26 {
			b[i] ^= 0x20
		}
	}
	m.give(b)
	return m.push(L, b)
}

func (m *texts) rep(L *vm.State) int {
	s, n := L.CheckString(1), L.CheckInt(2)
	if n <= 0 || s == "" {
		L.PushString("")
		return 1
	}
	if n > maxText/len(s) {
		L.Charge(maxText)
		L.Throw("not enough memory")
	}
	room(L, n*len(s))
	L.PushString(strings.Repeat(s, n))
	return 1
}

func (m *texts) reverse(L *vm.State) int {
	s := L.CheckString(1)
	room(L, len(s))
	L.Spend(int64(len(s)) / 16) // byte by byte
	b := m.take()
	for i := len(s) - 1; i >= 0; i-- {
		b = append(b, s[i])
	}
	m.give(b)
	return m.push(L, b)
}

func (m *texts) sub(L *vm.State) int {
	s := L.CheckString(1)
	from := max(index(L.CheckInt(2), len(s)), 1)
	to := min(index(L.OptInt(3, -1), len(s)), len(s))
	switch {
	case from > to:
		L.PushString("")
	case from == 1 && to == len(s) && L.Arg(1).Type() == vm.StringType:
		L.Push(L.Arg(1))
	default:
		L.Spend(int64(to-from) / 64)
		L.Push(m.slice(L, s, from-1, to))
	}
	return 1
}
