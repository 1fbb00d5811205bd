package cmd

import (
	"strings"
	"testing"
	"time"

	"sandbar/host/alert"
	"sandbar/host/try"
)

// TestBackTest: alerts of two versions stand next to each other in the order of time; those of one subject close upon each other are the same.
func TestBackTest(t *testing.T) {
	t.Parallel()
	at := func(id string, minutes int) try.Alert {
		return try.Alert{Alert: alert.Alert{ID: id, Summary: "s of " + id, Time: time.Unix(int64(minutes)*60, 0).UTC()}}
	}
	r := try.Report{Version: 3, Tried: try.Result{Alerts: []try.Alert{at("x", 5), at("y", 30), at("x", 100)}, Alerted: 5}, Running: &try.Result{Alerts: []try.Alert{at("x", 1), at("x", 50), at("z", 60)}, Alerted: 3}}
	var out strings.Builder
	printBackTest(&out, &r)
	const want = `     alerts as it is here (+), of version 3 (-), of both (=)
     = 1970-01-01 00:05:00 x: s of x
     + 1970-01-01 00:30:00 y: s of y
     - 1970-01-01 00:50:00 x: s of x
     - 1970-01-01 01:00:00 z: s of z
     + 1970-01-01 01:40:00 x: s of x
       and 2 more
`
	if out.String() != want {
		t.Errorf("%s", &out)
	}
	out.Reset()
	if printBackTest(&out, &try.Report{Running: &try.Result{}}); out.Len() > 0 {
		t.Errorf("of none: %s", &out)
	}
}

func TestLookBack(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"7d": 168 * time.Hour, "0.5d": 12 * time.Hour, "90m": 90 * time.Minute, "d": -1, "xd": -1, "1e9d": -1, "5": -1} {
		var d lookBack
		if err := d.UnmarshalText([]byte(text)); (err != nil) != (want < 0) || err == nil && time.Duration(d) != want {
			t.Errorf("%s: %v %v", text, time.Duration(d), err)
		}
	}
}
