package lib

import (
	"strconv"
	"strings"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"
)

// decode is decode(text).
func (m *cjson) decode(L *lua.LState) int {
	m.onlyArgument(L, "decode")
	d := decoding{L: L, cjson: m, in: checkString(L, 1, "decode")}
	m.h.Spend(L, 1+int64(len(d.in))/16)
	if len(d.in) >= 2 && (d.in[0] == 0 || d.in[1] == 0) {
		L.RaiseError("JSON parser does not support UTF-16 or UTF-32")
	}
	v := d.value(0)
	if d.space(); d.at < len(d.in) {
		d.fail("the end")
	}
	d.settle(0)
	L.Push(v)
	return 1
}

// decoding is one call of decode: a scanner over the text that makes tables as it goes.
type decoding struct {
	*cjson
	L    *lua.LState
	in   string
	at   int
	owed int64 // bytes to reserve
	work int64 // units to spend
}

// owe counts what is about to be made. It is reserved and spent in steps of a few KiB.
func (d *decoding) owe(bytes int64) {
	d.owed += bytes
	d.work++
	d.settle(4 << 10)
}

func (d *decoding) settle(above int64) {
	if d.owed > above {
		d.h.Reserve(d.L, d.owed)
		d.h.Spend(d.L, d.work)
		d.owed, d.work = 0, 0
	}
}

// fail says what was expected, what stands there instead, and where.
func (d *decoding) fail(expected string) { d.failWith(expected, d.token()) }

func (d *decoding) failWith(expected, found string) {
	d.L.RaiseError("Expected %s but found %s at character %d", expected, found, d.at+1)
}

// token names what stands at the scanner.
func (d *decoding) token() string {
	rest := d.in[d.at:]
	if rest == "" {
		return "T_END"
	}
	switch c := rest[0]; {
	case c == '{':
		return "T_OBJ_BEGIN"
	case c == '}':
		return "T_OBJ_END"
	case c == '[':
		return "T_ARR_BEGIN"
	case c == ']':
		return "T_ARR_END"
	case c == ':':
		return "T_COLON"
	case c == ',':
		return "T_COMMA"
	case c == '"':
		return "T_STRING"
	case c == '-' || c >= '0' && c <= '9':
		return "T_NUMBER"
	case strings.HasPrefix(rest, "true"), strings.HasPrefix(rest, "false"):
		return "T_BOOLEAN"
	case strings.HasPrefix(rest, "null"):
		return "T_NULL"
	}
	return "invalid token"
}

// space skips white space and returns the character behind it, 0 at the end.
func (d *decoding) space() byte {
	for ; d.at < len(d.in); d.at++ {
		if c := d.in[d.at]; c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c
		}
	}
	return 0
}

func (d *decoding) value(depth int) lua.LValue {
	switch c := d.space(); {
	case c == '"':
		return lua.LString(d.text("value"))
	case c == '{':
		return d.object(depth + 1)
	case c == '[':
		return d.array(depth + 1)
	case c == '-' || c >= '0' && c <= '9':
		return d.number()
	}
	switch rest := d.in[d.at:]; {
	case strings.HasPrefix(rest, "true"):
		d.at += len("true")
		return lua.LTrue
	case strings.HasPrefix(rest, "false"):
		d.at += len("false")
		return lua.LFalse
	case strings.HasPrefix(rest, "null"):
		d.at += len("null")
		if d.keepNull {
			return d.null
		}
		return lua.LNil
	}
	d.fail("value")
	return nil
}

func (d *decoding) descend(depth int) {
	if depth > maxJSONDepth {
		d.L.RaiseError("Found too many nested data structures (%d)", depth)
	}
	d.at++
}

func (d *decoding) object(depth int) lua.LValue {
	d.descend(depth)
	d.owe(tableBytes)
	t := d.L.CreateTable(0, 8)
	if d.space() == '}' {
		d.at++
		return t
	}
	d.owe(hashBytes)
	for keys := 1; ; keys++ {
		if d.space() != '"' {
			d.fail("object key string")
		}
		key := d.text("object key string")
		if d.space() != ':' {
			d.fail("colon")
		}
		d.at++
		v := d.value(depth)
		if v != lua.LNil {
			if keys > 16 {
				d.owe(entryBytes)
			}
			t.RawSetString(key, v)
		}
		switch d.space() {
		case ',':
			d.at++
		case '}':
			d.at++
			return t
		default:
			d.fail("comma or object end")
		}
	}
}

