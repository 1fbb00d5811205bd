package std

import (
	"math"
	"strconv"
	"strings"

	"sandbar/sandbox/lua/vm"
)

// conversion is one %... of a format, with C's flags.
type conversion struct {
	verb                         byte
	left, plus, space, alt, zero bool
	width, precision             int // precision is -1 when there is none
}

func (m *texts) format(L *vm.State) int {
	format := L.CheckString(1)
	room(L, len(format))
	b := m.take()
	arg := 1
	for {
		at := strings.IndexByte(format, '%')
		if at < 0 {
			break
		}
		L.Spend(1)
		b = append(b, format[:at]...)
		format = format[at+1:]
		if strings.HasPrefix(format, "%") {
			b, format = append(b, '%'), format[1:]
			continue
		}
		if arg++; arg > L.Args() {
			L.ArgError(arg, "no value")
		}
		c := conversion{precision: -1}
		format = c.scan(L, format)
		b = m.convert(L, b, c, arg)
	}
	b = append(b, format...)
	m.give(b)
	return m.push(L, b)
}

// scan reads a conversion behind its % and returns what follows.
func (c *conversion) scan(L *vm.State, format string) string {
	i := 0
flags:
	for ; i < len(format); i++ {
		switch format[i] {
		case '-':
			c.left = true
		case '+':
			c.plus = true
		case ' ':
			c.space = true
		case '#':
			c.alt = true
		case '0':
			c.zero = true
		default:
			break flags
		}
	}
	if i > 5 {
		L.Throwf("invalid format (repeated flags)")
	}
	digits := func() (n int) {
		for end := i + 2; i < end && i < len(format) && format[i] >= '0' && format[i] <= '9'; i++ {
			n = 10*n + int(format[i]-'0')
		}
		return n
	}
	c.width = digits()
	if i < len(format) && format[i] == '.' {
		i++
		c.precision = digits()
	}
	if i == len(format) {
		return ""
	}
	if format[i] >= '0' && format[i] <= '9' {
		L.Throwf("invalid format (width or precision too long)")
	}
	c.verb = format[i]
	return format[i+1:]
}

// convert appends argument i as c says.
func (m *texts) convert(L *vm.State, b []byte, c conversion, i int) []byte {
	switch c.verb {
	case 'c':
		if ch := byte(vm.ToInt(L.CheckNumber(i))); ch != 0 {
			return c.pad(b, string([]byte{ch}))
		}
		if c.left { // C writes a NUL, at which the text ends
			return b
		}
		return spaces(b, c.width-1)
	case 'd', 'i':
		return m.integer(L, b, c, L.CheckNumber(i))
	case 'o', 'u', 'x', 'X':
		return m.unsigned(L, b, c, L.CheckNumber(i))
	case 'e', 'E', 'f', 'F', 'g', 'G':
		f := L.CheckNumber(i)
		L.Spend(int64(10 + 2*c.precision))
		if c.verb|0x20 == 'f' && math.Abs(f) > 1e20 { // has hundreds of digits
			L.Spend(128)
		}
		return c.float(b, f)
	case 'q':
		return m.quoted(L, b, L.CheckString(i))
	case 's':
		s := L.CheckString(i)
		if len(s) < 100 || c.precision >= 0 { // C Lua formats it as a string of C
			s, _, _ = strings.Cut(s, "\x00")
		}
		if c.precision >= 0 && c.precision < len(s) {
			s = s[:c.precision]
		}
		room(L, max(len(s), c.width))
		L.Room(int64(len(b) + len(s))) // of all that was made
		return c.pad(b, s)
	}
	verb := ""
	if c.verb != 0 {
		verb = string([]byte{c.verb})
	}
	L.Throwf("invalid option '%%%s' to 'format'", verb)
	return nil
}

// pad appends text with spaces up to the width.
func (c conversion) pad(b []byte, text string) []byte {
	if c.left {
		return spaces(append(b, text...), c.width-len(text))
	}
	return append(spaces(b, c.width-len(text)), text...)
}

func spaces(b []byte, n int) []byte {
	for ; n > 0; n-- {
		b = append(b, ' ')
	}
	return b
}

// number appends a sign or prefix and digits, with spaces or zeros between them up to the width.
func (c conversion) number(b []byte, sign string, digits []byte) []byte {
	fill := c.width - len(sign) - len(digits)
	switch {
	case c.left:
		return spaces(append(append(b, sign...), digits...), fill)
	case c.zero:
		b = append(b, sign...)
		for ; fill > 0; fill-- {
			b = append(b, '0')
		}
		return append(b, digits...)
	}
	return append(append(spaces(b, fill), sign...), digits...)
}

// sign of what is not negative.
func (c conversion) sign() string {
	switch {
	case c.plus:
		return "+"
	case c.space:
		return " "
	}
	return ""
}

func (m *texts) integer(L *vm.State, b []byte, c conversion, f float64) []byte {
	sign, n := c.sign(), signed(f)
	u := uint64(n)
	if n < 0 {
		sign, u = "-", -u
	}
	return m.digits(L, b, c, sign, u, 10)
}

