package anomaly

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// QuantileShift compares the q-th quantile, 0 < q < 1, of two samples: z is how many standard deviations the share of values of now that are not above the quantile of then is
// from q (the quantile test, Conover 1999, section 3.5, for two samples). It is positive when the quantile went up. All are NaN when a sample is too small: fewer than 5 values are expected on a side.
func QuantileShift(now, then []float64, q float64) (a, b, z float64) {
	now, then = there(now, make([]float64, 0, len(now))), there(then, make([]float64, 0, len(then)))
	if least := 5 / math.Min(q, 1-q); !(q > 0 && q < 1) || float64(min(len(now), len(then))) < least {
		return math.NaN(), math.NaN(), math.NaN()
	}
	slices.Sort(now)
	slices.Sort(then)
	a, b = quantile(now, q), quantile(then, q)
	below, _ := slices.BinarySearchFunc(now, b, func(v, to float64) int {
		if v < to {
			return -1
		}
		return 1
	})
	equal := below
	for equal < len(now) && now[equal] == b {
		equal++
	}
	share := q // values that are equal to the quantile are on whichever side makes no difference
	switch n := float64(len(now)); {
	case float64(below)/n > q:
		share = float64(below) / n
	case float64(equal)/n < q:
		share = float64(equal) / n
	}
	sd := math.Sqrt(q * (1 - q) * (1/float64(len(now)) + 1/float64(len(then))))
	return a, b, (q - share) / sd
}

// quantile of sorted values, between two of them by a straight line (type 7 of Hyndman and Fan 1996, as R and NumPy do).
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// pairs calls f with the counts of both for each bin that both have; what is no count above zero is none.
func pairs(a, b []float64, f func(x, y float64)) {
	for i := range min(len(a), len(b)) {
		f(count(a[i]), count(b[i]))
	}
}

func count(v float64) float64 {
	if v > 0 && !math.IsInf(v, 1) {
		return v
	}
	return 0
}

// totals are the sums of the counts of both.
func totals(a, b []float64) (n, m float64) {
	pairs(a, b, func(x, y float64) { n, m = n+x, m+y })
	return n, m
}

// Pearson is the correlation of two histograms with the same bins, -1 to 1: 1 when one is a multiple of the other; NaN when one is flat, or empty.
func Pearson(a, b []float64) float64 {
	k := float64(min(len(a), len(b)))
	n, m := totals(a, b)
	xx, yy, xy := 0.0, 0.0, 0.0
	pairs(a, b, func(x, y float64) {
		x, y = x-n/k, y-m/k
		xx, yy, xy = xx+x*x, yy+y*y, xy+x*y
	})
	r := xy / math.Sqrt(xx) / math.Sqrt(yy)
	if math.IsInf(r, 0) { // of numbers that are too small to multiply
		return math.NaN()
	}
	return math.Max(-1, math.Min(1, r))
}

// EarthMover is how far, in bins, the counts of one histogram have to be moved on average to make the other of it (Rubner, Tomasi and Guibas 2000; in one dimension the area between both cumulated
// distributions). NaN when one is empty.
func EarthMover(a, b []float64) float64 {
	n, m := totals(a, b)
	x, y, sum := 0.0, 0.0, 0.0
	pairs(a, b, func(p, q float64) {
		x, y = x+p, y+q
		sum += math.Abs(x/n - y/m)
	})
	return sum
}

// ChiSquare is the test whether two histograms with the same bins are of one distribution (Pearson 1900, for two samples of different size): p is the chance that they differ as much when they are.
// Neighbouring bins are taken together until each is expected to have 5 of both. p is 1 when fewer than two are left.
func ChiSquare(a, b []float64) (chi2 float64, degrees int, p float64) {
	n, m := totals(a, b)
	all := n + m
	least := 5 * all / math.Min(n, m)
	var bins [][2]float64
	x, y := 0.0, 0.0
	pairs(a, b, func(p, q float64) {
		if x, y = x+p, y+q; x+y >= least {
			bins = append(bins, [2]float64{x, y})
			x, y = 0, 0
		}
	})
	if len(bins) > 0 { // what is left over goes to the last
		bins[len(bins)-1][0] += x
		bins[len(bins)-1][1] += y
	}
	if len(bins) < 2 {
		return 0, 0, 1
	}
	for _, c := range bins {
		together := (c[0] + c[1]) / all
		chi2 += math.Pow(c[0]-n*together, 2)/(n*together) + math.Pow(c[1]-m*together, 2)/(m*together)
	}
	degrees = len(bins) - 1
	if math.IsNaN(chi2) || math.IsInf(chi2, 0) {
		return chi2, degrees, math.NaN()
	}
	return chi2, degrees, mathext.GammaIncRegComp(float64(degrees)/2, chi2/2)
}

// What became of a category.
const (
	Same     = 0
	Appeared = 1
	Vanished = -1
)

// Categories says of each category whether it is new or has vanished, of how often it was seen now and then: were its share the same in both, all of it would be in one by a chance of less than p
// (Fisher's exact test, for a cell that is empty).
func Categories(now, then []float64, p float64) []int8 {
	out := make([]int8, min(len(now), len(then)))
	n, m := totals(now, then)
	i := 0
	pairs(now, then, func(x, y float64) {
		switch {
		case y == 0 && m > 0 && x*math.Log(n/(n+m)) < math.Log(p):
			out[i] = Appeared
		case x == 0 && n > 0 && y*math.Log(m/(n+m)) < math.Log(p):
			out[i] = Vanished
		}
		i++
	})
	return out
}
