package anomaly

import (
	"math"
	"slices"
)

// CUSUM adds up how far the last values were from the usual one, less Slack each time: small changes that stay add up, noise does not. It is the two-sided tabular cumulative sum (Page 1954), with the
// median and its deviation for mean and standard deviation.
type CUSUM struct {
	History int     // values before the window, which say what is usual; 144 when 0
	Window  int     // values that are added up; 48 when 0
	Slack   float64 // standard deviations; 0.5 when 0: a change of one is found soonest
	Far     float64 // sum that is unusual, in standard deviations; 12 when 0
}

// Look implements Detector.
func (d CUSUM) Look(s *Series, i int) Verdict {
	d.defaults()
	out := nothing()
	from := i + 1 - min(d.Window, i+1)
	middle, sd := usual(s.Values[from-min(from, d.History):from], d.History/2)
	if sd == 0 || d.Far <= 0 {
		return out
	}
	up, down := 0.0, 0.0
	for _, v := range s.Values[from : i+1] {
		if math.IsNaN(v) {
			continue
		}
		z := (v - middle) / sd
		up, down = math.Max(0, up+z-d.Slack), math.Max(0, down-z-d.Slack)
	}
	out.Expected = middle
	out.Score = math.Max(up, down) / d.Far
	out.Direction = sign(up - down)
	return out
}

func (d *CUSUM) defaults() {
	d.History, d.Window = atLeast(d.History, 144), atLeast(d.Window, 48)
	if d.Slack == 0 {
		d.Slack = 0.5
	}
	if d.Far == 0 {
		d.Far = 12
	}
}

// Work implements Detector.
func (d CUSUM) Work(_ int64, i int) int64 {
	d.defaults()
	return 8*min(int64(i), int64(d.History)) + min(int64(i), int64(d.Window)) + 1
}

