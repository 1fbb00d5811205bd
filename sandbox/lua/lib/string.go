package lib

import (
	"math"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox/pattern"
)

// maxText bounds every string that a function makes, also where no memory limit does.
const maxText = 256 << 20

// maxResults bounds how many values one call may return.
const maxResults = 7900

// texts is the string module. What it keeps are buffers for the next call.
type texts struct {
	h       Host
	match   pattern.Match
	scratch []byte
}

func openString(L *lua.LState, h Host) *lua.LTable {
	m := &texts{h: h}
	t := functions(L, map[string]lua.LGFunction{
		"byte": m.byte, "char": m.char, "find": m.find, "format": m.format, "gmatch": m.gmatch, "gfind": m.gmatch,
		"gsub": m.gsub, "len": m.len, "lower": m.lower, "match": m.matchFn, "rep": m.rep, "reverse": m.reverse,
		"sub": m.sub, "upper": m.upper,
	})
	mt := L.NewTable()
	mt.RawSetString("__index", t)
	L.SetMetatable(lua.LString(""), mt)
	return t
}

// reserveText reserves and spends for a string of n bytes that is about to be made.
func reserveText(L *lua.LState, h Host, n int) {
	if n > maxText {
		h.Reserve(L, int64(n))
		L.RaiseError("not enough memory")
	}
	h.Reserve(L, int64(n)+textBytes)
	if n >= 64 {
		h.Spend(L, int64(n)/64)
	}
}

// bytesOf are the strings of one byte, and the empty one at the end.
var bytesOf = func() (all [257]lua.LValue) {
	for i := range 256 {
		all[i] = lua.LString([]byte{byte(i)})
	}
	all[256] = lua.LString("")
	return all
}()

// integers are the numbers that need not be allocated each time.
var integers = func() (all [1024]lua.LValue) {
	for i := range all {
		all[i] = lua.LNumber(i)
	}
	return all
}()

func integer(i int) lua.LValue {
	if i >= 0 && i < len(integers) {
		return integers[i]
	}
	return lua.LNumber(i)
}

// shared is how long a string may be for its parts to stay parts of it. A part of a longer one is copied, since a
// few bytes would keep all of it.
const shared = 128

// slice makes a value of s[from:to]. The caller reserves.
func slice(s string, from, to int) lua.LValue {
	switch n := to - from; {
	case n == 0:
		return bytesOf[256]
	case n == 1:
		return bytesOf[s[from]]
	case len(s) > shared && n < len(s)/2:
		return lua.LString(strings.Clone(s[from:to]))
	}
	return lua.LString(s[from:to])
}

func (m *texts) pushBytes(L *lua.LState, b []byte) int {
	if len(b) <= 1 {
		L.Push(slice(string(b), 0, len(b)))
		return 1
	}
	L.Push(lua.LString(b))
	return 1
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

// index turns a position that may count from the end into one from 1.
func index(i, length int) int {
	if i < 0 {
		return max(i+length+1, 0)
	}
	return i
}

func (m *texts) byte(L *lua.LState) int {
	s := checkString(L, 1, "byte")
	from := index(optInt(L, 2, "byte", 1), len(s))
	to := min(index(optInt(L, 3, "byte", from), len(s)), len(s))
	from = max(from, 1)
	if from > to {
		return 0
	}
	n := to - from + 1
	if n > maxResults {
		L.RaiseError("stack overflow (string slice too long)")
	}
	if n > 8 {
		m.h.Spend(L, int64(n)/8)
	}
	for i := from - 1; i < to; i++ {
		L.Push(integer(int(s[i])))
	}
	return n
}

func (m *texts) char(L *lua.LState) int {
	n := L.GetTop()
	reserveText(L, m.h, n)
	b := m.take()
	for i := 1; i <= n; i++ {
		c := checkInt(L, i, "char")
		if c < 0 || c > math.MaxUint8 {
			argError(L, i, "char", "invalid value")
		}
		b = append(b, byte(c))
	}
	m.give(b)
	return m.pushBytes(L, b)
}

func (m *texts) len(L *lua.LState) int {
	L.Push(integer(len(checkString(L, 1, "len"))))
	return 1
}

func (m *texts) lower(L *lua.LState) int { return m.changeCase(L, "lower", 'A') }

func (m *texts) upper(L *lua.LState) int { return m.changeCase(L, "upper", 'a') }

// changeCase changes the 26 letters from first on.
func (m *texts) changeCase(L *lua.LState, fn string, first byte) int {
	s := checkString(L, 1, fn)
	at := 0
	for at < len(s) && s[at]-first >= 26 {
		at++
	}
	reserveText(L, m.h, len(s))
	if at == len(s) {
		L.Push(lua.LString(s))
		return 1
	}
	b := append(m.take(), s...)
	for i := at; i < len(b); i++ {
		if b[i]-first < 26 {
			b[i] ^= 0x20
		}
	}
	m.give(b)
	return m.pushBytes(L, b)
}

func (m *texts) rep(L *lua.LState) int {
	s, n := checkString(L, 1, "rep"), checkInt(L, 2, "rep")
	if n <= 0 || s == "" {
		L.Push(bytesOf[256])
		return 1
	}
	if n > maxText/len(s) {
		m.h.Reserve(L, maxText)
		L.RaiseError("not enough memory")
	}
	reserveText(L, m.h, n*len(s))
	L.Push(lua.LString(strings.Repeat(s, n)))
	return 1
}

func (m *texts) reverse(L *lua.LState) int {
	s := checkString(L, 1, "reverse")
	reserveText(L, m.h, len(s))
	b := m.take()
	for i := len(s) - 1; i >= 0; i-- {
		b = append(b, s[i])
	}
	m.give(b)
	return m.pushBytes(L, b)
}

func (m *texts) sub(L *lua.LState) int {
	s := checkString(L, 1, "sub")
	from := max(index(checkInt(L, 2, "sub"), len(s)), 1)
	to := min(index(optInt(L, 3, "sub", -1), len(s)), len(s))
	if from > to {
		L.Push(bytesOf[256])
		return 1
	}
	reserveText(L, m.h, to-from+1)
	L.Push(slice(s, from-1, to))
	return 1
}
