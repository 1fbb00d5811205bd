package number

import (
	"strconv"
	"strings"
)

// What Bound leaves as it is: so many significant digits, and a first digit at most so many places from the point.
const (
	maxDigits = 800
	maxPlaces = 400
)

// How the exponent and the first digits of a number beyond that are kept, so that two such numbers compare as they did.
const (
	exponentDigits = 20
	leadingDigits  = maxPlaces - exponentDigits
	maxExponent    = 1_000_000_000_000_000_000
)

// Bound returns a JSON number that exact arithmetic (math/big) can compute with in microseconds: s itself, or when it has
// many digits or a large exponent another number that compares with others as s does. A number from 10^400 on becomes
// a whole number above 10^400, one between 0 and 10^-401 becomes another between them; both grow with s. Digits behind the
// 800th become one digit. s has to be a number by RFC 8259; the cost grows with its length alone.
func Bound(s string) string {
	exponentAt := strings.IndexAny(s, "eE")
	if exponentAt < 0 && len(s) <= maxPlaces {
		return s
	}
	mantissa, places := s, int64(0)
	if exponentAt >= 0 {
		mantissa, places = s[:exponentAt], exponent(s[exponentAt+1:])
	}
	sign := ""
	if mantissa[0] == '-' {
		sign, mantissa = "-", mantissa[1:]
	}
	digits, places := significant(mantissa, places)
	switch {
	case digits == "":
		return "0"
	case places > maxPlaces:
		return sign + "1" + code(min(places, maxExponent)) + leading(digits)
	case places < -maxPlaces:
		return sign + "0." + code(maxExponent-min(-places, maxExponent)) + leading(digits) + "1e-" + strconv.Itoa(maxPlaces+2)
	case len(digits) > maxDigits:
		digits = digits[:maxDigits] + "1"
	case len(s) <= 2*maxDigits:
		return s
	}
	return sign + "0." + digits + "e" + strconv.FormatInt(places, 10)
}

// exponent reads what stands behind the e; beyond maxExponent only the sign is sure.
func exponent(s string) int64 {
	negative := s[0] == '-'
	s = strings.TrimLeft(strings.TrimLeft(s, "+-"), "0")
	n := int64(2 * maxExponent)
	if len(s) <= 18 {
		n, _ = strconv.ParseInt("0"+s, 10, 64)
	}
	if negative {
		return -n
	}
	return n
}

// significant returns the digits of a mantissa without zeros at either end, and p so that the number is
// 0.digits times 10^p, where places is its exponent.
func significant(mantissa string, places int64) (digits string, p int64) {
	whole, fraction, _ := strings.Cut(mantissa, ".")
	p = places + int64(len(whole))
	all := whole
	if fraction != "" {
		all = whole + fraction
	}
	digits = strings.TrimLeft(all, "0")
	p -= int64(len(all) - len(digits))
	return strings.TrimRight(digits, "0"), p
}

// code writes n with a fixed number of digits.
func code(n int64) string {
	s := strconv.FormatInt(n, 10)
	return strings.Repeat("0", exponentDigits-len(s)) + s
}

// leading is the first digits, filled up with zeros.
func leading(digits string) string {
	if len(digits) >= leadingDigits {
		return digits[:leadingDigits]
	}
	return digits + strings.Repeat("0", leadingDigits-len(digits))
}
