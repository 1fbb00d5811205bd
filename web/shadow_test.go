package web

import (
	"net/http"
	"strings"
	"testing"

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
	if w := h.do(request(post, "/api/v1/plugins", submit(map[string]any{"kind": "output", "shadow": true}))); w.Code != 422 || !strings.Contains(w.Body.String(), `"field":"kind"`) {
		t.Errorf("a shadow of an output: %d %s", w.Code, w.Body)
	}
}
