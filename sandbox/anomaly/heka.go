package anomaly

import (
	"math"
	"slices"
)

// RateOfChange is Heka's roc: the mean of the last Window values is compared with that of the window before; a difference of more than Deviations
// standard deviations of the history before both is unusual. Loss and start of data are told too, where that is wanted.
type RateOfChange struct {
	Window     int
	History    int // values before the two windows; 0: all there are
	Deviations float64
	Loss       bool // no value in the window, and some in the one before
	Start      bool // the other way round
}

// Look implements Detector.
func (d RateOfChange) Look(s *Series, i int) Verdict {
	out := nothing()
	end := i + 1
	if d.Window < 1 || d.Window > end/3 {
		return out
	}
	now, before := s.Values[end-d.Window:end], s.Values[end-2*d.Window:end-d.Window]
	from := 0
	if d.History > 0 {
		from = max(0, end-2*d.Window-min(d.History, end))
	}
	a, _, n := moments(now)
	b, _, m := moments(before)
	switch {
	case n == 0 && m > 0 && d.Loss:
		return Verdict{Score: 1, Direction: -1, Expected: b, Low: math.NaN(), High: math.NaN()}
	case n > 0 && m == 0 && d.Start:
		return Verdict{Score: 1, Direction: 1, Expected: math.NaN(), Low: math.NaN(), High: math.NaN()}
	case n == 0 || m == 0:
		return out
	}
	_, sd, _ := moments(s.Values[from : end-2*d.Window])
	if sd == 0 {
		return out
	}
	width := d.Deviations * sd
	return Verdict{Score: math.Abs(a-b) / width, Direction: sign(a - b), Expected: b, Low: b - width, High: b + width}
}

// Work implements Detector.
func (d RateOfChange) Work(_ int64, i int) int64 {
	n := int64(i) + 1
	if h := int64(d.History); h > 0 {
		n = min(n, min(n, h)+2*max(0, min(n, int64(d.Window))))
	}
	return n
}

// Side is in which direction a change is looked for.
type Side int

// Sides.
const (
	Any        Side = 0
	Increasing Side = 1
	Decreasing Side = -1
)

func (s Side) wants(direction int) bool {
	return direction != 0 && (s == Any || int(s) == direction)
}

// MannWhitney is Heka's mww: the last Window values are compared with each of the Windows-1 windows before, by the rank sum test of Mann, Whitney and Wilcoxon. It is
// unusual when more than a quarter of Windows comparisons have a p-value below P and their means differ in the wanted direction.
type MannWhitney struct {
	Window, Windows int
	P               float64
	Side            Side
}

// Look implements Detector.
func (d MannWhitney) Look(s *Series, i int) Verdict {
	out := nothing()
	end := i + 1
	if d.Window < 2 || d.Windows < 2 || d.Windows > end/d.Window {
		return out
	}
	now := s.Values[end-d.Window : end]
	a, _, n := moments(now)
	if n == 0 {
		return out
	}
	hits, up := 0, 0
	for w := 1; w < d.Windows; w++ {
		then := s.Values[end-(w+1)*d.Window : end-w*d.Window]
		b, _, m := moments(then)
		if m == 0 || !d.Side.wants(sign(a-b)) {
			continue
		}
		if _, p := RankSum(now, then); p < d.P {
			hits++
			up += sign(a - b)
		}
	}
	out.Score = float64(hits) / (math.Floor(float64(d.Windows)/4) + 1)
	out.Direction = sign(float64(up))
	return out
}

// Work implements Detector: each test sorts both windows.
func (d MannWhitney) Work(_ int64, i int) int64 { return ranked(i, d.Window, d.Windows) }

func ranked(i, window, windows int) int64 {
	n := int64(i) + 1
	if window < 1 || windows < 1 || int64(window) > n || int64(windows) > n/int64(window) {
		return 0
	}
	return 8 * 2 * int64(window) * int64(windows)
}

// MannWhitneyNonparametric is Heka's mww_nonparametric: the mean, over the earlier windows, of U divided by the number of pairs is the chance that a value of now is larger than one
// of then; beyond Stat (0.5 to 1), or below 1-Stat, it is unusual.
type MannWhitneyNonparametric struct {
	Window, Windows int
	Stat            float64
}

// Look implements Detector.
func (d MannWhitneyNonparametric) Look(s *Series, i int) Verdict {
	out := nothing()
	end := i + 1
	if d.Window < 2 || d.Windows < 2 || d.Windows > end/d.Window || d.Stat <= 0.5 {
		return out
	}
	now := s.Values[end-d.Window : end]
	sum, n := 0.0, 0
	for w := 1; w < d.Windows; w++ {
		then := s.Values[end-(w+1)*d.Window : end-w*d.Window]
		if u, _ := RankSum(now, then); !math.IsNaN(u) {
			sum += u
			n++
		}
	}
	if n == 0 {
		return out
	}
	chance := sum / float64(n)
	out.Direction = sign(chance - 0.5)
	out.Score = math.Abs(chance-0.5) / (d.Stat - 0.5)
	return out
}

// Work implements Detector.
func (d MannWhitneyNonparametric) Work(_ int64, i int) int64 { return ranked(i, d.Window, d.Windows) }

// RankSum is the test of Mann and Whitney (1947): chance is U divided by the number of pairs, that a value of a is larger than one of b, with equal ones as a half; p is two-sided, of the
// normal approximation with its corrections for ties and continuity. Both are NaN when one has no values.
func RankSum(a, b []float64) (chance, p float64) {
	type value struct {
		v   float64
		ofA bool
	}
	all := make([]value, 0, len(a)+len(b))
	n, m := 0.0, 0.0
	for _, v := range a {
		if !math.IsNaN(v) {
			all = append(all, value{v, true})
			n++
		}
	}
	for _, v := range b {
		if !math.IsNaN(v) {
			all = append(all, value{v, false})
			m++
		}
	}
	if n == 0 || m == 0 {
		return math.NaN(), math.NaN()
	}
	slices.SortFunc(all, func(x, y value) int {
		switch {
		case x.v < y.v:
			return -1
		case x.v > y.v:
			return 1
		}
		return 0
	})
	ranks, ties := 0.0, 0.0
	for i := 0; i < len(all); {
		k := i
		for k < len(all) && all[k].v == all[i].v {
			k++
		}
		t := float64(k - i)
		rank := float64(i+k+1) / 2 // the mean of i+1 to k
		for _, v := range all[i:k] {
			if v.ofA {
				ranks += rank
			}
		}
		ties += t*t*t - t
		i = k
	}
	u := ranks - n*(n+1)/2
	chance = u / (n * m)
	total := n + m
	variance := n * m / 12 * (total + 1 - ties/(total*(total-1)))
	if variance <= 0 { // all are equal
		return chance, 1
	}
	z := (math.Abs(u-n*m/2) - 0.5) / math.Sqrt(variance)
	return chance, math.Min(1, math.Erfc(math.Max(0, z)/math.Sqrt2))
}
