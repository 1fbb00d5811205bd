package anomaly

import "math"

// Seasonal compares with what the same time of day was in earlier weeks, and days while there are no weeks: the median of these and their neighbours, moved to the level of the
// last hours. How far values usually are from that is the median of their deviations (Rousseeuw and Croux 1993). One value far out is unusual, and two of three
// a little less far out; so is a series that stops.
type Seasonal struct {
	Weeks int     // that are looked at; 4 when 0
	Far   float64 // standard deviations of one value; 8 when 0
	Run   float64 // of two of three; 4.5 when 0
	Gaps  bool    // values that are not there are passed over; otherwise they are 0: a series that stops has nothing any more
	Floor float64 // share of what is expected that a standard deviation has at least; 0.04 when 0
}

const (
	day  = 86_400
	week = 7 * day

	levelFrom, levelTo = 36, 6 // values before: what the level is taken from; the newest are left out, they may be what is unusual
	mostAround         = 64
)

func (d *Seasonal) defaults() {
	d.Weeks = min(atLeast(d.Weeks, 4), mostAround/3)
	if d.Far == 0 {
		d.Far = 8
	}
	if d.Run == 0 {
		d.Run = 4.5
	}
	if d.Floor == 0 {
		d.Floor = 0.04
	}
}

// Look implements Detector.
func (d Seasonal) Look(s *Series, i int) Verdict {
	d.defaults()
	out := nothing()
	if i < len([3]float64{}) || s.Step <= 0 {
		return out
	}
	level := d.level(s, i)
	var z [3]float64 // of the newest values, the newest first
	for k := range z {
		e, sd := d.expect(s, i-k, level)
		if math.IsNaN(e) {
			return out
		}
		if k == 0 {
			out.Expected, out.Low, out.High = e, e-d.Far*sd, e+d.Far*sd
		}
		x := s.Values[i-k]
		if math.IsNaN(x) {
			if d.Gaps && k == 0 {
				return out
			} else if d.Gaps {
				continue
			}
			x = 0
		}
		z[k] = (x - e) / sd
	}
	out.Direction = sign(z[0])
	out.Score = math.Abs(z[0]) / d.Far
	if out.Score < 1 {
		out.Score = math.Max(out.Score, d.run(z))
	}
	return out
}

// Work implements Detector: three expectations and a level, each of some dozen values that are sorted.
func (d Seasonal) Work(int64, int) int64 {
	d.defaults()
	return 4 * (levelFrom + 3) * 3 * int64(d.Weeks+7)
}

// run is the score of the second largest of three deviations in the direction of the newest one.
func (d *Seasonal) run(z [3]float64) float64 {
	to := math.Copysign(1, z[0])
	a, b, c := to*z[0], math.Max(0, to*z[1]), math.Max(0, to*z[2])
	if b < c {
		b = c
	}
	return math.Min(a, b) / d.Run
}

// around gathers the values of the same time in earlier weeks, with a neighbour on each side; in the first week those of earlier days, of which a weekend may be one.
// rough says that they are of days.
func (d *Seasonal) around(s *Series, i int, into []float64) (values []float64, rough bool) {
	for _, p := range []struct {
		period      int64
		back, least int
		rough       bool
	}{{week, d.Weeks, 3, false}, {day, 7, 6, true}} {
		steps := int(p.period / s.Step)
		if steps < 4 {
			continue
		}
		into = into[:0]
		for k := 1; k <= p.back; k++ {
			for n := -1; n <= 1; n++ {
				if at := i - k*steps + n; at >= 0 && at < i && len(into) < cap(into) && !math.IsNaN(s.Values[at]) {
					into = append(into, s.Values[at])
				}
			}
		}
		if len(into) >= p.least {
			return into, p.rough
		}
	}
	return into[:0], true
}

// level is how much larger the last hours were than expected, of values that are above zero. Those that are compared with days say nothing of one that is compared with weeks.
func (d *Seasonal) level(s *Series, i int) float64 {
	var room [mostAround]float64
	_, roughly := d.around(s, i, room[:0:mostAround])
	var ratios [levelFrom]float64
	n := 0
	for at := max(0, i-levelFrom); at < i-levelTo; at++ {
		if v := s.Values[at]; !math.IsNaN(v) {
			values, rough := d.around(s, at, room[:0:mostAround])
			if e := median(values); e > 0 && v >= 0 && rough == roughly {
				ratios[n] = v / e
				n++
			}
		}
	}
	if n < (levelFrom-levelTo)/2 {
		return 1
	}
	return math.Max(0.1, math.Min(10, median(ratios[:n])))
}

// roughFloor is Floor where days are compared with days.
const roughFloor = 0.15

// expect is what a value is expected to be, and its standard deviation; NaN in the first two days.
func (d *Seasonal) expect(s *Series, i int, level float64) (expected, sd float64) {
	var room, scratch [mostAround]float64
	values, rough := d.around(s, i, room[:0:mostAround])
	if len(values) == 0 {
		return math.NaN(), 0
	}
	expected = level * median(values)
	for k := range values {
		values[k] *= level
	}
	sd = spread(values, expected, scratch[:0])
	floor := d.Floor
	if rough {
		floor = math.Max(floor, roughFloor)
	}
	// Counts scatter by their root at least (Poisson); what is larger varies by a few percent without anything being wrong.
	return expected, math.Max(sd, math.Max(math.Sqrt(math.Max(1, math.Abs(expected))), floor*math.Abs(expected)))
}
