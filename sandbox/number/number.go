// Package number reads and writes floating point numbers as Lua 5.1 and Hindsight, which is C's printf, write them.
package number

import (
	"math"
	"strconv"
)

// AppendG writes f as C's "%.<digits>g" does: 14 digits are Lua's tostring.
func AppendG(dst []byte, f float64, digits int) []byte {
	switch {
	case f != f:
		if math.Signbit(f) {
			return append(dst, "-nan"...)
		}
		return append(dst, "nan"...)
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	case f == math.Trunc(f) && math.Abs(f) < 1e14 && digits >= 14 && !(f == 0 && math.Signbit(f)):
		return strconv.AppendInt(dst, int64(f), 10)
	}
	return strconv.AppendFloat(dst, f, 'g', digits, 64)
}

// AppendPayload writes f as Hindsight writes numbers into payloads: in the range of a 32-bit integer fixed with
// at most 8 decimals, beyond it with 17 digits.
func AppendPayload(dst []byte, f float64) []byte {
	if f != f {
		return append(dst, "nan"...)
	}
	if f < math.MinInt32 || f > math.MaxInt32 {
		return AppendG(dst, f, 17)
	}
	if f == math.Trunc(f) {
		return strconv.AppendInt(dst, int64(f), 10)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', 8, 64)
	end := len(dst)
	for dst[end-1] == '0' {
		end--
	}
	if dst[end-1] == '.' {
		end--
	}
	if string(dst[start:end]) == "-0" {
		return append(dst[:start], '0')
	}
	return dst[:end]
}
