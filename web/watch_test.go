package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sandbar/host/deploy"
	"sandbar/host/letters"
	"sandbar/host/runner"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// newLetters are one of analysis.rate.
func newLetters() *letters.View {
	v := letters.New(start)
	var b message.Builder
	b.SetHeader(message.Payload, hostile)
	var m message.View
	if err := m.Parse(b.AppendTo(nil)); err != nil {
		panic(err)
	}
	v.Note("analysis.rate", "odd", &m)
	return v
}

func TestFind(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	add := func(name string, state runner.State, author string, change func(*runner.Status)) {
		kind, _, _ := strings.Cut(name, ".")
		st := runner.Status{Name: name, Kind: sandbox.Kind(kind), State: state, Since: start(), Author: author, Limits: sandbox.DefaultLimits()}
		if change != nil {
			change(&st)
		}
		h.plugins.all[name] = deploy.Detail{Status: st}
	}
	clear(h.plugins.all)
	add("analysis.b", runner.Running, "ann (10.0.0.1)", func(s *runner.Status) { s.Stats.Failed = 3 })
	add("analysis.a", runner.Running, "ann (10.0.0.2)", func(s *runner.Status) { s.Stats.Failed, s.LagBytes = 7, 5 })
	add("analysis.dead", runner.Terminated, "10.0.0.3", func(s *runner.Status) { s.Reason = strings.Repeat("Out of fuel ", 40) })
	add("decoder.d", runner.StoppedBy, "", func(s *runner.Status) { s.Shipped = true })
	add("analysis.b~proposed", runner.Proposed, "bob (10.0.0.1)", func(s *runner.Status) { s.ProposalOf = "analysis.b" })
	for _, tt := range []struct{ query, want, total string }{
		{"", "analysis.dead analysis.b~proposed analysis.a analysis.b decoder.d", "5"},
		{"sort=failed", "analysis.dead analysis.b~proposed analysis.a analysis.b decoder.d", "5"},
		{"sort=lag&state=running", "analysis.a analysis.b", "2"},
		{"state=broken", "analysis.dead", "1"},
		{"text=FUEL", "analysis.dead", "1"},
		{"owner=ann", "analysis.a analysis.b", "2"},
		{"owner=Sandbar&kind=decoder", "decoder.d", "1"},
		{"kind=output", "", "0"},
		{"cost=1", "", "0"},
		{"n=2&from=1", "analysis.b~proposed analysis.a", "5"},
		{"n=0", "", "5"},
		{"from=99", "", "5"},
	} {
		w := h.get("/api/v1/find?" + tt.query)
		var got list
		if w.Code != http.StatusOK || json.Unmarshal(w.Body.Bytes(), &got) != nil {
			t.Fatalf("%s: %d %s", tt.query, w.Code, w.Body)
		}
		var names []string
		for _, p := range got.Plugins {
			names = append(names, p.Name)
		}
		if strings.Join(names, " ") != tt.want || fmt.Sprint(got.Total) != tt.total || got.Counts[runner.Running] != 2 || strings.Join(got.Owners, ",") != "10.0.0.3,Sandbar,ann,bob" {
			t.Errorf("%s: %v of %d, %v, %q; want %s of %s", tt.query, names, got.Total, got.Counts, got.Owners, tt.want, tt.total)
		}
	}
	for _, q := range []string{"n=201", "sort=x", "from=-1", "cost=x"} {
		if w := h.get("/api/v1/find?" + q); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", q, w.Code)
		}
	}
}

func TestVitalsAndLetters(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	at := start()
	for range 8 {
		list, err := h.plugins.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		at = at.Add(10 * time.Second)
		h.opt.Vitals.Note(at, list)
	}
	if w := h.get("/api/v1/plugins/rate/vitals"); w.Code != 200 || !strings.Contains(w.Body.String(), `"title":"Cost"`) {
		t.Errorf("vitals: %d %s", w.Code, w.Body)
	}
	if w := h.get("/api/v1/plugins/rate/letters"); w.Code != 200 || !strings.Contains(w.Body.String(), `"text":"odd","count":1`) || !strings.Contains(w.Body.String(), `"message":{`) {
		t.Errorf("letters: %d %s", w.Code, w.Body)
	}
	if w := h.get("/api/v1/plugins/moz.ingest/letters"); w.Code != 200 || w.Body.String() != "[]\n" {
		t.Errorf("no letters: %d %s", w.Code, w.Body)
	}
	for query, want := range map[string]string{
		"payload=a%2Fb&from=5&to=15&points=7&way=max": `{"data":{"time":5,"rows":1,"columns":1,"seconds_per_row":10,"info":[{"name":"max","unit":"","aggregation":""}],"annotations":[],"values":[[7]]}}`,
		"payload=none": `{"data":null}`,
	} {
		if w := h.get("/api/v1/plugins/rate/history?" + query); w.Code != 200 || strings.TrimSpace(w.Body.String()) != want {
			t.Errorf("history %s: %d %s", query, w.Code, w.Body)
		}
	}
	for _, query := range []string{"from=x", "points=5001", "way=sum"} {
		if w := h.get("/api/v1/plugins/rate/history?" + query); w.Code != 400 {
			t.Errorf("history %s: %d", query, w.Code)
		}
	}
	for _, what := range []string{"vitals", "letters", "history"} {
		if w := h.get("/api/v1/plugins/none/" + what); w.Code != 404 {
			t.Errorf("%s of none: %d", what, w.Code)
		}
	}
}
