package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

// into reads an answer's JSON.
func into[T any](t *testing.T, body string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return v
}

func TestDashboards(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	const one = `{"title":"Up","panels":[{"series":[{"plugin":"analysis.rate","graph":"a/b","column":"n"}]},{"text":"words","wide":true}]}`
	for _, c := range []struct {
		name, method, path, body, match string
		want                            int
		has                             string
	}{
		{"none yet", "GET", "/api/v1/dashboards", "", "", 200, `"dashboards":[]`},
		{"made", "PUT", "/api/v1/dashboards/up", one, "", 200, `"version":1`},
		{"made twice", "PUT", "/api/v1/dashboards/up", one, "", 409, "version 1 is there"},
		{"replaced", "PUT", "/api/v1/dashboards/up", one, `"1"`, 200, `"version":2`},
		{"over an old one", "PUT", "/api/v1/dashboards/up", one, `"1"`, 409, "version 2 is there"},
		{"no title", "PUT", "/api/v1/dashboards/x", `{"panels":[]}`, "", 422, "title"},
		{"a bad name", "PUT", "/api/v1/dashboards/A%2Fb", one, "", 422, "name of a dashboard"},
		{"an odd member", "PUT", "/api/v1/dashboards/x", `{"title":"a","x":1}`, "", 400, ""},
		{"one", "GET", "/api/v1/dashboards/up", "", "", 200, `"text":"words"`},
		{"the list", "GET", "/api/v1/dashboards", "", "", 200, `"panels":2`},
		{"one that is not there", "GET", "/api/v1/dashboards/no", "", "", 404, ""},
		{"removed", "DELETE", "/api/v1/dashboards/up", "", "", 204, ""},
		{"removed twice", "DELETE", "/api/v1/dashboards/up", "", "", 404, ""},
	} {
		header := []string{"Sandbar-As", "ann"}
		if c.match != "" {
			header = append(header, "If-Match", c.match)
		}
		w := h.do(request(c.method, c.path, c.body, header...))
		if w.Code != c.want || !strings.Contains(w.Body.String(), c.has) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
}

func TestIncidents(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	type incidents struct {
		Total, Calling int
		Incidents      []struct {
			ID, State     string
			Seen, Silence *struct{ ID, Author, Note, Why string }
		}
	}
	list := func() incidents { return into[incidents](t, h.get("/api/v1/incidents").Body.String()) }
	if got := list(); got.Total != 2 || got.Calling != 2 || got.Incidents[0].State != "firing" {
		t.Errorf("%+v", got)
	}
	if w := h.do(request("POST", "/api/v1/alerts/k2/acknowledge", `{"note":"mine","useless":true}`, "Sandbar-As", "ann")); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	until := start().Add(2 * time.Hour).Format(time.RFC3339)
	if w := h.do(request("POST", "/api/v1/silences", `{"plugin":"analysis.other","why":"known","until":"`+until+`"}`, "Sandbar-As", "bob")); w.Code != http.StatusCreated {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	got := list()
	if got.Calling != 0 || got.Incidents[0].Seen == nil || !strings.HasPrefix(got.Incidents[0].Seen.Author, "ann") || got.Incidents[0].Seen.Note != "mine" ||
		got.Incidents[1].Silence == nil || got.Incidents[1].Silence.Why != "known" {
		t.Errorf("%+v", got)
	}
	w := h.get("/api/v1/alerts/k2")
	one := into[struct {
		Key      string
		Incident struct{ State string }
		Graphs   []string
	}](t, w.Body.String())
	if w.Code != 200 || one.Key != "k2" || one.Incident.State != "firing" || len(one.Graphs) != 1 || one.Graphs[0] != "a/b" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := h.get("/api/v1/silences"); w.Code != 200 || !strings.Contains(w.Body.String(), `"id":"1"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := h.do(request("DELETE", "/api/v1/silences/1", "")); w.Code != http.StatusNoContent {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got := list(); got.Calling != 1 {
		t.Errorf("after its silence was ended: %+v", got)
	}
	h.clock.pass(90 * time.Minute)
	if got := list(); got.Calling != 0 || got.Incidents[0].State != "resolved" {
		t.Errorf("later: %+v", got)
	}
	for path, body := range map[string]string{"/api/v1/silences": `{"plugin":"a"}`, "/api/v1/alerts/no/acknowledge": `{}`, "/api/v1/silences/": `{}`} {
		if w := h.do(request("POST", path, body)); w.Code != 422 && w.Code != 404 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// TestVersionAt: which version ran when an alert was raised.
func TestVersionAt(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.plugins.note("ann", "submit", "analysis.rate", nil)
	events, err := h.plugins.Events(t.Context(), "analysis.rate", 9, 0)
	if err != nil || len(events) != 1 {
		t.Fatal(events, err)
	}
	events[0].Version = 3
	if v := versionAt(events, events[0].At); v == nil || v.Version != 3 || !strings.HasPrefix(v.By, "ann") {
		t.Errorf("%+v", v)
	}
	if v := versionAt(events, events[0].At.Add(-1)); v != nil {
		t.Errorf("before it was there: %+v", v)
	}
}

func TestResend(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	if w := h.get("/api/v1/causes"); w.Code != 200 || !strings.Contains(w.Body.String(), `"key":"c1"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w := h.get("/api/v1/errors/0:0/content")
	if w.Code != 200 || w.Body.String() != hostile || !strings.Contains(w.Header().Get("Content-Disposition"), `attachment; filename="submission-0_0"`) || w.Header().Get("Content-Type") != "application/octet-stream" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	for _, c := range []struct {
		body string
		want int
		sent int
	}{
		{`{"position":"0:0"}`, 200, 1}, {`{"cause":"c1"}`, 200, 1}, {`{"cause":"none"}`, 200, 0}, {`{}`, 400, 0}, {`{"cause":"a","position":"b"}`, 400, 0},
		{`{"position":"7:7"}`, 404, 0}, {`{"position":"0:9"}`, 409, 0},
	} {
		h.again.msgs = nil
		if w := h.do(request("POST", "/api/v1/errors/resend", c.body)); w.Code != c.want || len(h.again.msgs) != c.sent {
			t.Errorf("%s: %d %s, %d sent", c.body, w.Code, w.Body, len(h.again.msgs))
		}
	}
	denied := newHost(t, func(o *Options) {
		o.May = func(by, what, name string) error { return errors.New(what + " " + name + " is not for you") }
	})
	if w := denied.do(request("POST", "/api/v1/errors/resend", `{"position":"0:0"}`)); w.Code != http.StatusForbidden || len(denied.again.msgs) != 0 {
		t.Errorf("one who may not: %d %s", w.Code, w.Body)
	}
	if !strings.Contains(h.log.String(), "submitted again") {
		t.Error("nobody wrote down who submitted again")
	}
}
