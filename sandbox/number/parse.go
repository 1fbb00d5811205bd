package number

import (
	"math"
	"strconv"
	"strings"
)

// Parse reads a number as C's strtod does: decimal, hexadecimal, "inf" or "nan", between spaces.
func Parse(s string) (float64, bool) {
	if f, ok := parseSmall(s); ok {
		return f, true
	}
	s = trimSpace(s)
	digits := s
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		digits = digits[1:]
	}
	if strings.EqualFold(digits, "nan") { // Go's has no sign
		if s[0] == '-' {
			return math.Copysign(math.NaN(), -1), true
		}
		return math.NaN(), true
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
