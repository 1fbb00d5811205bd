package anomaly

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestChange: each finds a change of its kind soon, in its direction, and nothing where nothing changes.
func TestChange(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		d         Detector
		to        float64
		soon      int
		direction int
	}{
		"cusum":           {CUSUM{}, 115, 8, 1},
		"cusum down":      {CUSUM{}, 85, 8, -1},
		"a small one":     {CUSUM{}, 106, 40, 1}, // just over one standard deviation
		"ewma":            {EWMA{}, 115, 10, 1},
		"ewma down":       {EWMA{}, 85, 10, -1},
		"change point":    {ChangePoint{}, 130, 8, 1},
		"change point up": {ChangePoint{}, 70, 8, -1},
		"jump":            {Jump{}, 150, 0, 1},
	} {
		if at, v := first(c.d, level(100, c.to, 300, 400)); at < 300 || at > 300+c.soon || v.Direction != c.direction {
			t.Errorf("%s: a change at 300 is found at %d, %+v", name, at, v)
		}
		if at, v := first(c.d, level(100, 100, 0, 1000)); at >= 0 {
			t.Errorf("%s: found at %d where nothing changes: %+v", name, at, v)
		}
	}
	if at, _ := first(EWMA{}, level(100, 106, 300, 400)); at >= 0 && at < 305 {
		t.Errorf("ewma finds a small change at %d, as soon as a large one", at)
	}
}

// TestRunLengths: chances add up to one, and are as for values that are worked out by hand.
func TestRunLengths(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(9, 9))
	z := make([]float64, 200)
	for i := range z {
		z[i] = r.NormFloat64()
		if i >= 150 {
			z[i] += 4
		}
	}
	chances := runLengths(z, 0.01)
	sum, most := 0.0, 0
	for n, p := range chances {
		sum += p
		if p > chances[most] {
			most = n
		}
	}
	if math.Abs(sum-1) > 1e-9 || most != 50 {
		t.Errorf("chances add up to %v, the likeliest run is %d, of 50", sum, most)
	}
	// One value says nothing of where the run began: the chances are those of the hazard.
	if one := runLengths([]float64{0.7}, 0.2); math.Abs(one[0]-0.2) > 1e-12 || math.Abs(one[1]-0.8) > 1e-12 {
		t.Errorf("%v", one)
	}
}

func TestDeadman(t *testing.T) {
	t.Parallel()
	s := &Series{Step: 60, Values: make([]float64, 600)}
	for i := range s.Values {
		if i%6 < 3 { // three with, three without
			s.Values[i] = 5
		}
	}
	if at, v := first(Deadman{}, s); at >= 12 {
		t.Errorf("usual silence is told at %d: %+v", at, v)
	}
	for i := 500; i < len(s.Values); i++ {
		s.Values[i] = math.NaN()
	}
	for i := 12; i < len(s.Values); i++ {
		if v := (Deadman{}).Look(s, i); v.Unusual() != (i >= 505) { // the sixth in a row, where there were three at most
			t.Fatalf("at %d: %+v", i, v)
		}
	}
	late := &Series{Step: 60, Values: make([]float64, 60)}
	late.Values[50], late.Values[52] = 1, 1
	if v := (Deadman{}).Look(late, 56); !v.Unusual() {
		t.Errorf("what was before the first value counts: %+v", v)
	}
	if v := (Deadman{}).Look(&Series{Step: 60, Values: make([]float64, 50)}, 49); v.Unusual() {
		t.Errorf("a series that never had a value is told: %+v", v)
	}
}

// TestDecompose: what a series is made of comes back, and adds up.
func TestDecompose(t *testing.T) {
	t.Parallel()
	const n, p, q = 28 * 24, 24, 7 * 24
	values := make([]float64, n)
	for i := range values {
		values[i] = 100 + 0.05*float64(i) + 10*math.Sin(2*math.Pi*float64(i)/p)
		if i/p%7 >= 5 {
			values[i] -= 20
		}
	}
	values[500] += 300
	trend, wave, rest := Decompose(values, []int{q, p, 10_000})
	for i, v := range values {
		if !near(trend[i]+wave[i]+rest[i], v, 1e-9) {
			t.Fatalf("%d: %v + %v + %v is not %v", i, trend[i], wave[i], rest[i], v)
		}
		if i == 500 {
			if rest[i] < 290 {
				t.Errorf("the spike is not in the rest: %v", rest[i])
			}
		} else if i > q && i < n-q && math.Abs(rest[i]) > 10 {
			t.Errorf("%d: a rest of %v", i, rest[i])
		}
	}
	if slope := (trend[n-q] - trend[q]) / float64(n-2*q); !near(slope, 0.05, 0.01) {
		t.Errorf("the trend rises by %v", slope)
	}
	for _, few := range [][]float64{nil, {1}, {math.NaN()}, {1, 2, 3}} {
		trend, wave, rest := Decompose(few, []int{2, 7})
		if len(trend) != len(few) || len(wave) != len(few) || len(rest) != len(few) {
			t.Errorf("%v: %v %v %v", few, trend, wave, rest)
		}
	}
}

