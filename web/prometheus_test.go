package web

import (
	"net/http"
	"strings"
	"testing"
)

// TestPrometheus holds the answers to what Grafana's Prometheus data source asks: the requests are as it sends them, for its test, a panel, variables
// and the query builder.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		name, method, path, body string
		code                     int
		want                     string
	}{
		{"save and test", "POST", "query", "query=1%2B1&time=1714564800", 200, `{"status":"success","data":{"resultType":"scalar","result":[1714564800,"2"]}}`},
		{"its version", "GET", "status/buildinfo", "", 200, `"version":"2.55.0"`},
		{"a panel", "POST", "query_range", "query=sandbar&start=60&end=180&step=60", 200, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"sandbar","column":"mean","graph":"a/b","plugin":"analysis.rate"},"values":[[60,`},
		{"a panel, by GET", "GET", "query_range?query=sandbar&start=60&end=180&step=1m", "", 200, `"resultType":"matrix"`},
		{"a table", "POST", "query", "query=sandbar&time=60", 200, `"resultType":"vector"`},
		{"times of RFC 3339", "GET", "query_range?query=sandbar&start=1970-01-01T00:01:00Z&end=1970-01-01T00:03:00.5Z&step=15", "", 200, `"values":[[60,`},
		{"a variable", "GET", "label/plugin/values?start=0&end=9", "", 200, `{"status":"success","data":["analysis.rate"]}`},
		{"names of metrics", "GET", "label/__name__/values", "", 200, `{"status":"success","data":["sandbar"]}`},
		{"a variable of a metric", "GET", "label/column/values?match[]=sandbar", "", 200, `["n"]`},
		{"names of labels", "POST", "labels", "match[]=sandbar%7Bplugin%3D%22analysis.rate%22%7D", 200, `["__name__","column","graph","plugin","unit"]`},
		{"no such", "GET", "labels?match[]=other", "", 200, `{"status":"success","data":[]}`},
		{"series", "GET", "series?match[]=sandbar&start=0&end=1", "", 200, `{"status":"success","data":[{"__name__":"sandbar","column":"n","graph":"a/b","plugin":"analysis.rate","unit":"count"}]}`},
		{"metadata", "GET", "metadata?limit=40000", "", 200, `{"sandbar":[{"help":`},
		{"rules", "GET", "rules", "", 200, `{"groups":[]}`},
		{"exemplars", "POST", "query_exemplars", "query=sandbar&start=0&end=1", 200, `"data":[]`},

		{"no query", "POST", "query", "query=", 400, `"errorType":"bad_data"`},
		{"wrong query", "POST", "query", "query=sum(", 400, `{"status":"error","errorType":"bad_data","error":"1:5: parse error`},
		{"wrong time", "GET", "query?query=1&time=yesterday", "", 400, "no time"},
		{"no end", "GET", "query_range?query=1&start=5&step=1", "", 400, "end is before start"},
		{"no step", "GET", "query_range?query=1&start=5&end=6", "", 400, "step"},
		{"many steps", "GET", "query_range?query=1&start=0&end=99999&step=1", "", 400, "more than 11000 steps"},
		{"wrong selector", "GET", "series?match[]=%7B", "", 400, "match[]"},
		{"no selector", "GET", "series", "", 400, "match[]"},
		{"no form", "POST", "query", "%zz", 400, "form"},
	} {
		h := newHost(t, nil)
		r := request(tt.method, "/prometheus/api/v1/"+tt.path, tt.body)
		if tt.body != "" {
			r.Header.Set("Content-Type", form)
		}
		if w := h.do(r); w.Code != tt.code || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s: %d %.400s\nwant %d with %s", tt.name, w.Code, w.Body, tt.code, tt.want)
		}
	}
	h := newHost(t, withToken)
	if w := h.get("/prometheus/api/v1/labels"); w.Code != http.StatusUnauthorized {
		t.Errorf("without the token: %d", w.Code)
	}
	if w := h.get("/prometheus/api/v1/labels", "Authorization", "Bearer "+token); w.Code != http.StatusOK {
		t.Errorf("with the token: %d %s", w.Code, w.Body)
	}
}
