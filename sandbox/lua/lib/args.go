package lib

import (
	"strconv"

	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox/number"
)

// What checks the arguments of a call, with Lua 5.1's conversions and error texts: a number is taken for a
// string and the other way round. fn is the name of the function in the text.

func argError(L *lua.LState, i int, fn, text string) {
	L.RaiseError("bad argument #%d to '%s' (%s)", i, fn, text)
}

func typeError(L *lua.LState, i int, fn, expected string) {
	got := "no value"
	if i <= L.GetTop() {
		got = L.Get(i).Type().String()
	}
	argError(L, i, fn, expected+" expected, got "+got)
}

func checkAny(L *lua.LState, i int, fn string) lua.LValue {
	if i > L.GetTop() {
		argError(L, i, fn, "value expected")
	}
	return L.Get(i)
}

func checkString(L *lua.LState, i int, fn string) string {
	switch v := L.Get(i).(type) {
	case lua.LString:
		return string(v)
	case lua.LNumber:
		return numberText(float64(v))
	}
	typeError(L, i, fn, "string")
	return ""
}

func optString(L *lua.LState, i int, fn, otherwise string) string {
	if L.Get(i) == lua.LNil {
		return otherwise
	}
	return checkString(L, i, fn)
}

func checkNumber(L *lua.LState, i int, fn string) float64 {
	switch v := L.Get(i).(type) {
	case lua.LNumber:
		return float64(v)
	case lua.LString:
		if f, ok := parseNumber(string(v)); ok {
			return f
		}
	}
	typeError(L, i, fn, "number")
	return 0
}

func checkInt(L *lua.LState, i int, fn string) int { return toInt(checkNumber(L, i, fn)) }

func optInt(L *lua.LState, i int, fn string, otherwise int) int {
	if L.Get(i) == lua.LNil {
		return otherwise
	}
	return checkInt(L, i, fn)
}

func checkTable(L *lua.LState, i int, fn string) *lua.LTable {
	t, ok := L.Get(i).(*lua.LTable)
	if !ok {
		typeError(L, i, fn, "table")
	}
	return t
}

func checkFunction(L *lua.LState, i int, fn string) *lua.LFunction {
	f, ok := L.Get(i).(*lua.LFunction)
	if !ok {
		typeError(L, i, fn, "function")
	}
	return f
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
const numberSize = 24

// numberText is a number as tostring writes it.
func numberText(f float64) string {
	var buf [numberSize]byte
	return string(number.AppendG(buf[:0], f, 14))
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func trimSpace(s string) string {
	for len(s) > 0 && isSpace(s[0]) {
		s = s[1:]
	}
	for len(s) > 0 && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// parseNumber reads a number as C's strtod does: decimal, hexadecimal, "inf" or "nan", between spaces.
func parseNumber(s string) (float64, bool) {
	if f, ok := parseSmall(s); ok {
		return f, true
	}
	s = trimSpace(s)
	digits := s
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		digits = digits[1:]
	}
	hex := len(digits) > 2 && digits[0] == '0' && digits[1]|0x20 == 'x'
	for i := range len(digits) {
		if digits[i] == '_' { // Go's numbers may have them
			return 0, false
		}
		if c := digits[i] | 0x20; hex && c == 'p' {
			hex = false // has its exponent
		}
	}
	if hex {
		s += "p0"
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && err.(*strconv.NumError).Err != strconv.ErrRange {
		return 0, false
	}
	return f, true
}

// parseSmall reads what most numbers are: a few digits.
func parseSmall(s string) (float64, bool) {
	if len(s) == 0 || len(s) > 15 {
		return 0, false
	}
	n := int64(0)
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = 10*n + int64(s[i]-'0')
	}
	return float64(n), true
}
