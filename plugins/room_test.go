package plugins

import (
	"strings"
	"testing"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// TestRoom: a disk that fills is told of hours before, one that is full at once, and one that stays as it is never.
func TestRoom(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		free func(minute int64) float64 // of 1000 GB
		want string                     // of the first alert
		at   [2]int64                   // minutes in which it comes
	}{
		"stays":       {func(m int64) float64 { return 500 - float64(m%3) }, "", [2]int64{}},
		"fills":       {func(m int64) float64 { return 500 - float64(max(0, m-120))/2 }, "is full in", [2]int64{130, 240}},
		"nearly full": {func(m int64) float64 { return 40 }, "is nearly full", [2]int64{0, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, "analysis.room")
			first, summary := int64(-1), ""
			for m := int64(0); m < 300 && first < 0; m++ {
				at := 1_700_000_040 + m*60
				var b message.Builder
				b.SetTimestamp(at * 1e9)
				b.SetHeader(message.Type, "host.self")
				b.SetHeader(message.Hostname, "one")
				b.AddInt("free", "B", int64(c.free(m)*1e9))
				b.AddInt("room", "B", 1000e9)
				var v message.View
				if err := v.Parse(b.AppendTo(nil)); err != nil {
					t.Fatal(err)
				}
				if res := r.Process(&v); res.Outcome != sandbox.OK || res.Status != 0 {
					t.Fatalf("%v %s", res.Outcome, res.Text)
				}
				if _, alerts := r.tick(at + 5); len(alerts) > 0 {
					first = m
					for i := range r.made {
						if s, ok := get(&r.made[i], "summary").(string); ok {
							summary = s
						}
					}
				}
			}
			if c.want == "" && first >= 0 || c.want != "" && (first < c.at[0] || first > c.at[1] || !strings.Contains(summary, c.want)) {
				t.Errorf("the first alert is in minute %d: %q", first, summary)
			}
		})
	}
}
