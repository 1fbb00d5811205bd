package lib

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"sandbar/sandbox/lua/vm"
)

// decode is decode(text).
func (m *cjson) decode(L *vm.State) int {
	onlyArgument(L)
	d := decoding{L: L, cjson: m, in: L.CheckString(1)}
	L.Spend(1 + int64(len(d.in))/16)
	if len(d.in) >= 2 && (d.in[0] == 0 || d.in[1] == 0) {
		L.Throwf("JSON parser does not support UTF-16 or UTF-32")
	}
	defer L.ReleaseTo(L.Held()) // what an error leaves
	v := d.value(0)
	if d.space(); d.at < len(d.in) {
		d.fail("the end")
	}
	d.settle()
	L.Push(v)
	return 1
}

// decoding is one call of decode: a scanner over the text that makes tables as it goes.
type decoding struct {
	*cjson
	L    *vm.State
	in   string
	at   int
	work int64 // units to spend
}

// owe counts work, which is spent in steps.
func (d *decoding) owe() {
	if d.work++; d.work > 64 {
		d.settle()
	}
}

func (d *decoding) settle() {
	d.L.Spend(d.work)
	d.work = 0
}

// fail says what was expected, what stands there instead, and where.
func (d *decoding) fail(expected string) { d.failWith(expected, d.token()) }

func (d *decoding) failWith(expected, found string) {
	d.L.Throwf("Expected %s but found %s at character %d", expected, found, d.at+1)
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

func (d *decoding) value(depth int) vm.Value {
	switch c := d.space(); {
	case c == '"':
		return d.text("value")
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
		return vm.True
	case strings.HasPrefix(rest, "false"):
		d.at += len("false")
		return vm.False
	case strings.HasPrefix(rest, "null"):
		d.at += len("null")
		if d.keepNull {
			return d.null.Value()
		}
		return vm.Nil
	}
	d.fail("value")
	return vm.Nil
}

func (d *decoding) descend(depth int) {
	if depth > maxJSONDepth {
		d.L.Throwf("Found too many nested data structures (%d)", depth)
	}
	d.at++
}

func (d *decoding) object(depth int) vm.Value {
	d.descend(depth)
	d.work += 3
	d.owe()
	if d.space() == '}' {
		d.at++
		return d.L.NewTable(0, 0).Value()
	}
	t := d.L.NewTable(0, 4)
	d.L.Hold(t.Value())
	for {
		if d.space() != '"' {
			d.fail("object key string")
		}
		key := d.text("object key string")
		if d.space() != ':' {
			d.fail("colon")
		}
		d.at++
		if v := d.value(depth); !v.IsNil() {
			d.L.Set(t, key, v)
		}
		switch d.space() {
		case ',':
			d.at++
		case '}':
			d.at++
			d.L.Release()
			return t.Value()
		default:
			d.fail("comma or object end")
		}
	}
}

func (d *decoding) array(depth int) vm.Value {
	d.descend(depth)
	d.work += 3
	d.owe()
	t := d.L.NewTable(0, 0)
	if d.space() == ']' {
		d.at++
		return t.Value()
	}
	d.L.Hold(t.Value())
	for i := 1; ; i++ {
		if v := d.value(depth); !v.IsNil() {
			d.L.SetInt(t, i, v)
		}
		switch d.space() {
		case ',':
			d.at++
		case ']':
			d.at++
			d.L.Release()
			return t.Value()
		default:
			d.fail("comma or array end")
		}
	}
}

// number reads one of JSON's numbers.
func (d *decoding) number() vm.Value {
	d.owe()
	start, i := d.at, d.at
	digits := func() bool {
		from := i
		for i < len(d.in) && d.in[i] >= '0' && d.in[i] <= '9' {
			i++
		}
		d.work += int64(i-from) / 16
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
			return vm.Int(int(n))
		}
		if n != 0 {
			return vm.Int(int(-n))
		}
	}
	f, _ := strconv.ParseFloat(d.in[start:i], 64) // out of range is an infinity or 0, as C has it
	return vm.Number(float64(f))
}

// text reads a string whose opening quote is at the scanner.
func (d *decoding) text(expected string) vm.Value {
	d.owe()
	start := d.at + 1
	end := start + plainText(d.in[start:])
	if end < len(d.in) && d.in[end] == '"' {
		d.at = end + 1
		return d.L.Short(d.in[start:end])
	}
	out := append(d.scratch[:0], d.in[start:end]...)
	for d.at = end; ; {
		if d.at >= len(d.in) {
			d.failWith(expected, "unexpected end of string")
		}
		switch c := d.in[d.at]; c {
		case '"':
			d.at++
			if cap(out) <= 64<<10 {
				d.scratch = out
			}
			return d.L.Bytes(out)
		case '\\':
			out = d.escape(out, expected)
		default:
			out = append(out, c)
			d.at++
		}
	}
}

// plainText is how many bytes come before the first quote or backslash.
func plainText(s string) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	i := 0
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, slash := x^ones*'"', x^ones*'\\'
		if found := ((quote-ones)&^quote | (slash-ones)&^slash) & highs; found != 0 { // the lowest bit is of the first that is one
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(b) && b[i] != '"' && b[i] != '\\'; i++ {
	}
	return i
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

func digitOf(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return 16
}
