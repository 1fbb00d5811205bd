package anomaly

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func near(a, b, by float64) bool { return math.Abs(a-b) <= by }

func TestRankSum(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for _, c := range []struct {
		a, b      []float64
		chance, p float64
	}{
		{[]float64{1, 2, 3}, []float64{4, 5, 6}, 0, 0.0808556}, // as SciPy's mannwhitneyu with method="asymptotic"
		{[]float64{4, 5, 6}, []float64{1, 2, 3}, 1, 0.0808556},
		{[]float64{1, 2, 3, nan}, []float64{nan, 4, 5, 6}, 0, 0.0808556},
		{[]float64{1, 1, 1}, []float64{1, 1, 1}, 0.5, 1},
		{[]float64{1, 3, 5, 7}, []float64{2, 4, 6, 8}, 0.375, 0.6650056},
	} {
		if chance, p := RankSum(c.a, c.b); !near(chance, c.chance, 1e-9) || !near(p, c.p, 1e-6) {
			t.Errorf("%v and %v: %v %v, want %v %v", c.a, c.b, chance, p, c.chance, c.p)
		}
	}
	if chance, p := RankSum(nil, []float64{1}); !math.IsNaN(chance) || !math.IsNaN(p) {
		t.Errorf("of nothing: %v %v", chance, p)
	}
}

// TestRankSumProperties: exchanged samples give the same p and the other chance; of equal distributions p is even.
func TestRankSumProperties(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	below := 0
	const rounds = 4000
	for range rounds {
		a, b := make([]float64, 25), make([]float64, 30)
		for i := range a {
			a[i] = math.Round(5 * r.NormFloat64())
		}
		for i := range b {
			b[i] = math.Round(5 * r.NormFloat64())
		}
		chance, p := RankSum(a, b)
		other, q := RankSum(b, a)
		if !near(chance+other, 1, 1e-9) || !near(p, q, 1e-9) || p < 0 || p > 1 {
			t.Fatalf("%v %v, %v %v", chance, p, other, q)
		}
		if p < 0.05 {
			below++
		}
	}
	if share := float64(below) / rounds; share < 0.035 || share > 0.06 {
		t.Errorf("%.3f of equal samples have p below 0.05", share)
	}
}

// level is a series of noise around a level that changes at value at.
func level(before, after float64, at, n int) *Series {
	r := rand.New(rand.NewPCG(3, 4))
	s := &Series{Step: 60, Values: make([]float64, n)}
	for i := range s.Values {
		v := before
		if i >= at {
			v = after
		}
		s.Values[i] = v + 5*r.NormFloat64()
	}
	return s
}

func first(d Detector, s *Series) (int, Verdict) {
	for i := range s.Values {
		if v := d.Look(s, i); v.Unusual() {
			return i, v
		}
	}
	return -1, Verdict{}
}

// TestHeka: the three of Heka find a change soon, in its direction, and nothing where nothing changes.
func TestHeka(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		d    Detector
		soon int
	}{
		"roc":               {RateOfChange{Window: 5, Deviations: 4}, 5},
		"mww":               {MannWhitney{Window: 20, Windows: 10, P: 0.0001}, 20},
		"mww up":            {MannWhitney{Window: 20, Windows: 10, P: 0.0001, Side: Increasing}, 20},
		"mww_nonparametric": {MannWhitneyNonparametric{Window: 20, Windows: 10, Stat: 0.94}, 20},
	} {
		if at, v := first(c.d, level(100, 150, 300, 400)); at < 300 || at > 300+c.soon || v.Direction != 1 {
			t.Errorf("%s: a change at 300 is found at %d, %+v", name, at, v)
		}
		if at, v := first(c.d, level(100, 100, 0, 400)); at >= 0 {
			t.Errorf("%s: found at %d where nothing changes: %+v", name, at, v)
		}
	}
	if at, _ := first(MannWhitney{Window: 20, Windows: 10, P: 0.0001, Side: Decreasing}, level(100, 150, 300, 400)); at >= 0 {
		t.Errorf("an increase is found as a decrease at %d", at)
	}
	s := level(100, 100, 0, 100)
	for i := 60; i < 80; i++ {
		s.Values[i] = math.NaN()
	}
	loss := RateOfChange{Window: 5, Deviations: 1000, Loss: true, Start: true}
	if at, v := first(loss, s); at != 64 || v.Direction != -1 {
		t.Errorf("loss of data at %d, %+v", at, v)
	}
	if v := loss.Look(s, 84); !v.Unusual() || v.Direction != 1 {
		t.Errorf("start of data: %+v", v)
	}
}

