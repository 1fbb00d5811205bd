package anomaly

import "math"

// Drift tells how much larger the last hours are than the same hours some days before, beyond by how much they were in earlier weeks: the median, over hours and weeks, of the difference of both differences of
// logarithms. It finds what goes up or down so slowly that no value is far from those before it. A day is compared with three, so that one on which something else happened does not matter.
type Drift struct {
	Days  int     // between both; 3 when 0
	Least float64 // the larger divided by the smaller; 1.3 when 0
	Weeks int     // that are compared with; 4 when 0
}

func (d *Drift) defaults() {
	d.Days, d.Weeks = min(atLeast(d.Days, 3), 365), min(atLeast(d.Weeks, 4), mostAround/3)
	if d.Least == 0 {
		d.Least = 1.3
	}
}

// Look implements Detector.
func (d Drift) Look(s *Series, i int) Verdict {
	d.defaults()
	out := nothing()
	if s.Step <= 0 || s.Step > day || d.Least <= 1 {
		return out
	}
	var changes [3]float64
	for k := range changes {
		changes[k] = d.change(s, i, max(1, d.Days-1+k))
		if math.IsNaN(changes[k]) {
			return out
		}
	}
	change := median(changes[:])
	out.Score = math.Abs(change) / math.Log(d.Least)
	out.Direction = sign(change)
	return out
}

// change is how much larger, as a logarithm, the hours before value i are than those some days before; NaN when there are not two earlier weeks to compare with.
func (d *Drift) change(s *Series, i, days int) float64 {
	before, perWeek := int(int64(days)*day/s.Step), int(week/s.Step)
	var room [(levelFrom - levelTo) * (mostAround / 3)]float64
	all := room[:0]
	weeks := 0
	for k := 1; k <= d.Weeks; k++ {
		n := len(all)
		for at := i - levelFrom; at < i-levelTo; at++ {
			then := at - k*perWeek
			if then-before < 0 {
				continue
			}
			if v := grown(s, at, before) - grown(s, then, before); !math.IsNaN(v) {
				all = append(all, v)
			}
		}
		if len(all) > n {
			weeks++
		}
	}
	if weeks < 2 {
		return math.NaN()
	}
	return median(all)
}

// grown is how much larger a value is than one before it, as a logarithm; one more than each, for there may be nothing.
func grown(s *Series, at, before int) float64 {
	return math.Log1p(math.Max(0, s.Values[at])) - math.Log1p(math.Max(0, s.Values[at-before]))
}

// Work implements Detector.
func (d Drift) Work(int64, int) int64 {
	d.defaults()
	return 3 * (levelFrom - levelTo) * int64(d.Weeks) * 8
}
