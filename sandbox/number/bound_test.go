package number

import (
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

func rat(t testing.TB, s string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatalf("%.100s is no number", s)
	}
	return r
}

// TestBoundKeepsOrder compares numbers of which the first of each pair of neighbours is the smaller.
func TestBoundKeepsOrder(t *testing.T) {
	t.Parallel()
	nines := strings.Repeat("9", 399)
	rising := []string{
		"-1e99999999999999999999", "-1e9999999", "-1e401", "-1" + strings.Repeat("0", 400), "-" + nines, "-10", "-1e-401", "-1e-500", "-1e-99999999",
		"0", "1e-9999999", "1e-1000", "2e-1000", "1e-403", "1e-402", "1e-401", "1e-399", "1e-10", "0.1", "1", "1." + strings.Repeat("0", 2000) + "1",
		"1.5", "9", "10", "1e10", nines, "1" + strings.Repeat("0", 399), "1e400", "1e401", "1.5e401", "1e402", "12" + strings.Repeat("0", 500), "1e1000000", "2e1000000",
		"1e1000001", "1e100000000000",
	}
	for i, s := range rising {
		for j, other := range rising {
			a, b := rat(t, Bound(s)), rat(t, Bound(other))
			if got, want := a.Cmp(b), compare(i, j); got != want {
				t.Errorf("%.40s against %.40s: %d, want %d", s, other, got, want)
			}
		}
	}
}

func compare(i, j int) int {
	switch {
	case i < j:
		return -1
	case i > j:
		return 1
	}
	return 0
}

func TestBound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in    string
		whole bool
		same  string // a number that it is equal to
	}{
		{"0", true, "0"}, {"-0", true, "0"}, {"0e999999999", true, "0"}, {"-0.000e-99999999999999999999", true, "0"}, {"1e-0", true, "1"},
		{"1e999999", true, ""}, {"1.5e999999", true, ""}, {"1e-999999", false, ""}, {"-1e-9999999999", false, ""},
		{"0." + strings.Repeat("0", 1_000_000) + "1e1000002", true, "10"}, {strings.Repeat("1", 1000) + "e-1000", false, ""},
		{"3." + strings.Repeat("0", 1_000_000), true, "3"}, {"3." + strings.Repeat("0", 1_000_000) + "1", false, ""},
		{"1" + strings.Repeat("0", 1_000_000) + "e-1000000", true, "1"}, {"1e+5", true, "100000"}, {"12.50E+1", true, "125"},
		{strings.Repeat("7", 2_000_000), true, ""}, {"0.1", false, "0.1"}, {"1e399", true, "1e399"}, {"1E-400", false, "1e-400"},
		{"9007199254740993", true, "9007199254740993"}, {"1e0000000000000000000000000000002", true, "100"},
	} {
		start := time.Now()
		got := Bound(c.in)
		if len(got) > 2*maxDigits {
			t.Errorf("%.40s has %d characters", c.in, len(got))
		}
		r := rat(t, got)
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("%.40s took %v", c.in, took)
		}
		if r.IsInt() != c.whole {
			t.Errorf("%.40s: whole is %v", c.in, r.IsInt())
		}
		if c.same != "" && r.Cmp(rat(t, c.same)) != 0 {
			t.Errorf("%.40s became %.40s", c.in, got)
		}
	}
	if s := "123456.789e-3"; Bound(s) != s {
		t.Error("an ordinary number changed")
	}
}

// TestBoundExact: within the bounds nothing changes in value, and what is beyond keeps its sign and size.
func TestBoundExact(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	digits := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte('0' + r.IntN(10))
		}
		return string(b)
	}
	for range 2000 {
		s := []string{"", "-"}[r.IntN(2)] + []string{"0", "7" + digits(r.IntN(500))}[r.IntN(2)]
		if r.IntN(2) == 0 {
			s += "." + digits(1+r.IntN(500))
		}
		if r.IntN(2) == 0 {
			s += "e" + strconv.Itoa(r.IntN(1400)-700)
		}
		a, b := rat(t, s), rat(t, Bound(s))
		if a.Sign() != b.Sign() {
			t.Fatalf("%s lost its sign: %s", s, Bound(s))
		}
		limit, tiny := rat(t, "1e400"), rat(t, "1e-401")
		if abs := new(big.Rat).Abs(a); a.Sign() == 0 || abs.Cmp(limit) < 0 && abs.Cmp(tiny) >= 0 {
			if a.Cmp(b) != 0 && len(s) < maxDigits {
				t.Fatalf("%s became %s", s, Bound(s))
			}
		} else if got := new(big.Rat).Abs(b); abs.Cmp(limit) >= 0 != (got.Cmp(limit) >= 0) {
			t.Fatalf("%s is of another size: %s", s, Bound(s))
		}
	}
}

func FuzzBound(f *testing.F) {
	for _, s := range []string{"1", "-0.5e7", "1e99999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !isJSONNumber(s) {
			return
		}
		if got := Bound(s); !isJSONNumber(got) || len(got) > 2*maxDigits {
			t.Fatalf("%.100q became %.100q", s, got)
		}
	})
}

func isJSONNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	n := len(s)
	s = strings.TrimLeft(s, "0123456789")
	if n == len(s) {
		return false
	}
	if rest, ok := strings.CutPrefix(s, "."); ok {
		if s = strings.TrimLeft(rest, "0123456789"); len(s) == len(rest) {
			return false
		}
	}
	if s == "" {
		return true
	}
	if s[0]|0x20 != 'e' {
		return false
	}
	s = s[1:]
	if s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func BenchmarkBound(b *testing.B) {
	for _, s := range []string{"1234567", "1.5e10", "1e999999"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				Bound(s)
			}
		})
	}
}
