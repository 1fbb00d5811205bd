package lib

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox/number"
)

// Concat is the operator .. over all arguments: strings and numbers, or what has a metamethod.
func Concat(L *lua.LState, h Host) int {
	n := L.GetTop()
	size := 0
	for i := 1; i <= n; i++ {
		switch v := L.Get(i).(type) {
		case lua.LString:
			size += len(v)
		case lua.LNumber:
			size += numberSize
		default:
			return concatMeta(L, h, n)
		}
	}
	reserveText(L, h, size)
	L.Push(lua.LString(joined(L, 1, n, size)))
	return 1
}

// smallText is how long a string may be to be made on the stack first, which leaves no slack behind its end.
const smallText = 256

// joined joins the strings and numbers from one argument to another, which take at most size bytes.
func joined(L *lua.LState, from, to, size int) string {
	if size > smallText {
		var b strings.Builder
		b.Grow(size)
		for i := from; i <= to; i++ {
			appendText(&b, L.Get(i))
		}
		return b.String()
	}
	var buf [smallText]byte
	b := buf[:0]
	for i := from; i <= to; i++ {
		switch v := L.Get(i).(type) {
		case lua.LString:
			b = append(b, v...)
		case lua.LNumber:
			b = number.AppendG(b, float64(v), 14)
		}
	}
	return string(b)
}

// concatMeta joins from right to left, as Lua does, and calls __concat where it must.
func concatMeta(L *lua.LState, h Host, n int) int {
	right := L.Get(n)
	for i := n - 1; i >= 1; i-- {
		left := L.Get(i)
		if lua.LVCanConvToString(left) && lua.LVCanConvToString(right) {
			right = concatTwo(L, h, left, right)
			continue
		}
		fn := L.GetMetaField(left, "__concat")
		if fn == lua.LNil {
			fn = L.GetMetaField(right, "__concat")
		}
		if fn == lua.LNil {
			wrong := left
			if lua.LVCanConvToString(left) {
				wrong = right
			}
			L.RaiseError("attempt to concatenate a %s value", wrong.Type())
		}
		L.Push(fn)
		L.Push(left)
		L.Push(right)
		L.Call(2, 1)
		right = L.Get(-1)
		L.Pop(1)
	}
	L.Push(right)
	return 1
}

func concatTwo(L *lua.LState, h Host, left, right lua.LValue) lua.LValue {
	size := 0
	for _, v := range [2]lua.LValue{left, right} {
		if s, ok := v.(lua.LString); ok {
			size += len(s)
		} else {
			size += numberSize
		}
	}
	reserveText(L, h, size)
	L.Push(left)
	L.Push(right)
	top := L.GetTop()
	s := joined(L, top-1, top, size)
	L.Pop(2)
	return lua.LString(s)
}
