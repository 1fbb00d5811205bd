package web

import (
	"net/http"
	"strings"
	"testing"

	"sandbar/host/deploy"
	"sandbar/host/runner"
	"sandbar/host/shadow"
	"sandbar/sandbox/message"
)

// newShadows are one, of analysis.rate, that made an alert and a payload.
func newShadows() *shadow.View {
	v := shadow.New()
	var a, p message.Builder
	a.SetHeader(message.Type, message.TypeAlert)
	a.AddString(message.FieldSummary, "", hostile)
	p.SetHeader(message.Type, message.TypePayload)
	p.SetHeader(message.Payload, "text")
	p.AddString(message.FieldPayloadType, "", "txt")
	v.Take("analysis.rate~shadow", [][]byte{a.AppendTo(nil), p.AppendTo(nil)})
	return v
}

func TestShadow(t *testing.T) {
	t.Parallel()
	const post = http.MethodPost
	for _, tt := range []struct {
		method, path, body string
		code               int
		want               string
	}{
		{"GET", "rate/shadow", "", 200, `"shadow_of":"analysis.rate"`},
		{"GET", "rate/shadow", "", 200, `"text":"text"`},
		{"GET", "rate/shadow", "", 200, `"alerted":1,"messages":2`},
		{"GET", "moz.ingest/shadow", "", 404, "no such plugin"},
		{post, "rate/promote", `{"with_state":true,"note":"better"}`, 200, `"name":"analysis.rate"`},
		{post, "moz.ingest/promote", `{}`, 404, "shadow"},
		{post, "rate/promote", `{"x":1}`, 400, "x"},
		{post, "rate/fork", `{"name":"second","with_state":true}`, 201, `"name":"analysis.second"`},
		{post, "rate/fork", `{"name":"rate"}`, 409, `"field":"name"`},
		{post, "rate/fork", `{"name":"../x"}`, 422, `"field":"name"`},
		{post, "none/fork", `{"name":"x"}`, 404, "none"},
	} {
		h := newHost(t, nil)
		d := h.plugins.all["analysis.rate"]
		d.Name, d.ShadowOf, d.State = "analysis.rate~shadow", "analysis.rate", runner.Running
		h.plugins.all[d.Name] = d
		if w := h.do(request(tt.method, "/api/v1/plugins/"+tt.path, tt.body)); w.Code != tt.code || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s %s %s: %d %.400s\nwant %d with %s", tt.method, tt.path, tt.body, w.Code, w.Body, tt.code, tt.want)
		}
	}
	h := newHost(t, nil)
	h.plugins.failing = &deploy.Refusal{Why: []string{"too dear"}}
	if w := h.do(request(post, "/api/v1/plugins", submit(nil))); w.Code != 422 || !strings.Contains(w.Body.String(), `"field":"gate"`) {
		t.Errorf("what does not pass: %d %s", w.Code, w.Body)
	}
	h.plugins.failing = &deploy.Refusal{Why: []string{"too dear"}, Proposal: "analysis.new~proposed"}
	if w := h.do(request(post, "/api/v1/plugins", submit(nil))); w.Code != 202 || w.Body.String() != `{"name":"analysis.new~proposed","state":"proposed","why":["too dear"]}`+"\n" {
		t.Errorf("what waits: %d %s", w.Code, w.Body)
	}
	h = newHost(t, nil)
	d := h.plugins.all["analysis.rate"]
	d.Name, d.ProposalOf, d.State = "analysis.rate~proposed", "analysis.rate", runner.Proposed
	h.plugins.all[d.Name] = d
	for _, tt := range []struct {
		name, as, match string
		code            int
	}{{"analysis.rate~proposed", "bob", "", 200}, {"analysis.rate~proposed", "ann", "", 403}, {"analysis.rate~proposed", "bob", `"7"`, 409}, {"analysis.rate", "bob", "", 404}, {"none", "bob", "", 404}} {
		r := request(post, "/api/v1/plugins/"+tt.name+"/approve", `{"note":"seen"}`, "Sandbar-As", tt.as)
		if tt.match != "" {
			r.Header.Set("If-Match", tt.match)
		}
		if w := h.do(r); w.Code != tt.code {
			t.Errorf("%s approves %s: %d %s", tt.as, tt.name, w.Code, w.Body)
		}
	}
	if w := h.get("/api/v1/plugins"); !strings.Contains(w.Body.String(), `"proposal_of":"analysis.rate"`) {
		t.Errorf("listed: %s", w.Body)
	}
	if w := h.do(request(post, "/api/v1/plugins", submit(map[string]any{"kind": "output", "shadow": true}))); w.Code != 422 || !strings.Contains(w.Body.String(), `"field":"kind"`) {
		t.Errorf("a shadow of an output: %d %s", w.Code, w.Body)
	}
}
