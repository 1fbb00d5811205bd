package web

import (
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"sandbar/docs"
)

// TestHelp: every page of the documentation is shown, and every link between them leads somewhere.
func TestHelp(t *testing.T) {
	t.Parallel()
	site, err := New(newHost(t, nil).opt)
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, nil)
	h.Site = site
	links := regexp.MustCompile(`href="(/help/[^"#]*)`)
	pages := 0
	err = fs.WalkDir(docs.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if strings.HasSuffix(name, ".webp") {
			if w := h.get("/help/" + name); w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/webp" {
				t.Errorf("%s: %d %s", name, w.Code, w.Header().Get("Content-Type"))
			}
			return nil
		}
		pages++
		w := h.get("/help/" + strings.TrimSuffix(name, ".md"))
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "<h1") {
			t.Errorf("%s: %d %.200s", name, w.Code, w.Body)
		}
		for _, link := range links.FindAllStringSubmatch(w.Body.String(), -1) {
			if w := h.get(link[1]); w.Code != http.StatusOK {
				t.Errorf("%s links to %s: %d", name, link[1], w.Code)
			}
		}
		return nil
	})
	if err != nil || pages < 10 {
		t.Errorf("%d pages, %v", pages, err)
	}
	for _, name := range []string{"none", "../openapi", "%2e%2e/x", "format", "docs.go"} {
		if w := h.get("/help/" + name); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if w := h.get("/help/plugin-api"); !strings.Contains(w.Body.String(), "<title>What a Lua plugin can do") || !strings.Contains(w.Body.String(), `href="/help/wasm"`) || !strings.Contains(w.Body.String(), "<table>") {
		t.Errorf("%.600s", w.Body)
	}
}