// TestSeasonalShapes: what stops, falls and jumps is found at once; a weekend in the first week is not; the expectation is near what is.
func TestSeasonalShapes(t *testing.T) {
	t.Parallel()
	wave := func() *Series {
		r := rand.New(rand.NewPCG(5, 6))
		s := &Series{Step: 600, Values: make([]float64, 5*7*144)}
		for i := range s.Values {
			v := 1000 * (1 + 0.6*math.Sin(2*math.Pi*float64(i)/144))
			if i/144%7 >= 5 {
				v *= 0.6
			}
			s.Values[i] = v + math.Sqrt(v)*r.NormFloat64()
		}
		return s
	}
	if at, v := first(Seasonal{}, wave()); at >= 0 {
		t.Errorf("found at %d where nothing is wrong: %+v", at, v)
	}
	v := Seasonal{}.Look(wave(), 4000)
	if x := wave().Values[4000]; !near(v.Expected, x, 0.15*x) || v.Low > x || v.High < x {
		t.Errorf("%v was expected as %+v", x, v)
	}
	for name, change := range map[string]func(x float64) float64{
		"stops": func(float64) float64 { return math.NaN() }, "nothing": func(float64) float64 { return 0 }, "half": func(x float64) float64 { return x / 2 }, "twice": func(x float64) float64 { return 2 * x },
	} {
		s := wave()
		for i := 4000; i < 4050; i++ {
			s.Values[i] = change(s.Values[i])
		}
		if at, v := first(Seasonal{}, s); at < 4000 || at > 4002 {
			t.Errorf("%s: found at %d, %+v", name, at, v)
		}
	}
}

// FuzzLook: whatever a series holds, and whatever may be set, each detector says something, the same each time, and leaves the series alone.
func FuzzLook(f *testing.F) {
	f.Add([]byte{1, 2, 3, 255, 0}, int64(600), 3, 5)
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 100, 200}, int64(43_200), math.MaxInt, math.MaxInt)
	f.Fuzz(func(t *testing.T, raw []byte, step int64, window, windows int) {
		s := &Series{Step: step}
		odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0}
		for i := range 4 * min(len(raw), 64) {
			v := float64(raw[i/4])
			if raw[i/4] < byte(len(odd)) {
				v = odd[raw[i/4]]
			}
			s.Values = append(s.Values, v)
		}
		before := slices.Clone(s.Values)
		detectors := []Detector{RateOfChange{Window: window, History: windows, Deviations: 2, Loss: true, Start: true}, MannWhitney{Window: window, Windows: windows, P: 0.05},
			MannWhitneyNonparametric{Window: window, Windows: windows, Stat: 0.9}, Seasonal{Weeks: windows}, Drift{Days: window, Weeks: windows}, Decomposed{Weeks: windows}, CUSUM{History: window, Window: windows},
			EWMA{History: window, Window: windows}, ChangePoint{Window: window, Recent: windows}, Deadman{History: window, Least: windows}, Jump{History: window}, Shape{Window: window, Periods: windows}}
		for _, m := range Methods() {
			d, err := New(m.Name, nil)
			if err != nil {
				t.Fatal(err)
			}
			detectors = append(detectors, d)
		}
		for _, d := range detectors {
			for i := range s.Values {
				if i%7 != 0 && i < len(s.Values)-3 {
					continue
				}
				a, b := d.Look(s, i), d.Look(s, i)
				if math.Float64bits(a.Score) != math.Float64bits(b.Score) && !(math.IsNaN(a.Score) && math.IsNaN(b.Score)) || a.Direction != b.Direction {
					t.Fatalf("%T at %d: %+v, then %+v", d, i, a, b)
				}
				if d.Work(step, i) < 0 {
					t.Fatalf("%T at %d: work %d", d, i, d.Work(step, i))
				}
			}
		}
		for i := range before {
			if math.Float64bits(before[i]) != math.Float64bits(s.Values[i]) {
				t.Fatal("a detector changed the series")
			}
		}
	})
}
