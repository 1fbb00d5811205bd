package anomaly

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

// TestQuantileShift: p50 and p99 that moved are found, and by chance as often as it says.
func TestQuantileShift(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 9))
	sample := func(n int, tail float64) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = r.ExpFloat64()
			if r.Float64() < 0.02 {
				out[i] *= tail
			}
		}
		return out
	}
	wrong := 0
	const rounds = 1000
	for range rounds {
		if _, _, z := QuantileShift(sample(1000, 1), sample(1500, 1), 0.5); math.Abs(z) > 1.96 {
			wrong++
		}
	}
	if share := float64(wrong) / rounds; share < 0.025 || share > 0.075 {
		t.Errorf("%.3f of equal samples are beyond 1.96", share)
	}
	a, b, z := QuantileShift(sample(3000, 10), sample(3000, 1), 0.99)
	if z < 4 || a < 1.3*b {
		t.Errorf("a longer tail: %v, was %v, z %v", a, b, z)
	}
	if _, _, z := QuantileShift(sample(3000, 10), sample(3000, 1), 0.5); math.Abs(z) > 4 {
		t.Errorf("a longer tail moves the median: %v", z)
	}
	if a, b, z := QuantileShift([]float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 0.5); a != 1 || b != 1 || z != 0 {
		t.Errorf("equal values: %v %v %v", a, b, z)
	}
	for _, few := range []struct {
		now []float64
		q   float64
	}{{[]float64{1, 2, 3}, 0.5}, {sample(400, 1), 0.99}, {sample(20, 1), 0}, {sample(20, 1), math.NaN()}} {
		if _, _, z := QuantileShift(few.now, few.now, few.q); !math.IsNaN(z) {
			t.Errorf("%d values say %v of quantile %v", len(few.now), z, few.q)
		}
	}
}

// TestHistograms: as R's cor, SciPy's wasserstein_distance and chi2_contingency say (without Yates' correction).
func TestHistograms(t *testing.T) {
	t.Parallel()
	a, b := []float64{10, 20, 30, 40}, []float64{40, 30, 20, 10}
	if r := Pearson(a, b); !near(r, -1, 1e-12) {
		t.Errorf("Pearson %v", r)
	}
	if r := Pearson(a, []float64{1, 2, 3, 4}); !near(r, 1, 1e-12) {
		t.Errorf("Pearson of a multiple %v", r)
	}
	if d := EarthMover(a, b); !near(d, 1, 1e-12) {
		t.Errorf("earth mover %v", d)
	}
	if d := EarthMover([]float64{5, 0, 0}, []float64{0, 0, 70}); !near(d, 2, 1e-12) {
		t.Errorf("earth mover over two bins %v", d)
	}
	if chi2, degrees, p := ChiSquare(a, b); !near(chi2, 40, 1e-9) || degrees != 3 || !near(p, 1.0655e-8, 1e-11) {
		t.Errorf("chi-square %v %v %v", chi2, degrees, p)
	}
	if chi2, degrees, p := ChiSquare([]float64{1, 50, 1, 50}, []float64{2, 500, 0, 490}); degrees != 1 || p < 0.5 {
		t.Errorf("small bins are not taken together: %v %v %v", chi2, degrees, p)
	}
	for _, none := range [][2][]float64{{nil, nil}, {{0, 0}, {1, 2}}, {{1}, {1}}, {{math.NaN(), -1}, {1, 2}}, {{math.Inf(1), 3}, {1, 2}}} {
		if _, _, p := ChiSquare(none[0], none[1]); p != 1 {
			t.Errorf("%v: p = %v", none, p)
		}
		Pearson(none[0], none[1])
		EarthMover(none[0], none[1])
	}
}

func TestCategories(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		now, then []float64
		want      []int8
	}{
		"as before":               {[]float64{10, 20}, []float64{100, 200}, []int8{0, 0}},
		"new":                     {[]float64{90, 10}, []float64{9000, 0}, []int8{0, Appeared}},
		"one is chance":           {[]float64{99, 1}, []float64{9000, 0}, []int8{0, 0}},
		"vanished":                {[]float64{1000, 0}, []float64{9000, 1000}, []int8{0, Vanished}},
		"was rare":                {[]float64{1000, 0}, []float64{9000, 10}, []int8{0, 0}},
		"nothing before":          {[]float64{1000, 10}, []float64{0, 0}, []int8{0, 0}},
		"nothing now":             {[]float64{0, 0}, []float64{100, 1000}, []int8{0, 0}},
		"of different lengths":    {[]float64{1000, 50}, []float64{1000}, []int8{0}},
		"what cannot be a number": {[]float64{math.NaN(), math.Inf(1)}, []float64{-1, 5}, []int8{0, 0}},
	} {
		if got := Categories(c.now, c.then, 1e-6); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// FuzzCompare: whatever two histograms are, what is said of them is within its bounds.
func FuzzCompare(f *testing.F) {
	f.Add([]byte{1, 2, 3}, []byte{3, 2, 1}, 0.5)
	f.Fuzz(func(t *testing.T, x, y []byte, q float64) {
		values := func(raw []byte) []float64 {
			out := make([]float64, len(raw))
			for i, c := range raw {
				out[i] = math.Float64frombits(uint64(c) << 56 * uint64(c&1))
				if c&1 == 0 {
					out[i] = float64(c)
				}
			}
			return out
		}
		a, b := values(x), values(y)
		if r := Pearson(a, b); math.Abs(r) > 1+1e-9 {
			t.Errorf("Pearson %v", r)
		}
		if d := EarthMover(a, b); d < 0 || d > float64(len(a)) {
			t.Errorf("earth mover %v", d)
		}
		if _, _, p := ChiSquare(a, b); p < 0 || p > 1 {
			t.Errorf("p %v", p)
		}
		if got := Categories(a, b, q); len(got) != min(len(a), len(b)) {
			t.Errorf("%v", got)
		}
		QuantileShift(a, b, q)
	})
}
