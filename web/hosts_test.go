package web

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"sandbar/host/fleet"
	"sandbar/host/health"
	"sandbar/host/landfill"
	"sandbar/host/partitions"
	"sandbar/host/stream"
)

type fakeHosts []fleet.Other

func (f fakeHosts) Others() []fleet.Other { return f }

// TestOtherHosts: the overview is that of all hosts, and says what is wrong on which.
func TestOtherHosts(t *testing.T) {
	t.Parallel()
	plain, all := newHost(t, nil), newHost(t, func(o *Options) {
		o.Hosts = fakeHosts{{Report: fleet.Report{Host: "h2", Started: start(), Share: partitions.Share{Here: []int32{0}, Of: 4},
			Troubles: []health.Trouble{{Part: "lake", Since: start(), Text: "away"}},
			Streams:  map[string]stream.Stats{stream.Raw: {Messages: 7, Bytes: 70, Stored: 700, Skipped: 1, Syncs: 2}},
			Edge:     fleet.Edge{Answers: map[int]int64{200: 5, 418: 1}, Bytes: 50, InFlight: 3},
			Landfill: landfill.Stats{Files: 1, Bytes: 10, Waiting: 100, Since: start().Add(-time.Hour)}},
			Rates: map[string]fleet.Rate{stream.Raw: {Messages: 2, Bytes: 20}}}, {Report: fleet.Report{Host: "h3"}}}
	})
	type numbers struct {
		Troubles []health.Trouble
		Hosts    []hostNumbers
		Streams  []streamNumbers
		Edge     edgeNumbers
		Landfill archiveNumbers
	}
	read := func(h *host) (n numbers) {
		t.Helper()
		res := h.get("/api/v1/overview")
		if err := json.Unmarshal(res.Body.Bytes(), &n); err != nil || res.Code != http.StatusOK {
			t.Fatalf("%d %v", res.Code, err)
		}
		return n
	}
	one, sum := read(plain), read(all)
	a, b := one.Streams[0], sum.Streams[0]
	if b.Messages != a.Messages+7 || b.Bytes != a.Bytes+70 || b.StoredBytes != a.StoredBytes+700 || b.SkippedBytes != a.SkippedBytes+1 || b.Syncs != a.Syncs+2 ||
		b.MessagesPerSecond != a.MessagesPerSecond+2 || b.BytesPerSecond != a.BytesPerSecond+20 {
		t.Errorf("raw is %+v, here alone %+v", b, a)
	}
	if e := sum.Edge; e.Answers[200] != one.Edge.Answers[200]+5 || e.Answers[418] != 1 || e.Bytes != one.Edge.Bytes+50 || e.InFlight != one.Edge.InFlight+3 {
		t.Errorf("the edge is %+v, here alone %+v", e, one.Edge)
	}
	if l := sum.Landfill; l.Files != 3 || l.Bytes != 40 || l.Waiting != 500 || l.Since == nil || !l.Since.Equal(start().Add(-time.Hour)) {
		t.Errorf("landfill is %+v", l)
	}
	if len(one.Hosts) != 1 || len(sum.Hosts) != 3 || !sum.Hosts[0].This || sum.Hosts[1].Host != "h2" || sum.Hosts[1].This || sum.Hosts[1].Partitions.Here[0] != 0 {
		t.Errorf("the hosts are %+v", sum.Hosts)
	}
	if len(sum.Troubles) != 1 || sum.Troubles[0].Part != "h2: lake" || len(one.Troubles) != 0 {
		t.Errorf("troubles are %+v", sum.Troubles)
	}
}
