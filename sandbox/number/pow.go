package number

import "math"

// Pow is a^b as C's pow gives it. Go's math.Pow is off by up to ten in the last place, since it squares again and
// again with rounding; here the whole part of b is raised with twice the digits.
func Pow(a, b float64) float64 {
	switch b {
	case 2:
		return a * a
	case 0.5:
		if a > 0 { // not of -inf and -0
			return math.Sqrt(a)
		}
	}
	whole := math.RoundToEven(b)
	if !(math.Abs(whole) <= 1024) || a == 0 || math.IsInf(a, 0) || a < 0 && whole != b {
		return math.Pow(a, b)
	}
	// The mantissa alone is raised, so that the digits below the last are never below the smallest number.
	m, e := math.Frexp(a)
	if math.Abs(m) < math.Sqrt2/2 {
		m, e = m*2, e-1
	}
	n := int(whole)
	f := powWhole(m, max(n, -n))
	if n < 0 {
		f = f.inverse()
	}
	if whole != b {
		f = f.times(double{math.Pow(a, b-whole), 0})
	}
	return math.Ldexp(f.hi, e*n)
}

// powWhole multiplies as in Dekker, "A floating-point technique for extending the available precision", 1971.
func powWhole(a float64, n int) double {
	result, square := double{1, 0}, double{a, 0}
	for ; ; square = square.times(square) {
		if n&1 != 0 {
			result = result.times(square)
		}
		if n >>= 1; n == 0 {
			return result
		}
	}
}

// double is the sum of two numbers, of which the second is below the last digit of the first.
type double struct{ hi, lo float64 }

func (x double) times(y double) double {
	hi := x.hi * y.hi
	return sum(hi, math.FMA(x.hi, y.hi, -hi)+(float64(x.hi*y.lo)+float64(x.lo*y.hi)))
}

// inverse adds to the quotient, by one step of Newton's method, the digits that it lacks.
func (x double) inverse() double {
	q := 1 / x.hi
	return sum(q, q*(math.FMA(-q, x.hi, 1)-q*x.lo))
}

func sum(hi, lo float64) double {
	s := hi + lo
	return double{s, lo - (s - hi)}
}