func (d *decoding) array(depth int) lua.LValue {
	d.descend(depth)
	d.owe(tableBytes)
	t := d.L.CreateTable(0, 0)
	if d.space() == ']' {
		d.at++
		return t
	}
	d.owe(firstSlots * slotBytes)
	for i := 1; ; i++ {
		if v := d.value(depth); v != lua.LNil {
			if i > firstSlots {
				d.owe(slotBytes)
			}
			setIndex(d.L, d.h, t, i, v)
		}
		switch d.space() {
		case ',':
			d.at++
		case ']':
			d.at++
			return t
		default:
			d.fail("comma or array end")
		}
	}
}

// number reads one of JSON's numbers.
func (d *decoding) number() lua.LValue {
	d.owe(8)
	start, i := d.at, d.at
	digits := func() bool {
		from := i
		for i < len(d.in) && d.in[i] >= '0' && d.in[i] <= '9' {
			i++
		}
		return i > from
	}
	if d.in[i] == '-' {
		i++
	}
	whole := i
	ok := digits() && (i == whole+1 || d.in[whole] != '0')
	integral := i
	if ok && i < len(d.in) && d.in[i] == '.' {
		i++
		ok = digits()
	}
	if ok && i < len(d.in) && d.in[i]|0x20 == 'e' {
		i++
		if i < len(d.in) && (d.in[i] == '+' || d.in[i] == '-') {
			i++
		}
		ok = digits()
	}
	if !ok {
		d.failWith("value", "invalid number")
	}
	d.at = i
	if i == integral && i-start < 16 {
		n := int64(0)
		for _, c := range []byte(d.in[whole:i]) {
			n = 10*n + int64(c-'0')
		}
		if whole == start {
			return integer(int(n))
		}
		if n != 0 {
			return lua.LNumber(-n)
		}
	}
	f, _ := strconv.ParseFloat(d.in[start:i], 64) // out of range is an infinity or 0, as C has it
	return lua.LNumber(f)
}

// text reads a string whose opening quote is at the scanner.
func (d *decoding) text(expected string) string {
	start := d.at + 1
	end := start
	for end < len(d.in) && d.in[end] != '"' && d.in[end] != '\\' {
		end++
	}
	if end < len(d.in) && d.in[end] == '"' {
		d.owe(int64(end-start) + textBytes)
		d.at = end + 1
		return strings.Clone(d.in[start:end])
	}
	out := append(d.scratch[:0], d.in[start:end]...)
	for d.at = end; ; {
		if d.at >= len(d.in) {
			d.failWith(expected, "unexpected end of string")
		}
		switch c := d.in[d.at]; c {
		case '"':
			d.at++
			d.owe(int64(len(out)) + textBytes)
			if cap(out) <= 64<<10 {
				d.scratch = out
			}
			return string(out)
		case '\\':
			out = d.escape(out, expected)
		default:
			out = append(out, c)
			d.at++
		}
	}
}

// escape appends what the escape at the scanner stands for.
func (d *decoding) escape(out []byte, expected string) []byte {
	if d.at+1 >= len(d.in) {
		d.failWith(expected, "unexpected end of string")
	}
	c := d.in[d.at+1]
	if c == 'u' {
		r, n := d.codePoint()
		if n == 0 {
			d.failWith(expected, "invalid unicode escape code")
		}
		d.at += n
		return utf8.AppendRune(out, r)
	}
	at := strings.IndexByte(`"\/btnfr`, c)
	if at < 0 {
		d.failWith(expected, "invalid escape code")
	}
	d.at += 2
	return append(out, "\"\\/\b\t\n\f\r"[at])
}

// codePoint reads \uXXXX, or two of them for a character beyond 16 bits, and returns its length, 0 when it is none.
func (d *decoding) codePoint() (rune, int) {
	r, ok := hex4(d.in[d.at:])
	switch {
	case !ok || r >= 0xdc00 && r <= 0xdfff:
		return 0, 0
	case r < 0xd800 || r > 0xdbff:
		return r, 6
	}
	low, ok := hex4(d.in[d.at+6:])
	if !ok || low < 0xdc00 || low > 0xdfff {
		return 0, 0
	}
	return (r-0xd800)<<10 + (low - 0xdc00) + 0x10000, 12
}

func hex4(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	r := rune(0)
	for _, c := range []byte(s[2:6]) {
		d := digitOf(c)
		if d >= 16 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}
