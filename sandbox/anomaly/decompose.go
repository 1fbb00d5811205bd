package anomaly

import (
	"math"
	"slices"
)

// Decompose splits values into a trend, a wave for each period, shortest first, and a rest: value = trend + the sum of waves + rest. The trend goes through the medians of blocks
// as long as the longest period that is there twice; each wave is the median of its phase over all periods. It is the classical decomposition (Persons 1919) with medians
// for means, so that what is far out goes into the rest. Periods are counts of values; those that are not there twice are left out. NaN stays in the rest.
func Decompose(values []float64, periods []int) (trend, wave, rest []float64) {
	used := make([]int, 0, len(periods))
	for _, p := range periods {
		if p >= 2 && p <= len(values)/2 {
			used = append(used, p)
		}
	}
	slices.Sort(used)
	block := len(values)
	if len(used) > 0 {
		block = used[len(used)-1]
	}
	trend = blockTrend(values, block)
	wave = make([]float64, len(values))
	rest = make([]float64, len(values))
	for i, v := range values {
		rest[i] = v - trend[i]
	}
	for _, p := range used {
		phases := phaseMedians(rest, p)
		for i := range rest {
			m := phases[(len(rest)-1-i)%p]
			wave[i] += m
			rest[i] -= m
		}
	}
	return trend, wave, rest
}

// blockTrend goes through the medians of blocks, which are counted from the end, with straight lines between their middles.
func blockTrend(values []float64, block int) []float64 {
	trend := make([]float64, len(values))
	if len(values) == 0 {
		return trend
	}
	scratch := make([]float64, 0, block)
	type knot struct{ at, v float64 }
	var knots []knot // the newest first
	for end := len(values); end >= block; end -= block {
		if m := median(there(values[end-block:end], scratch)); !math.IsNaN(m) {
			knots = append(knots, knot{float64(end) - float64(block+1)/2, m})
		}
	}
	if len(knots) == 0 {
		knots = append(knots, knot{0, 0})
	}
	k := 0
	for i := len(values) - 1; i >= 0; i-- {
		at := float64(i)
		for k+1 < len(knots) && at < knots[k+1].at {
			k++
		}
		switch a := knots[k]; {
		case at >= a.at || k+1 == len(knots):
			trend[i] = a.v
		default:
			b := knots[k+1]
			trend[i] = b.v + (a.v-b.v)*(at-b.at)/(a.at-b.at)
		}
	}
	return trend
}

// phaseMedians are those of each phase, counted backwards from the last value, around their own median.
func phaseMedians(values []float64, period int) []float64 {
	phases := make([]float64, period)
	scratch := make([]float64, 0, len(values)/period+1)
	for p := range phases {
		scratch = scratch[:0]
		for i := len(values) - 1 - p; i >= 0; i -= period {
			if !math.IsNaN(values[i]) {
				scratch = append(scratch, values[i])
			}
		}
		if phases[p] = median(scratch); math.IsNaN(phases[p]) {
			phases[p] = 0
		}
	}
	middle := median(slices.Clone(phases))
	for p := range phases {
		phases[p] -= middle
	}
	return phases
}

// there is the values that are, in scratch.
func there(values, scratch []float64) []float64 {
	scratch = scratch[:0]
	for _, v := range values {
		if !math.IsNaN(v) {
			scratch = append(scratch, v)
		}
	}
	return scratch
}

// Decomposed expects of a value what trend and waves of a day and a week, taken from the weeks before it, go on to. Values above zero are decomposed as logarithms, since waves are larger where there is more.
// How far values are usually from what is expected is the median of the rest's deviations. It says nothing in the first two weeks.
type Decomposed struct {
	Weeks int     // that are decomposed; 4 when 0
	Far   float64 // standard deviations of one value; 10 when 0
}

const mostWeeks = 53

// Look implements Detector.
func (d Decomposed) Look(s *Series, i int) Verdict {
	out := nothing()
	n := d.values(s.Step, i)
	if d.Far == 0 {
		d.Far = 10
	}
	perDay := int(day / max(1, s.Step))
	if n == 0 || perDay > n/14 || math.IsNaN(s.Values[i]) { // what a weekend is like has to be known
		return out
	}
	past := slices.Clone(s.Values[i-n : i])
	x, of, back := s.Values[i], func(v float64) float64 { return v }, func(v float64) float64 { return v }
	if x >= 0 && !slices.ContainsFunc(past, func(v float64) bool { return v < 0 }) {
		of, back = math.Log1p, math.Expm1
		for k, v := range past {
			past[k] = of(v)
		}
	}
	trend, wave, rest := Decompose(past, []int{perDay, 7 * perDay})
	expected := trend[n-1] + wave[n-7*perDay] // both waves are where they were a week ago
	rest = there(rest, rest)
	middle := median(rest) // waves have a median of 0 each, not together
	sd := spread(rest, middle, make([]float64, 0, len(rest)))
	if sd == 0 || math.IsNaN(sd) {
		return out
	}
	expected += middle
	z := (of(x) - expected) / sd
	return Verdict{Score: math.Abs(z) / d.Far, Direction: sign(z), Expected: back(expected), Low: back(expected - d.Far*sd), High: back(expected + d.Far*sd)}
}

// values is how many before value i are decomposed.
func (d *Decomposed) values(step int64, i int) int {
	d.Weeks = min(atLeast(d.Weeks, 4), mostWeeks)
	if step <= 0 || step > day/2 {
		return 0
	}
	return int(min(int64(i), int64(d.Weeks)*week/step))
}

// Work implements Detector: the rest is gone through for each wave, and sorted.
func (d Decomposed) Work(step int64, i int) int64 { return 16 * int64(d.values(step, i)) }
