package lib

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// maxUnpacked bounds what unpack returns.
const maxUnpacked = 4096

// OpenBase puts the base library into L, without what compiles, prints or loads.
func OpenBase(L *lua.LState, h Host) {
	lua.OpenBase(L)
	L.Pop(1)
	for _, name := range []string{
		"dofile", "load", "loadfile", "loadstring", "collectgarbage", "newproxy", "module", "require", "print",
		"_printregs", "_GOPHER_LUA_VERSION",
	} {
		L.SetGlobal(name, lua.LNil)
	}
	m := base{h: h}
	m.next, m.nextIndex = L.NewFunction(m.nextFn), L.NewFunction(nextIndex)
	L.SetGlobal("next", m.next)
	for name, fn := range map[string]lua.LGFunction{
		"assert": assert, "error": raise, "getmetatable": getMetatable, "ipairs": m.ipairs, "pairs": m.pairs, "rawequal": rawEqual, "rawget": rawGet,
		"rawset": m.rawset, "select": selectFn, "setmetatable": setMetatable, "tonumber": m.tonumber, "tostring": m.tostring, "type": typeOf,
		"unpack": m.unpack,
	} {
		L.SetGlobal(name, L.NewFunction(fn))
	}
}

// base is the base library, what of it costs something.
type base struct {
	h               Host
	next, nextIndex *lua.LFunction // what pairs and ipairs return
}

func assert(L *lua.LState) int {
	if lua.LVAsBool(checkAny(L, 1, "assert")) {
		return L.GetTop()
	}
	L.RaiseError("%s", optString(L, 2, "assert", "assertion failed!"))
	return 0
}

// raise is error(value [, level]). gopher-lua's names the wrong line for levels above 1.
func raise(L *lua.LState) int {
	v, level := L.Get(1), optInt(L, 2, "error", 1)
	if lua.LVCanConvToString(v) && level > 0 {
		where := L.Where(min(level, 1000))
		if where != "" && !strings.HasPrefix(where, "[G]") {
			v = lua.LString(where + " " + checkString(L, 1, "error"))
		}
	}
	L.Error(v, 0)
	return 0
}

func getMetatable(L *lua.LState) int {
	L.Push(L.GetMetatable(checkAny(L, 1, "getmetatable")))
	return 1
}

func setMetatable(L *lua.LState) int {
	t := checkTable(L, 1, "setmetatable")
	mt := L.Get(2)
	if _, ok := mt.(*lua.LTable); !ok && (mt != lua.LNil || L.GetTop() < 2) {
		argError(L, 2, "setmetatable", "nil or table expected")
	}
	if L.GetMetaField(t, "__metatable") != lua.LNil {
		L.RaiseError("cannot change a protected metatable")
	}
	t.Metatable = mt
	L.Push(t)
	return 1
}

func rawEqual(L *lua.LState) int {
	L.Push(lua.LBool(L.RawEqual(checkAny(L, 1, "rawequal"), checkAny(L, 2, "rawequal"))))
	return 1
}

func rawGet(L *lua.LState) int {
	L.Push(checkTable(L, 1, "rawget").RawGet(checkAny(L, 2, "rawget")))
	return 1
}

func (m base) rawset(L *lua.LState) int {
	t, k, v := checkTable(L, 1, "rawset"), checkAny(L, 2, "rawset"), checkAny(L, 3, "rawset")
	switch k := k.(type) {
	case *lua.LNilType:
		L.RaiseError("table index is nil")
	case lua.LNumber:
		if k != k {
			L.RaiseError("table index is NaN")
		}
		if i := toInt(float64(k)); lua.LNumber(i) == k && inArray(i) {
			setIndex(L, m.h, t, i, v)
			L.SetTop(1)
			return 1
		}
	}
	setKey(L, m.h, t, k, v)
	L.SetTop(1)
	return 1
}

