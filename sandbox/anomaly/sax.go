package anomaly

import "math"

// Shape compares the course of the last day with that of the days before, whatever their level: both become words of a few letters (SAX: Lin, Keogh, Lonardi and Chiu 2003), and the
// distance of words tells. It is unusual when none of the days before is as near as they are to each other.
type Shape struct {
	Window  int     // values; a day when 0
	Periods int     // how often the window is there before, a day apart; 7 when 0
	Letters int     // of a word, 2 to 64; 24 when 0
	Sizes   int     // different letters, 2 to 26; 6 when 0
	Factor  float64 // of the largest of the smallest distances among those before; 2 when 0
	Least   float64 // distance, in standard deviations of the window's values; 1 when 0
}

const (
	maxLetters = 64
	maxPeriods = 60
)

// Look implements Detector.
func (d Shape) Look(s *Series, i int) Verdict {
	d.defaults(s.Step)
	out := nothing()
	perDay := int(day / max(1, s.Step))
	if s.Step <= 0 || perDay < 1 || d.Letters < 2 || d.Letters > maxLetters || d.Sizes < 2 || d.Sizes > 26 || d.Window < d.Letters || d.Window > i+1 || d.Periods < 2 || d.Periods > maxPeriods || d.Factor <= 0 {
		return out
	}
	var words [][]byte // the newest first
	for k := 0; k <= d.Periods; k++ {
		end := i + 1 - k*perDay
		if end < d.Window {
			break
		}
		w := Word(s.Values[end-d.Window:end], d.Letters, d.Sizes)
		if w == nil && k == 0 {
			return out
		}
		if w != nil {
			words = append(words, w)
		}
	}
	if len(words) < 4 {
		return out
	}
	cut := Breakpoints(d.Sizes)
	nearest := func(k int) float64 {
		best := math.Inf(1)
		for n := 1; n < len(words); n++ {
			if n != k {
				best = math.Min(best, MinDist(words[k], words[n], cut))
			}
		}
		return best
	}
	usually := 0.0
	for k := 1; k < len(words); k++ {
		usually = math.Max(usually, nearest(k))
	}
	out.Score = nearest(0) / math.Max(d.Least, d.Factor*usually)
	return out
}

func (d *Shape) defaults(step int64) {
	d.Window = atLeast(d.Window, int(day/max(1, step)))
	d.Periods, d.Letters, d.Sizes = atLeast(d.Periods, 7), atLeast(d.Letters, 24), atLeast(d.Sizes, 6)
	if d.Factor == 0 {
		d.Factor = 2
	}
	if d.Least == 0 {
		d.Least = 1
	}
}

// Work implements Detector.
func (d Shape) Work(step int64, i int) int64 {
	d.defaults(step)
	p := min(int64(d.Periods), maxPeriods) + 1
	return p*min(int64(i)+1, int64(d.Window))*3 + p*p*min(int64(d.Letters), maxLetters)
}

// Breakpoints are the sizes-1 values that part the standard normal distribution into as many equal parts as there are letters.
func Breakpoints(sizes int) []float64 {
	cut := make([]float64, sizes-1)
	for k := range cut {
		cut[k] = math.Sqrt2 * math.Erfinv(2*float64(k+1)/float64(sizes)-1)
	}
	return cut
}

// Word is values as letters, 'a' the lowest: each is the mean of its share of values, which are as many standard deviations from their mean. nil when a share has no value, or all are equal.
func Word(values []float64, letters, sizes int) []byte {
	mean, sd, n := moments(values)
	if n < letters || sd == 0 || math.IsNaN(sd) || math.IsInf(sd, 0) || math.IsInf(mean, 0) {
		return nil
	}
	cut := Breakpoints(sizes)
	word := make([]byte, letters)
	for k := range word {
		m, _, n := moments(values[k*len(values)/letters : (k+1)*len(values)/letters])
		if n == 0 {
			return nil
		}
		z := (m - mean) / sd
		letter := 0
		for letter < len(cut) && z >= cut[letter] {
			letter++
		}
		word[k] = 'a' + byte(letter)
	}
	return word
}

// MinDist is the distance of two words of the same length, a lower bound of that of their values per value: neighbouring letters are 0 apart.
func MinDist(a, b []byte, cut []float64) float64 {
	sum := 0.0
	for k := range a {
		low, high := min(a[k], b[k])-'a', max(a[k], b[k])-'a'
		if high-low > 1 {
			d := cut[high-1] - cut[low]
			sum += d * d
		}
	}
	return math.Sqrt(sum / float64(len(a)))
}
