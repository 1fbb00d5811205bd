package sandbox

import (
	"strings"
	"testing"
)

func TestMisspelt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ key, also, want string }{
		{"ticker_intervall", "", "did you mean ticker_interval?"},
		{"intruction_limit", "", "did you mean instruction_limit?"},
		{"Preserve_Data", "", "did you mean preserve_data?"},
		{"tickr_intrval", "", "did you mean ticker_interval?"},
		{"memory_limits", "memory_limit", ""}, // both are there: one is the plugin's own
		{"memory_limit", "", ""},
		{"slope", "", ""},
		{"limit", "", ""},
		{"alert", "", ""},
		{"", "", ""},
		{strings.Repeat("x", 100_000), "", ""},
	} {
		cfg := &Config{Keys: Table{c.key: 1.0}}
		if c.also != "" {
			cfg.Keys[c.also] = 2.0
		}
		got := JoinFindings(cfg.Misspelt())
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%.20s: %q, want %q", c.key, got, c.want)
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"abc", "abc", 0}, {"abc", "acb", 2}, {"flaw", "lawn", 2}} {
		if got := distance(c.a, c.b); got != c.want || distance(c.b, c.a) != got {
			t.Errorf("from %q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
