package anomaly

import "math"

// Deadman tells when nothing came for longer than it ever did: a stretch of values that are not there, or zero, which is longer than any before it.
type Deadman struct {
	History int     // values in which the longest stretch is looked for; 1008 when 0
	Factor  float64 // of the longest; 2 when 0
	Least   int     // values; 3 when 0
}

// Look implements Detector.
func (d Deadman) Look(s *Series, i int) Verdict {
	d.defaults()
	out := nothing()
	now := 0
	from := max(0, i+1-min(d.History, i+1))
	k := i
	for ; k >= from && silent(s.Values[k]); k-- {
		now++
	}
	if now == 0 || k < from {
		return out // there is something, or never was
	}
	for silent(s.Values[from]) { // before the first there was none to miss
		from++
	}
	longest, run := 0, 0
	for _, v := range s.Values[from:k] {
		if silent(v) {
			run++
		} else {
			longest, run = max(longest, run), 0
		}
	}
	out.Score = float64(now) / math.Max(float64(d.Least), d.Factor*float64(longest))
	out.Direction = -1
	return out
}

func silent(v float64) bool { return math.IsNaN(v) || v == 0 }

func (d *Deadman) defaults() {
	d.History, d.Least = atLeast(d.History, 1008), atLeast(d.Least, 3)
	if d.Factor == 0 {
		d.Factor = 2
	}
}

// Work implements Detector.
func (d Deadman) Work(_ int64, i int) int64 {
	d.defaults()
	return min(int64(i), int64(d.History)) + 1
}

// Jump compares a value with the median of those before it. It is for values that are estimates, as the number of different things in a sketch is: Error is by how much they are off, as a share.
type Jump struct {
	History int     // values; 24 when 0
	Far     float64 // standard deviations; 6 when 0
	Counts  bool    // values are counts, which scatter by their root at least
	Error   float64 // relative standard error of a value; 0.0081 when 0, of a HyperLogLog of 16 384 registers
}

// Look implements Detector.
func (d Jump) Look(s *Series, i int) Verdict {
	d.defaults()
	out := nothing()
	x := s.Values[i]
	kept := there(s.Values[i-min(i, d.History):i], make([]float64, 0, min(i, d.History)))
	if math.IsNaN(x) || len(kept) < max(3, d.History/2) || d.Error < 0 || d.Far <= 0 {
		return out
	}
	middle := median(kept)
	sd := spread(kept, middle, make([]float64, 0, len(kept)))
	if d.Counts && middle > 0 {
		sd = math.Max(sd, math.Sqrt(middle))
	}
	sd = math.Hypot(math.Max(sd, 1), d.Error*middle)
	z := (x - middle) / sd
	return Verdict{Score: math.Abs(z) / d.Far, Direction: sign(z), Expected: middle, Low: middle - d.Far*sd, High: middle + d.Far*sd}
}

func (d *Jump) defaults() {
	d.History = atLeast(d.History, 24)
	if d.Far == 0 {
		d.Far = 6
	}
	if d.Error == 0 {
		d.Error = 0.0081
	}
}

// Work implements Detector.
func (d Jump) Work(_ int64, i int) int64 {
	d.defaults()
	return 8 * min(int64(i)+1, int64(d.History))
}
