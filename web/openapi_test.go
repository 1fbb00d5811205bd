package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

// apiDoc is openapi.yaml as JSON values, and what has been made of it.
type apiDoc struct {
	paths map[string]any
	match map[string]*regexp.Regexp // by path

	mu       sync.Mutex
	compiler *jsonschema.Compiler
}

var readDoc = sync.OnceValues(func() (*apiDoc, error) {
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	var y any
	if err := yaml.Unmarshal(text, &y); err != nil {
		return nil, err
	}
	b, err := json.Marshal(y)
	if err != nil {
		return nil, err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	whole := v.(map[string]any)
	shut(whole)
	doc := &apiDoc{paths: whole["paths"].(map[string]any), match: map[string]*regexp.Regexp{}, compiler: jsonschema.NewCompiler()}
	for path := range doc.paths {
		doc.match[path] = regexp.MustCompile("^" + regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(regexp.QuoteMeta(path), "[^/]+") + "$")
	}
	doc.compiler.DefaultDraft(jsonschema.Draft2020)
	return doc, doc.compiler.AddResource("api.json", whole)
})

func TestRoutesAreDocumented(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	var have, written []string
	params := regexp.MustCompile(`:(\w+)`)
	for _, r := range h.echo.Routes() {
		if r.Method == http.MethodHead { // as GET
			continue
		}
		have = append(have, r.Method+" "+strings.Replace(params.ReplaceAllString(r.Path, "{$1}"), "*", "{page}", 1))
	}
	doc, err := readDoc()
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.paths {
		for method := range item.(map[string]any) {
			if method != "parameters" {
				written = append(written, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(have)
	slices.Sort(written)
	if len(have) < 20 || !slices.Equal(have, written) {
		t.Errorf("routes are\n%s\nopenapi.yaml has\n%s", strings.Join(have, "\n"), strings.Join(written, "\n"))
	}
}

// checkDocumented fails when openapi.yaml does not have an answer, by its status and its JSON.
func checkDocumented(t *testing.T, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	doc, err := readDoc()
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.paths {
		op, ok := item.(map[string]any)[strings.ToLower(r.Method)].(map[string]any)
		if !ok || !doc.match[path].MatchString(r.URL.Path) {
			continue
		}
		code := strconv.Itoa(w.Code)
		res, ok := op["responses"].(map[string]any)[code].(map[string]any)
		switch {
		case !ok && w.Code == http.StatusNotModified && r.Method == http.MethodGet: // its info says so of all
		case !ok && slices.Contains([]int{403, 429, 500}, w.Code):
			doc.check(t, "/components/schemas/Fault", w)
		case !ok:
			t.Errorf("%s %s answers %s, which openapi.yaml does not have", r.Method, path, code)
		case strings.HasPrefix(w.Header().Get("Content-Type"), "application/json"):
			at := "/paths/" + strings.ReplaceAll(path, "/", "~1") + "/" + strings.ToLower(r.Method) + "/responses/" + code
			if ref, _ := res["$ref"].(string); ref != "" {
				at = strings.TrimPrefix(ref, "#")
			}
			doc.check(t, at+"/content/application~1json/schema", w)
		}
		return
	}
}

func (d *apiDoc) check(t *testing.T, at string, w *httptest.ResponseRecorder) {
	t.Helper()
	d.mu.Lock()
	schema, err := d.compiler.Compile("api.json#" + at) // it keeps what it has compiled
	d.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	body := w.Body.Bytes()
	if w.Header().Get("Content-Encoding") == "gzip" {
		body = unzip(t, body)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err == nil {
		err = schema.Validate(v)
	}
	if err != nil {
		t.Errorf("an answer is not as openapi.yaml has it: %v\n%s", err, w.Body)
	}
}

// shut refuses members that openapi.yaml does not name, but in schemas that others extend.
func shut(doc map[string]any) {
	all := doc["components"].(map[string]any)["schemas"].(map[string]any)
	extended := map[string]bool{}
	for _, s := range all {
		parts, _ := s.(map[string]any)["allOf"].([]any)
		for _, p := range parts {
			ref, _ := p.(map[string]any)["$ref"].(string)
			extended[strings.TrimPrefix(ref, "#/components/schemas/")] = true
		}
	}
	for name, s := range all {
		if !extended[name] {
			s.(map[string]any)["unevaluatedProperties"] = false
		}
	}
}

// TestEveryRoute calls every route, with what is there and with what is not, and holds each answer to openapi.yaml.
func TestEveryRoute(t *testing.T) {
	t.Parallel()
	values := map[string][]string{":name": {"analysis.rate", "none"}, ":version": {"1", "x"}, ":id": {"1", "none"}, ":key": {"k2", "none"}, ":position": {"0:0", "9:9", "x"}, ":stream": {"valid", "none"},
		":call": {"0", "x"}, ":namespace": {"telemetry"}, ":type": {"main"}, ":label": {"plugin"}, ":file": {"app.js", "none"}, "*": {"try", "none"}}
	calls := 0
	for _, r := range newHost(t, nil).routes() {
		if slices.Contains(live(), r.path) {
			continue // they go on; TestEvents and TestMessages listen to them
		}
		paths := []string{r.path}
		for param, with := range values {
			var more []string
			for _, p := range paths {
				if !strings.Contains(p+"/", param+"/") {
					more = append(more, p)
					continue
				}
				for _, v := range with {
					more = append(more, strings.TrimSuffix(strings.Replace(p+"/", param+"/", v+"/", 1), "/"))
				}
			}
			paths = more
		}
		for _, p := range paths {
			if p == "" {
				p = "/"
			}
			h := newHost(t, nil) // what a route changes is not there for the next
			body := ""
			if r.method != http.MethodGet {
				body = "{}"
			}
			w := h.do(request(r.method, p, body))
			calls++
			if w.Code == http.StatusNotFound && strings.Contains(w.Body.String(), `"not found"`) {
				t.Errorf("%s %s: no route took it", r.method, p)
			}
			if w.Code == http.StatusInternalServerError {
				t.Errorf("%s %s: %s", r.method, p, w.Body)
			}
		}
	}
	if calls < 100 {
		t.Errorf("only %d calls", calls)
	}
}
