package web

import (
	"net/http"
	"strings"
	"testing"
)

// TestHistory: versions, who asks, and for which version.
func TestHistory(t *testing.T) {
	t.Parallel()
	const post = http.MethodPost
	for _, tt := range []struct {
		name, method, path, body, as, match string
		code                                int
		want                                string
	}{
		{"versions", "GET", "/api/v1/plugins/rate/versions", "", "", "", 200, `[{"version":2,`},
		{"versions of a removed one", "GET", "/api/v1/plugins/analysis.gone/versions", "", "", "", 200, `"warning":"careful"`},
		{"versions of none", "GET", "/api/v1/plugins/never/versions", "", "", "", 404, "never"},
		{"a version", "GET", "/api/v1/plugins/rate/versions/2", "", "", "", 200, `"source":"source"`},
		{"a module", "GET", "/api/v1/plugins/rate/versions/1", "", "", "", 200, `"source_base64":"AP8="`},
		{"no version", "GET", "/api/v1/plugins/rate/versions/9", "", "", "", 404, "no such version"},
		{"no number", "GET", "/api/v1/plugins/rate/versions/x", "", "", "", 404, `version \"x\"`},
		{"back", post, "/api/v1/plugins/rate/rollback", `{"version":2,"note":"n"}`, "ann", `"3"`, 200, `"name":"analysis.rate"`},
		{"restore", post, "/api/v1/plugins/analysis.gone/rollback", `{"version":2}`, "", "", 200, `"name":"analysis.gone"`},
		{"back, no state", post, "/api/v1/plugins/rate/rollback", `{"version":2,"with_state":true}`, "", "", 409, `"field":"with_state"`},
		{"back, changed", post, "/api/v1/plugins/rate/rollback", `{"version":2}`, "", `"7"`, 409, "meanwhile"},
		{"back, no such", post, "/api/v1/plugins/rate/rollback", `{"version":9}`, "", "", 404, "no such version"},
		{"back, odd", post, "/api/v1/plugins/rate/rollback", `{"to":9}`, "", "", 400, "to"},
		{"odd If-Match", post, "/api/v1/plugins", submit(nil), "", `3`, 400, "If-Match"},
		{"odd name", post, "/api/v1/plugins", submit(nil), "a\x01b", "", 400, "Sandbar-As"},
		{"long name", post, "/api/v1/plugins/rate/stop", "", strings.Repeat("x", 65), "", 400, "Sandbar-As"},
		{"long note", post, "/api/v1/plugins", submit(map[string]any{"note": strings.Repeat("x", 1001)}), "", "", 422, `"field":"note"`},
		{"diff", post, "/api/v1/plugins/rate/diff", `{"from":1,"to":2}`, "", "", 200, `{"from":1,"to":2,"config":"--- version 1\n+++ version 2\n@@ -1 +1 @@\n-message_matcher = 'c1' -- .wasm`},
		{"diff of a module", post, "/api/v1/plugins/rate/diff", `{"from":1,"to":2}`, "", "", 200, `"source":"the sources are different: 2 and 6 bytes\n"`},
		{"diff of a text", post, "/api/v1/plugins/rate/diff", `{"config":"message_matcher = 'c2'","source":"sourcery"}`, "", "", 200, `{"from":2,"config":"","source":"--- version 2\n+++ as written\n`},
		{"diff of none", post, "/api/v1/plugins/rate/diff", `{"from":7}`, "", "", 404, "no such version"},
		{"diff of what was removed", post, "/api/v1/plugins/analysis.gone/diff", `{"from":1,"to":2}`, "", "", 200, `"to":2`},
		{"odd audit", "GET", "/api/v1/audit?n=0", "", "", "", 400, "n is"},
	} {
		h := newHost(t, nil)
		r := request(tt.method, tt.path, tt.body)
		if tt.as != "" {
			r.Header.Set("Sandbar-As", tt.as)
		}
		if tt.match != "" {
			r.Header.Set("If-Match", tt.match)
		}
		if w := h.do(r); w.Code != tt.code || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s: %d %.300s\nwant %d with %s", tt.name, w.Code, w.Body, tt.code, tt.want)
		}
	}
	h := newHost(t, nil)
	r := request(post, "/api/v1/plugins/rate/stop", "")
	r.Header.Set("Sandbar-As", "ann")
	r.RemoteAddr = "10.0.0.7:1234"
	h.do(r)
	h.do(request(post, "/api/v1/plugins/rate/start", ""))
	got := h.get("/api/v1/audit?plugin=analysis.rate&older=2").Body.String()
	if !strings.Contains(got, `"actor":"ann (10.0.0.7)","what":"stop"`) || strings.Contains(got, `"start"`) {
		t.Errorf("audit: %s", got)
	}
	if tag := h.get("/api/v1/plugins/rate").Header().Get("ETag"); tag != `"0"` {
		t.Errorf("ETag %s", tag)
	}
}