// signed is C's conversion to a long, as x86 does it.
func signed(f float64) int64 {
	if f >= -1<<63 && f < 1<<63 {
		return int64(f)
	}
	return math.MinInt64
}

func (m *texts) unsigned(L *vm.State, b []byte, c conversion, f float64) []byte {
	u := uint64(signed(f))
	if f >= 1<<63 {
		u = uint64(signed(f-1<<63)) ^ 1<<63
	}
	prefix, base := "", 16
	switch c.verb {
	case 'u':
		base = 10
	case 'o':
		base = 8
	default:
		if c.alt && u != 0 {
			prefix = "0" + string([]byte{c.verb})
		}
	}
	return m.digits(L, b, c, prefix, u, base)
}

func (m *texts) digits(L *vm.State, b []byte, c conversion, sign string, u uint64, base int) []byte {
	var buf [128]byte
	const most = 99 // digits, of the precision
	digits := strconv.AppendUint(buf[:most], u, base)
	if c.verb == 'X' {
		for i := most; i < len(digits); i++ {
			if digits[i] >= 'a' {
				digits[i] -= 0x20
			}
		}
	}
	at := most
	if u == 0 && c.precision == 0 {
		at++
	}
	for len(digits)-at < c.precision {
		at--
		digits[at] = '0'
	}
	if c.verb == 'o' && c.alt && (at == len(digits) || digits[at] != '0') {
		at--
		digits[at] = '0'
	}
	if c.precision >= 0 {
		c.zero = false
	}
	L.Room(int64(max(c.width, len(digits)-at)))
	return c.number(b, sign, digits[at:])
}

// float appends f in one of C's forms of floating point numbers.
func (c conversion) float(b []byte, f float64) []byte {
	var buf [512]byte
	upper := c.verb < 'a'
	if f-f != 0 {
		c.zero = false
		return c.number(b, "", appendInfinite(buf[:0], f, c.sign(), upper))
	}
	sign := c.sign()
	if math.Signbit(f) {
		sign, f = "-", -f
	}
	if c.precision < 0 {
		c.precision = 6
	}
	var digits []byte
	switch c.verb | 0x20 {
	case 'e':
		digits = strconv.AppendFloat(buf[:0], f, 'e', c.precision, 64)
	case 'f':
		digits = strconv.AppendFloat(buf[:0], f, 'f', c.precision, 64)
	case 'g':
		c.precision = max(c.precision, 1)
		if c.alt {
			digits = general(buf[:0], f, c.precision)
		} else {
			digits = strconv.AppendFloat(buf[:0], f, 'g', c.precision, 64)
		}
	}
	if c.alt {
		digits = withPoint(digits)
	}
	if upper {
		for i, d := range digits {
			if d == 'e' {
				digits[i] = 'E'
			}
		}
	}
	return c.number(b, sign, digits)
}

// general is %#g: %g that keeps its zeros.
func general(dst []byte, f float64, precision int) []byte {
	dst = strconv.AppendFloat(dst, f, 'e', precision-1, 64)
	at := strings.LastIndexByte(string(dst), 'e')
	exponent, _ := strconv.Atoi(string(dst[at+1:]))
	if exponent < -4 || exponent >= precision {
		return dst
	}
	return strconv.AppendFloat(dst[:0], f, 'f', precision-1-exponent, 64)
}

// withPoint adds the decimal point that the flag # wants.
func withPoint(digits []byte) []byte {
	at := len(digits)
	for i, d := range digits {
		if d == '.' {
			return digits
		}
		if d == 'e' {
			at = i
		}
	}
	digits = append(digits, 0)
	copy(digits[at+1:], digits[at:])
	digits[at] = '.'
	return digits
}

// quoted appends s as a literal that Lua reads.
func (m *texts) quoted(L *vm.State, b []byte, s string) []byte {
	L.Spend(int64(len(s)) / 8)
	size := 2
	for i := range len(s) {
		size += 1 + len(escape(s[i]))
	}
	room(L, size)
	L.Room(int64(len(b) + size))
	b = append(b, '"')
	for i := range len(s) {
		if e := escape(s[i]); e != "" {
			b = append(b, e...)
		} else {
			b = append(b, s[i])
		}
	}
	return append(b, '"')
}

// escape is what stands for c between quotes, "" for itself.
func escape(c byte) string {
	switch c {
	case '"':
		return `\"`
	case '\\':
		return `\\`
	case '\n':
		return "\\\n"
	case '\r':
		return `\r`
	case 0:
		return `\000`
	}
	return ""
}

// appendInfinite appends an infinity or NaN as C does. plus is the sign of what is not negative.
func appendInfinite(dst []byte, f float64, plus string, upper bool) []byte {
	text := "inf"
	if f != f {
		text = "nan"
	}
	if upper {
		text = strings.ToUpper(text)
	}
	if math.Signbit(f) {
		plus = "-"
	}
	return append(append(dst, plus...), text...)
}
