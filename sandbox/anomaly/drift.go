package anomaly

import "math"

// Drift tells how much larger the last hours are than the same hours some days before, beyond by how much they were in earlier weeks: the difference of both differences of logarithms. It is the
// median of the hours; then, over the earlier weeks, the median, of two the smaller; then the median over the two days around Days on each side, so that a day on which something else happened does not
// matter; and the smaller of that now and as long ago as these hours are. It finds what goes up or down so slowly that no value is far from those before it.
type Drift struct {
	Days  int     // between both; 3 when 0
	Least float64 // the larger divided by the smaller; 1.35 when 0
	Weeks int     // that are compared with; 4 when 0
}

func (d *Drift) defaults() {
	d.Days, d.Weeks = min(atLeast(d.Days, 3), 365), min(atLeast(d.Weeks, 4), mostAround/3)
	if d.Least == 0 {
		d.Least = 1.35
	}
}

const aroundDays = 2

// Look implements Detector.
func (d Drift) Look(s *Series, i int) Verdict {
	d.defaults()
	out := nothing()
	if s.Step <= 0 || s.Step > day || d.Least <= 1 {
		return out
	}
	change, before := d.level(s, i), d.level(s, i-levelFrom)
	if math.IsNaN(change) || math.IsNaN(before) || change*before <= 0 {
		return out
	}
	out.Score = math.Min(math.Abs(change), math.Abs(before)) / math.Log(d.Least)
	out.Direction = sign(change)
	return out
}

// level is by how much the hours before value i are larger than those of the days before, as a logarithm; NaN where that is not known.
func (d *Drift) level(s *Series, i int) float64 {
	var changes [2*aroundDays + 1]float64
	for k := range changes {
		if changes[k] = d.change(s, i, max(1, d.Days-aroundDays+k)); math.IsNaN(changes[k]) {
			return math.NaN()
		}
	}
	return median(changes[:])
}

// change is how much larger, as a logarithm, the hours before value i are than those some days before; NaN when there are not two earlier weeks to compare with.
func (d *Drift) change(s *Series, i, days int) float64 {
	before, perWeek := int(int64(days)*day/s.Step), int(week/s.Step)
	var room [mostAround / 3]float64
	weeks := room[:0]
	for k := 1; k <= d.Weeks; k++ {
		var of [levelFrom - levelTo]float64
		hours := of[:0]
		for at := i - levelFrom; at < i-levelTo; at++ {
			then := at - k*perWeek
			if then-before < 0 {
				continue
			}
			if v := grown(s, at, before) - grown(s, then, before); !math.IsNaN(v) {
				hours = append(hours, v)
			}
		}
		if len(hours) > len(of)/2 {
			weeks = append(weeks, median(hours))
		}
	}
	switch {
	case len(weeks) < 2:
		return math.NaN()
	case len(weeks) > 2:
		return median(weeks)
	case weeks[0]*weeks[1] < 0: // one of them may be what was unusual
		return 0
	}
	return math.Copysign(math.Min(math.Abs(weeks[0]), math.Abs(weeks[1])), weeks[0])
}

// grown is how much larger a value is than one before it, as a logarithm; one more than each, for there may be nothing.
func grown(s *Series, at, before int) float64 {
	return math.Log1p(math.Max(0, s.Values[at])) - math.Log1p(math.Max(0, s.Values[at-before]))
}

// Work implements Detector.
func (d Drift) Work(int64, int) int64 {
	d.defaults()
	return 2 * (2*aroundDays + 1) * (levelFrom - levelTo) * int64(d.Weeks) * 8
}