// weeksOf is a series of hours with waves of day and week, changed by f.
func weeksOf(n int, f func(i int, v float64) float64) *Series {
	r := rand.New(rand.NewPCG(11, 12))
	s := &Series{Step: 3600, Values: make([]float64, n*168)}
	for i := range s.Values {
		v := 1000 * (1 + 0.5*math.Sin(2*math.Pi*float64(i)/24))
		if i/24%7 >= 5 {
			v *= 0.7
		}
		s.Values[i] = f(i, v*(1+0.02*r.NormFloat64()))
	}
	return s
}

func TestDecomposed(t *testing.T) {
	t.Parallel()
	if at, v := first(Decomposed{}, weeksOf(6, func(_ int, v float64) float64 { return v })); at >= 0 {
		t.Errorf("found at %d where nothing is wrong: %+v", at, v)
	}
	s := weeksOf(6, func(i int, v float64) float64 {
		if i == 800 {
			return v / 3
		}
		return v
	})
	if at, v := first(Decomposed{}, s); at != 800 || v.Direction != -1 || !near(v.Expected, 3*s.Values[800], 0.15*v.Expected) {
		t.Errorf("found at %d, %+v, of %v", at, v, s.Values[800])
	}
}

// TestDrift: half in five days is found before it is over, in no other series.
func TestDrift(t *testing.T) {
	t.Parallel()
	ramp := func(i int, v float64) float64 {
		return v * (1 - 0.5*math.Max(0, math.Min(1, float64(i-700)/120)))
	}
	if at, v := first(Drift{}, weeksOf(6, ramp)); at < 700 || at > 820 || v.Direction != -1 {
		t.Errorf("found at %d, %+v", at, v)
	}
	if at, _ := first(Seasonal{}, weeksOf(6, func(i int, v float64) float64 { return v })); at >= 0 {
		t.Errorf("found at %d where nothing is wrong", at)
	}
}

// TestShape: a day upside down is found, one that is twice as large is not.
func TestShape(t *testing.T) {
	t.Parallel()
	if at, _ := first(Shape{}, weeksOf(4, func(i int, v float64) float64 {
		if i/24 == 20 {
			return 2 * v
		}
		return v
	})); at >= 0 {
		t.Errorf("another level is told as another shape at %d", at)
	}
	at, _ := first(Shape{}, weeksOf(4, func(i int, v float64) float64 {
		if i/24 == 20 {
			return 2000 - v
		}
		return v
	}))
	if at < 480 || at > 508 {
		t.Errorf("found at %d", at)
	}
}

// TestWord: letters as in the paper's example of three and four letters, and the distance of its words.
func TestWord(t *testing.T) {
	t.Parallel()
	if cut := Breakpoints(4); !near(cut[0], -0.6745, 1e-4) || cut[1] != 0 || !near(cut[2], 0.6745, 1e-4) {
		t.Errorf("%v", cut)
	}
	if w := Word([]float64{-2, -2, 0, 0, 2, 2}, 3, 3); string(w) != "abc" {
		t.Errorf("%s", w)
	}
	for _, none := range [][]float64{{1, 1, 1}, {1, 2}, {1, 2, math.Inf(1)}, {math.NaN(), math.NaN(), 1, 2, 3, 4}} {
		if w := Word(none, 3, 3); w != nil {
			t.Errorf("%v is %s", none, w)
		}
	}
	cut := Breakpoints(3)
	if d := MinDist([]byte("aab"), []byte("abc"), cut); d != 0 {
		t.Errorf("neighbours are %v apart", d)
	}
	if d, want := MinDist([]byte("aac"), []byte("caa"), cut), math.Sqrt(2*math.Pow(cut[1]-cut[0], 2)/3); !near(d, want, 1e-12) {
		t.Errorf("%v, want %v", d, want)
	}
}

// TestMethods: each is made of its text; what cannot be is said.
func TestMethods(t *testing.T) {
	t.Parallel()
	for _, m := range Methods() {
		d, err := Parse(m.Name)
		if err != nil || m.About == "" {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		all := m.Name
		for _, s := range m.Settings {
			all += fmt.Sprintf(" %s=%v", s.Name, s.Default)
			if s.About == "" || s.Default < s.Low || s.Default > s.High {
				t.Errorf("%s: %+v", m.Name, s)
			}
			if _, err := Parse(fmt.Sprintf("%s %s=%v", m.Name, s.Name, 2*math.Abs(s.High)+1)); err == nil {
				t.Errorf("%s takes too large a %s", m.Name, s.Name)
			}
		}
		if again, err := Parse(all); err != nil || again != d {
			t.Errorf("%s: %+v, of its defaults told %+v, %v", m.Name, d, again, err)
		}
	}
	for text, want := range map[string]string{
		"": "there is no method", "magic": "there is no method", "ewma far": "not name=number", "ewma far=nan": "not a number from", "ewma window=1.5": "not a whole number", "ewma widht=3": "there is no setting",
	} {
		if _, err := Parse(text); err == nil || !contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
