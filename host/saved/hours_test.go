package saved

import (
	"strings"
	"testing"
	"time"
)

// TestHours: quiet hours in a zone, over midnight, and on the days on which they begin.
func TestHours(t *testing.T) {
	t.Parallel()
	night := Hours{From: "22:00", To: "07:00", Zone: "Europe/Stockholm"}
	weekend := Hours{From: "18:00", To: "08:00", Days: []int{5, 6}}
	noon := Hours{From: "12:00", To: "13:30"}
	for _, c := range []struct {
		h    *Hours
		at   string
		want bool
	}{
		{&night, "2026-01-15T21:30:00Z", true}, // 22:30 there
		{&night, "2026-01-15T20:30:00Z", false}, {&night, "2026-01-16T05:59:00Z", true}, {&night, "2026-01-16T06:00:00Z", false},
		{&night, "2026-07-15T20:00:00Z", true},                                              // summer time
		{&weekend, "2026-01-16T18:00:00Z", true}, {&weekend, "2026-01-16T07:00:00Z", false}, // Friday; the morning belongs to Thursday
		{&weekend, "2026-01-18T07:59:00Z", true}, {&weekend, "2026-01-18T18:00:00Z", false},
		{&noon, "2026-01-16T12:00:00Z", true}, {&noon, "2026-01-16T13:30:00Z", false}, {&noon, "2026-01-16T11:59:00Z", false},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.h.Covers(at); got != c.want {
			t.Errorf("%+v at %s: %v", c.h, c.at, got)
		}
	}
}

// TestMoreOfRoutes: what else a route may have is checked, and keeps its secrets.
func TestMoreOfRoutes(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0).UTC()
	s, _ := open(t, &now)
	with := func(change func(r *Route)) Route {
		r := Route{Head: Head{ID: "mine"}, Title: "Mine", Matcher: "TRUE", Mail: []string{"ann@example.com"}}
		change(&r)
		return r
	}
	for want, r := range map[string]Route{
		"no time of day":   with(func(r *Route) { r.Quiet = &Hours{From: "7", To: "8:00"} }),
		"no time zone":     with(func(r *Route) { r.Quiet = &Hours{From: "07:00", To: "08:00", Zone: "../../etc/passwd"} }),
		"no day":           with(func(r *Route) { r.Quiet = &Hours{From: "07:00", To: "08:00", Days: []int{7}} }),
		"begin and end":    with(func(r *Route) { r.Quiet = &Hours{From: "07:00", To: "07:00"} }),
		"escalation needs": with(func(r *Route) { r.Escalate = &Escalation{After: 900} }),
		"60 to":            with(func(r *Route) { r.Escalate = &Escalation{After: 1, Mail: []string{"b@example.com"}} }),
		"at most": with(func(r *Route) {
			r.Webhooks = []Hook{{URL: "https://example.com", Template: strings.Repeat("x", mostTemplate+1)}}
		}),
	} {
		if _, err := s.SaveRoute(t.Context(), "ann", r, 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	r := with(func(r *Route) {
		r.Escalate = &Escalation{After: 900, Webhooks: []Hook{{Form: "pagerduty", Secret: "k1"}, {Form: "opsgenie", Secret: "k2"}}}
	})
	if _, err := s.SaveRoute(t.Context(), "ann", r, 0); err != nil {
		t.Fatal(err)
	}
	r.Escalate = &Escalation{After: 900, Webhooks: []Hook{{Form: "opsgenie"}, {Form: "pagerduty", Secret: "k3"}}}
	if _, err := s.SaveRoute(t.Context(), "ann", r, 1); err != nil {
		t.Fatal(err)
	}
	list, err := s.Routes(t.Context())
	if err != nil || list[0].Escalate.Webhooks[0].Secret != "k2" || list[0].Escalate.Webhooks[1].Secret != "k3" {
		t.Errorf("%+v %v", list, err)
	}
}
