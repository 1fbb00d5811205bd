// Package anomaly finds what is unusual in series of numbers, without a threshold that somebody has to choose.
//
// A detector looks at one value of a series with those before it, and keeps nothing: the same series gives the same verdict, in a trial, after a restart and years
// later. docs/anomaly.md has formulas, sources and what each is good for; sandbox/anomaly/judge says how good each is.
package anomaly

import (
	"math"
	"slices"
)

// Series is values at equal steps. NaN is no value.
type Series struct {
	Step   int64 // seconds between values
	Values []float64
}

// Verdict is what a detector says of one value.
type Verdict struct {
	Score     float64 // at least 1 is unusual; how far beyond that says how much
	Direction int     // of what is unusual: -1 less, 1 more, 0 neither
	Expected  float64 // NaN when the detector expects nothing in particular
	Low, High float64 // what would not be unusual; NaN likewise
}

// Unusual says whether the value is.
func (v Verdict) Unusual() bool { return v.Score >= 1 }

// Detector looks at value i of a series, 0 <= i < len(s.Values). It may be called by several goroutines.
type Detector interface {
	Look(s *Series, i int) Verdict
	// Work is how many values a look at value i of a series of that step goes through at most, each time it does.
	Work(step int64, i int) int64
}

func nothing() Verdict {
	return Verdict{Expected: math.NaN(), Low: math.NaN(), High: math.NaN()}
}

// madToSigma makes the median absolute deviation of a normal distribution its standard deviation: 1 / Φ⁻¹(3/4).
const madToSigma = 1.4826022185056018

// median of values, which are put into another order; NaN of none.
func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	if n%2 == 1 {
		return values[n/2]
	}
	return values[n/2-1]/2 + values[n/2]/2 // a sum of both could be too large
}

// spread is the median absolute deviation from a middle, as a standard deviation. scratch has room for all values.
func spread(values []float64, middle float64, scratch []float64) float64 {
	scratch = scratch[:0]
	for _, v := range values {
		scratch = append(scratch, math.Abs(v-middle))
	}
	return madToSigma * median(scratch)
}

// mean and standard deviation (with n-1) of the values that are there.
func moments(values []float64) (mean, sd float64, n int) {
	m2 := 0.0
	for _, v := range values { // Welford's way
		if math.IsNaN(v) {
			continue
		}
		n++
		d := v - mean
		mean += d / float64(n)
		m2 += d * (v - mean)
	}
	if n < 2 {
		return mean, 0, n
	}
	return mean, math.Sqrt(m2 / float64(n-1)), n
}

func sign(v float64) int {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}
