package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
)

func unzip(t *testing.T, b []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCompressed: answers and files go out compressed to who takes that, and not at all when they are known.
func TestCompressed(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	site, err := New(h.opt) // with the real files
	if err != nil {
		t.Fatal(err)
	}
	h.Site = site
	for _, path := range []string{"/assets/app.js", "/assets/app.css", "/api/v1/plugins", "/"} {
		plain, zipped := h.get(path), h.get(path, "Accept-Encoding", "gzip, deflate, br")
		if plain.Header().Get("Content-Encoding") != "" || zipped.Header().Get("Content-Encoding") != "gzip" || zipped.Body.Len() >= plain.Body.Len() {
			t.Errorf("%s: %d bytes plain, %d %q", path, plain.Body.Len(), zipped.Body.Len(), zipped.Header().Get("Content-Encoding"))
			continue
		}
		if !bytes.Equal(unzip(t, zipped.Body.Bytes()), plain.Body.Bytes()) {
			t.Errorf("%s is another when it is compressed", path)
		}
	}
	for _, encoding := range []string{"", "gzip"} {
		first := h.get("/api/v1/plugins", "Accept-Encoding", encoding)
		tag := first.Header().Get("ETag")
		if again := h.do(request(http.MethodGet, "/api/v1/plugins", "", "Accept-Encoding", encoding, "If-None-Match", tag)); tag == "" || again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("with %q: %q, then %d", encoding, tag, again.Code)
		}
	}
}

// TestWeight: what a page loads has at most 200 kB compressed, without the editor.
func TestWeight(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	site, err := New(h.opt) // with the real files
	if err != nil {
		t.Fatal(err)
	}
	h.Site = site
	sum := 0
	for _, path := range []string{"/", "/assets/app.js", "/assets/app.css", "/assets/theme.js", "/assets/favicon.svg"} {
		w := h.get(path, "Accept-Encoding", "gzip")
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d", path, w.Code)
		}
		sum += w.Body.Len()
	}
	t.Logf("%d bytes", sum)
	if sum > 200_000 {
		t.Errorf("%d bytes", sum)
	}
}

// TestMissing: who looks for a page that is not there gets a page, and a program JSON.
func TestMissing(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	w := h.get("/nothing", "Accept", "text/html,application/xhtml+xml")
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), `<main id="missing"`) || !strings.Contains(w.Body.String(), "not found") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, path := range []string{"/nothing", "/api/v1/nothing"} {
		accept := "*/*"
		if strings.HasPrefix(path, "/api") {
			accept = "text/html"
		}
		if w := h.get(path, "Accept", accept); w.Code != http.StatusNotFound || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", path, w.Code, w.Header().Get("Content-Type"))
		}
	}
	if p := w.Header().Get("Permissions-Policy"); !strings.Contains(p, "camera=()") {
		t.Errorf("permissions %q", p)
	}
}

// TestHead: HEAD is answered as GET is.
func TestHead(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	for _, path := range []string{"/", "/api/v1/plugins", "/api/v1/plugins/analysis.rate", "/assets/app.js", "/openapi.yaml"} {
		if w := h.do(request(http.MethodHead, path, "")); w.Code != http.StatusOK {
			t.Errorf("HEAD %s: %d", path, w.Code)
		}
	}
	if w := h.do(request(http.MethodHead, "/api/v1/plugins/none", "")); w.Code != http.StatusNotFound {
		t.Errorf("of none: %d", w.Code)
	}
}