func atLeast(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// usual is the median of values and their spread, 0 when there are fewer than least, or nothing can be said of it.
func usual(values []float64, least int) (middle, sd float64) {
	kept := there(values, make([]float64, 0, len(values)))
	if len(kept) < max(2, least) {
		return math.NaN(), 0
	}
	middle = median(kept)
	sd = spread(kept, middle, make([]float64, 0, len(kept)))
	if math.IsNaN(sd) || math.IsInf(sd, 0) || math.IsInf(middle, 0) {
		return math.NaN(), 0
	}
	return middle, sd
}

// EWMA holds the exponentially weighted mean of the last values against its control limits (Roberts 1959), around the median of those before.
type EWMA struct {
	History int     // values that say what is usual; 144 when 0
	Window  int     // values that are weighted; 24 when 0
	Weight  float64 // of the newest value, 0 to 1; 0.3 when 0
	Far     float64 // width of the band in standard deviations of the mean; 6 when 0
}

// Look implements Detector.
func (d EWMA) Look(s *Series, i int) Verdict {
	d.defaults()
	out := nothing()
	from := i + 1 - min(d.Window, i+1)
	middle, sd := usual(s.Values[from-min(from, d.History):from], d.History/2)
	if sd == 0 || d.Weight <= 0 || d.Weight > 1 || d.Far <= 0 {
		return out
	}
	z, n := middle, 0
	for _, v := range s.Values[from : i+1] {
		if !math.IsNaN(v) {
			z += d.Weight * (v - z)
			n++
		}
	}
	width := d.Far * sd * math.Sqrt(d.Weight/(2-d.Weight)*(1-math.Pow(1-d.Weight, float64(2*n))))
	if n == 0 || width == 0 {
		return out
	}
	return Verdict{Score: math.Abs(z-middle) / width, Direction: sign(z - middle), Expected: middle, Low: middle - width, High: middle + width}
}

func (d *EWMA) defaults() {
	d.History, d.Window = atLeast(d.History, 144), atLeast(d.Window, 24)
	if d.Weight == 0 {
		d.Weight = 0.3
	}
	if d.Far == 0 {
		d.Far = 6
	}
}

// Work implements Detector.
func (d EWMA) Work(_ int64, i int) int64 {
	d.defaults()
	return 8*min(int64(i), int64(d.History)) + min(int64(i), int64(d.Window)) + 1
}

// ChangePoint is how likely it is that the last values come from another normal distribution than those before: online Bayesian change point detection (Adams and MacKay 2007) over
// the values of a window.
type ChangePoint struct {
	Window int     // values, 8 to 512; 120 when 0
	Recent int     // values in which the change is looked for; 6 when 0
	Hazard float64 // chance of a change at each value; 1/250 when 0
	Chance float64 // of a recent change that is unusual; 0.9 when 0
}

const maxChangeWindow = 512

// Look implements Detector.
func (d ChangePoint) Look(s *Series, i int) Verdict {
	d.defaults()
	out := nothing()
	if d.Window < 8 || d.Window > maxChangeWindow || d.Recent > d.Window/2 || d.Hazard <= 0 || d.Hazard >= 1 || d.Chance <= 0 || d.Chance > 1 {
		return out
	}
	values := s.Values[i+1-min(d.Window, i+1) : i+1]
	kept := there(values, make([]float64, 0, len(values)))
	if len(kept) < d.Window/2 {
		return out
	}
	middle, sd := usual(kept, 2)
	if sd == 0 {
		return out
	}
	z := make([]float64, len(kept))
	for k, v := range kept {
		z[k] = math.Max(-50, math.Min(50, (v-middle)/sd))
	}
	chances := runLengths(z, d.Hazard)
	recent := 0.0
	for _, p := range chances[:d.Recent] {
		recent += p
	}
	before, _, _ := moments(z[:len(z)-d.Recent])
	after, _, _ := moments(z[len(z)-d.Recent:])
	out.Expected = middle + sd*before
	out.Score = recent / d.Chance
	out.Direction = sign(after - before)
	return out
}

func (d *ChangePoint) defaults() {
	d.Window, d.Recent = atLeast(d.Window, 120), atLeast(d.Recent, 6)
	if d.Hazard == 0 {
		d.Hazard = 1.0 / 250
	}
	if d.Chance == 0 {
		d.Chance = 0.9
	}
}

// Work implements Detector: each value is held against every run before it.
func (d ChangePoint) Work(_ int64, i int) int64 {
	d.defaults()
	n := min(int64(i)+1, int64(d.Window), maxChangeWindow)
	return n * n / 2 * 8
}

// unlikely is the logarithm of a chance below which a run is given up.
const unlikely = -25

// runLengths is how likely it is that the newest value is the first, second, ... of its distribution. Values are about standard normal; the prior of mean and variance is
// normal-inverse-gamma with κ = 0.1, α = β = 1.
func runLengths(z []float64, hazard float64) []float64 {
	type run struct {
		n                           int // values
		log, mu, kappa, alpha, beta float64
	}
	prior := run{kappa: 0.1, alpha: 1, beta: 1}
	norm := make([]float64, len(z)+1) // of Student's t with 2α degrees of freedom, α = 1 + n/2
	for n := range norm {
		a := 1 + float64(n)/2
		up, _ := math.Lgamma(a + 0.5)
		low, _ := math.Lgamma(a)
		norm[n] = up - low - 0.5*math.Log(2*math.Pi*a)
	}
	runs := append(make([]run, 0, len(z)+1), prior) // the longest first
	logs := make([]float64, 0, len(z)+1)
	stay, change := math.Log1p(-hazard), math.Log(hazard)
	for _, x := range z {
		logs = logs[:0]
		for _, r := range runs {
			scale := r.beta * (r.kappa + 1) / (r.alpha * r.kappa)
			t := (x - r.mu) * (x - r.mu) / scale
			logs = append(logs, r.log+norm[r.n]-0.5*math.Log(scale)-(r.alpha+0.5)*math.Log1p(t/(2*r.alpha)))
		}
		all := logSum(logs)
		kept := runs[:0]
		for k, r := range runs { // what ran for n values runs for one more
			if r.log = logs[k] + stay - all; r.log < unlikely {
				continue
			}
			d := x - r.mu
			r.beta += r.kappa * d * d / (2 * (r.kappa + 1))
			r.mu += d / (r.kappa + 1)
			r.kappa++
			r.alpha += 0.5
			r.n++
			kept = append(kept, r)
		}
		prior.log = change
		runs = append(kept, prior)
	}
	out := make([]float64, len(z)+1)
	for _, r := range runs {
		out[r.n] = math.Exp(r.log)
	}
	return out
}

func logSum(logs []float64) float64 {
	most := slices.Max(logs)
	sum := 0.0
	for _, l := range logs {
		sum += math.Exp(l - most)
	}
	return most + math.Log(sum)
}
