package number

import (
	"math"
	"testing"
)

func TestAppend(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		f          float64
		g, payload string
	}{
		{0, "0", "0"},
		{-3, "-3", "-3"},
		{0.1, "0.1", "0.1"},
		{1.0 / 3, "0.33333333333333", "0.33333333"},
		{-1e-9, "-1e-09", "0"},
		{1e14, "1e+14", "100000000000000"},
		{123456789012345, "1.2345678901234e+14", "123456789012345"},
		{99999999999999, "99999999999999", "99999999999999"},
		{2147483648, "2147483648", "2147483648"},
		{math.Pi * 1e10, "31415926535.898", "31415926535.897934"},
		{math.NaN(), "nan", "nan"},
		{math.Copysign(math.NaN(), -1), "-nan", "nan"},
		{math.Inf(1), "inf", "inf"},
		{math.Inf(-1), "-inf", "-inf"},
		{1e300, "1e+300", "1.0000000000000001e+300"},
		{math.Copysign(0, -1), "-0", "0"},
	} {
		if got := string(AppendG(nil, c.f, 14)); got != c.g {
			t.Errorf("AppendG(%v) = %s, want %s", c.f, got, c.g)
		}
		if got := string(AppendPayload(nil, c.f)); got != c.payload {
			t.Errorf("AppendPayload(%v) = %s, want %s", c.f, got, c.payload)
		}
	}
}
