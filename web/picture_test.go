package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestPicture(t *testing.T) {
	t.Parallel()
	h := newHost(t, withToken)
	link := func(payload string) string {
		var answer struct{ Path string }
		w := h.get("/api/v1/plugins/rate/picture?payload="+url.QueryEscape(payload), "Authorization", "Bearer "+token)
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return answer.Path
	}
	w := h.get(link("a/b") + "&last=600&width=400&height=200")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/svg+xml; charset=utf-8" || w.Header().Get("Cross-Origin-Resource-Policy") != "cross-origin" || !strings.Contains(w.Body.String(), `width="400" height="200"`) || !strings.Contains(w.Body.String(), "<path") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := h.get(link("none")); w.Code != 200 || !strings.Contains(w.Body.String(), "no values") {
		t.Errorf("of nothing: %d %s", w.Code, w.Body)
	}
	for _, q := range []string{"&last=1", "&width=9999", "&height=1"} {
		if w := h.get(link("a/b") + q); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", q, w.Code)
		}
	}
	for _, path := range []string{strings.Replace(link("a/b"), "rate", "twin", 1), strings.Replace(link("a/b"), "a%2Fb", "other", 1), "/pictures/analysis.rate?payload=a%2Fb"} {
		if w := h.get(path); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := h.get("/pictures/none?sign=x"); w.Code != http.StatusNotFound {
		t.Errorf("of no plugin: %d", w.Code)
	}
	if w := h.get("/api/v1/plugins/rate/picture?payload=x"); w.Code != http.StatusUnauthorized {
		t.Errorf("a link without a token: %d", w.Code)
	}
}