// selectFn is select(index or "#", ...).
func selectFn(L *lua.LState) int {
	count := L.GetTop()
	if s, ok := L.Get(1).(lua.LString); ok && strings.HasPrefix(string(s), "#") {
		L.Push(integer(count - 1))
		return 1
	}
	i := checkInt(L, 1, "select")
	if i < 0 {
		i += count
	}
	if i < 1 {
		argError(L, 1, "select", "index out of range")
	}
	return max(count-i, 0)
}

func (m base) ipairs(L *lua.LState) int {
	t := checkTable(L, 1, "ipairs")
	L.Push(m.nextIndex)
	L.Push(t)
	L.Push(integers[0])
	return 3
}

// nextIndex is what ipairs iterates with.
func nextIndex(L *lua.LState) int {
	i := checkInt(L, 2, "ipairs") + 1
	v := getIndex(checkTable(L, 1, "ipairs"), i)
	if v == lua.LNil {
		return 0
	}
	L.Push(integer(i))
	L.Push(v)
	return 2
}

func (m base) pairs(L *lua.LState) int {
	t := checkTable(L, 1, "pairs")
	L.Push(m.next)
	L.Push(t)
	L.Push(lua.LNil)
	return 3
}

func (m base) nextFn(L *lua.LState) int {
	k, v := next(L, m.h, checkTable(L, 1, "next"), L.Get(2))
	L.Push(k)
	if k == lua.LNil {
		return 1
	}
	L.Push(v)
	return 2
}

func (m base) unpack(L *lua.LState) int {
	t, from := checkTable(L, 1, "unpack"), optInt(L, 2, "unpack", 1)
	var to int
	if L.Get(3) == lua.LNil {
		to = length(L, m.h, t)
	} else {
		to = checkInt(L, 3, "unpack")
	}
	if from > to {
		return 0
	}
	n := to - from + 1
	if n > maxUnpacked {
		L.RaiseError("too many results to unpack")
	}
	m.h.Spend(L, int64(n)/8)
	for i := from; i <= to; i++ {
		L.Push(getIndex(t, i))
	}
	return n
}

// typeNames are the values that type returns.
var typeNames = func() (all [lua.LTChannel + 1]lua.LValue) {
	for i := range all {
		all[i] = lua.LString(lua.LValueType(i).String())
	}
	return all
}()

func typeOf(L *lua.LState) int {
	L.Push(typeNames[checkAny(L, 1, "type").Type()])
	return 1
}

func (m base) tostring(L *lua.LState) int {
	v := checkAny(L, 1, "tostring")
	switch x := v.(type) {
	case lua.LString:
		L.Push(x)
		return 1
	case lua.LNumber:
		m.h.Reserve(L, numberSize+textBytes)
		L.Push(lua.LString(numberText(float64(x))))
		return 1
	}
	if fn := L.GetMetaField(v, "__tostring"); fn != lua.LNil {
		L.Push(fn)
		L.Push(v)
		L.Call(1, 1)
		return 1
	}
	m.h.Reserve(L, 48)
	L.Push(lua.LString(v.String()))
	return 1
}

func (m base) tonumber(L *lua.LState) int {
	radix := optInt(L, 2, "tonumber", 10)
	if radix == 10 {
		switch v := checkAny(L, 1, "tonumber").(type) {
		case lua.LNumber:
			L.Push(v)
			return 1
		case lua.LString:
			m.h.Spend(L, int64(len(v))/16)
			if f, ok := parseNumber(string(v)); ok {
				L.Push(lua.LNumber(f))
				return 1
			}
		}
		L.Push(lua.LNil)
		return 1
	}
	s := checkString(L, 1, "tonumber")
	if radix < 2 || radix > 36 {
		argError(L, 2, "tonumber", "base out of range")
	}
	m.h.Spend(L, int64(len(s))/8)
	f, ok := parseInRadix(s, uint64(radix))
	if !ok {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LNumber(f))
	return 1
}

// parseInRadix reads a number as C's strtoul does: what is too large is the largest, and negative ones wrap.
func parseInRadix(s string, radix uint64) (float64, bool) {
	s = trimSpace(s)
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
