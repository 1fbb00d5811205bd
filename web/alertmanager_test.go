package web

import (
	"strings"
	"testing"
)

// TestAlertmanager: silences and alerts in Alertmanager's form; what ours cannot be is refused with a JSON string, as its clients expect.
func TestAlertmanager(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	const base = "/alertmanager/api/v2/"
	const until = `"endsAt":"2100-01-01T00:00:00Z"`
	soon := start().Add(3600e9).Format("2006-01-02T15:04:05Z")
	for _, c := range []struct {
		method, path, body string
		want               int
		has                string
	}{
		{"GET", "status", "", 200, `"version":"Sandbar `},
		{"GET", "alerts", "", 200, `[`},
		{"GET", "alerts?filter=plugin%3D%22none%22", "", 200, `[]`},
		{"GET", "alerts?filter=plugin", "", 400, `"filter`},
		{"GET", "alerts?filter=plugin%3D~%22(%22", "", 400, `"filter`},
		{"GET", "silences", "", 200, `[]`},
		{"POST", "silences", `{"matchers":[{"name":"plugin","value":"analysis.rate","isRegex":false},{"name":"alertname","value":"x"}],"endsAt":"` + soon + `","createdBy":"ann","comment":"known"}`, 200, `"silenceID":"`},
		{"GET", "silences?filter=plugin%3Danalysis.rate", "", 200, `"createdBy":"ann (`},
		{"GET", "silences?filter=plugin!%3Danalysis.rate", "", 200, `[]`},
		{"POST", "silences", `{"matchers":[{"name":"plugin","value":".*","isRegex":true}],"comment":"c",` + until + `}`, 400, `"matcher`},
		{"POST", "silences", `{"matchers":[{"name":"plugin","value":"a","isEqual":false}],"comment":"c",` + until + `}`, 400, `"matcher`},
		{"POST", "silences", `{"matchers":[{"name":"team","value":"a"}],"comment":"c",` + until + `}`, 400, `labels plugin and alertname`},
		{"POST", "silences", `{"matchers":[{"name":"plugin","value":"a"}],"comment":"c",` + until + `}`, 422, `a year`},
		{"POST", "silences", `{"matchers":[{"name":"plugin","value":"a"}],"comment":"c","startsAt":"2099-01-01T00:00:00Z",` + until + `}`, 400, `begins now`},
		{"POST", "silences", `{"matchers":[],"comment":"c",` + until + `}`, 422, `a plugin`},
		{"POST", "silences", `{"id":"none","matchers":[{"name":"plugin","value":"a"}],"comment":"c","endsAt":"` + soon + `"}`, 404, `no such`},
		{"GET", "silences?filter=plugin%3Da", "", 200, `[]`}, // nothing is left of it
		{"GET", "silence/none", "", 404, `no such`},
		{"DELETE", "silence/none", "", 404, ``},
	} {
		w := h.do(request(c.method, base+c.path, c.body))
		if text := strings.TrimSpace(w.Body.String()); w.Code != c.want || !strings.Contains(text, c.has) || w.Code >= 400 && !strings.HasPrefix(text, `"`) {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, w.Code, text)
		}
	}
}

// FuzzFilter: whatever a filter is, it is read or refused.
func FuzzFilter(f *testing.F) {
	f.Add(`plugin="a"`)
	f.Add(`x=~"("`)
	f.Add(`=`)
	f.Fuzz(func(t *testing.T, text string) {
		if m, err := amMatches(text); err == nil {
			m.Matches(text)
		}
	})
}
