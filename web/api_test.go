package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sandbar/host/deploy"
	"sandbar/host/runner"
	"sandbar/host/series"
	"sandbar/plugins"
	"sandbar/sandbox"
)

// decode reads an answer's JSON.
func decode[T any](t *testing.T, body []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return v
}

// submit is a submission as JSON, with members changed.
func submit(change map[string]any) string {
	in := map[string]any{"kind": "analysis", "name": "new", "config": "message_matcher = 'TRUE'", "source": "function process_message() return 0 end"}
	for k, v := range change {
		in[k] = v
		if v == nil {
			delete(in, k)
		}
	}
	b, _ := json.Marshal(in)
	return string(b)
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("-", plugins.MaxSource("x.lua"))
	for _, tt := range []struct {
		name, method, path, body string
		code                     int
		want                     string // in the answer
	}{
		{"overview", "GET", "/api/v1/overview", "", 200, `"answers":{"200":12,"404":1}`},
		{"list", "GET", "/api/v1/plugins", "", 200, `"instruction_limit":1000000`},
		{"a parameter that is misspelt", "GET", "/api/v1/errors?namespac=shop", "", 400, `no parameter \"namespac\" here; it takes `},
		{"a parameter where none is", "GET", "/api/v1/plugins?kind=analysis", "", 400, `it takes none`},
		{"a parameter of another method", "POST", "/api/v1/routes/x/test?n=1", "{}", 400, `it takes none`},
		{"get, full name", "GET", "/api/v1/plugins/analysis.rate", "", 200, `"name":"analysis.rate"`},
		{"get, short name", "GET", "/api/v1/plugins/rate", "", 200, `"name":"analysis.rate"`},
		{"get, short name with a dot", "GET", "/api/v1/plugins/moz.ingest", "", 200, `"name":"decoder.moz.ingest"`},
		{"get, oddly escaped", "GET", "/api/v1/plugins/analysis%2Erate", "", 200, `"name":"analysis.rate"`},
		{"get, ambiguous", "GET", "/api/v1/plugins/twin", "", 409, "analysis.twin, output.twin"},
		{"get, none", "GET", "/api/v1/plugins/nope", "", 404, "no plugin nope"},
		{"get, not its kind", "GET", "/api/v1/plugins/output.rate", "", 404, "no plugin"},
		{"stop", "POST", "/api/v1/plugins/rate/stop", "", 200, `"state":"stopped"`},
		{"stop, none", "POST", "/api/v1/plugins/nope/stop", "", 404, "no plugin"},
		{"start", "POST", "/api/v1/plugins/rate/start", "", 200, `"state":"running"`},
		{"remove", "DELETE", "/api/v1/plugins/rate", "", 204, ""},
		{"remove, ambiguous", "DELETE", "/api/v1/plugins/twin", "", 409, "use the full one"},
		{"logs", "GET", "/api/v1/plugins/rate/logs", "", 200, `"text":`},
		{"logs, none wanted", "GET", "/api/v1/plugins/rate/logs?n=0", "", 200, "[]"},
		{"logs, later than there are", "GET", "/api/v1/plugins/rate/logs?since=2024-05-01T12:00:00Z", "", 200, "[]"},
		{"logs, a little earlier", "GET", "/api/v1/plugins/rate/logs?since=2024-05-01T11:59:59.999Z", "", 200, `"text":`},
		{"logs, bad since", "GET", "/api/v1/plugins/rate/logs?since=x", "", 400, "since"},
		{"logs, none yet", "GET", "/api/v1/plugins/output.twin/logs", "", 200, "[]"},
		{"series", "GET", "/api/v1/series", "", 200, `"logger":"analysis.other"`},
		{"its series", "GET", "/api/v1/plugins/rate/series", "", 200, `"values":[[1.5],[null]]`},
		{"its series, bad since", "GET", "/api/v1/plugins/rate/series?since=x", "", 400, "since"},
		{"alerts", "GET", "/api/v1/alerts", "", 200, `"total":2`},
		{"alerts, of a plugin", "GET", "/api/v1/alerts?logger=analysis.rate", "", 200, `"total":1`},
		{"alerts, newer", "GET", "/api/v1/alerts?newer=2", "", 200, `"alerts":[]`},
		{"alerts, none wanted", "GET", "/api/v1/alerts?n=0", "", 400, "from 1 to 1000"},
		{"alerts, too many wanted", "GET", "/api/v1/alerts?n=1001", "", 400, "from 1 to 1000"},
		{"alerts, negative", "GET", "/api/v1/alerts?n=-1", "", 400, "whole number"},
		{"errors", "GET", "/api/v1/errors", "", 200, `"duplicates":7`},
		{"errors, of a type", "GET", "/api/v1/errors?type=uri&n=1", "", 200, `"position":"0:9"`},
		{"errors, of no type", "GET", "/api/v1/errors?type=none", "", 200, `"errors":[]`},
		{"nowhere", "GET", "/api/v1/nowhere", "", 404, `"error":"not found"`},
		{"wrong method", "PUT", "/api/v1/plugins", "", 405, `"error":"method not allowed"`},

		{"deploy", "POST", "/api/v1/plugins", submit(nil), 201, `"name":"analysis.new"`},
		{"deploy, taken", "POST", "/api/v1/plugins", submit(map[string]any{"name": "rate"}), 409, `"field":"name"`},
		{"deploy, replace", "POST", "/api/v1/plugins", submit(map[string]any{"name": "rate", "replace": true}), 201, `"name":"analysis.rate"`},
		{"deploy, kind", "POST", "/api/v1/plugins", submit(map[string]any{"kind": "input"}), 422, `"field":"kind"`},
		{"deploy, no kind", "POST", "/api/v1/plugins", submit(map[string]any{"kind": nil}), 422, `"field":"kind"`},
		{"deploy, name", "POST", "/api/v1/plugins", submit(map[string]any{"name": "../x"}), 422, `"field":"name"`},
		{"deploy, config", "POST", "/api/v1/plugins", submit(map[string]any{"config": ""}), 422, `"error":"there is no matcher","line":3,"field":"config","outcome":"load_error"`},
		{"deploy, no source", "POST", "/api/v1/plugins", submit(map[string]any{"source": " \n"}), 422, `"field":"source"`},
		{"deploy, largest source", "POST", "/api/v1/plugins", submit(map[string]any{"source": large}), 201, ""},
		{"deploy, larger source", "POST", "/api/v1/plugins", submit(map[string]any{"source": large + "-"}), 422, `"field":"source"`},
		{"deploy, larger config", "POST", "/api/v1/plugins", submit(map[string]any{"config": large}), 422, `"field":"config"`},
		{"deploy, larger body", "POST", "/api/v1/plugins", submit(map[string]any{"source": strings.Repeat("-", maxBody)}), 413, "larger than"},
		{"deploy, unknown member", "POST", "/api/v1/plugins", submit(map[string]any{"owner": "me"}), 400, "owner"},
		{"deploy, wrong type", "POST", "/api/v1/plugins", submit(map[string]any{"replace": "yes"}), 400, "replace"},
		{"deploy, two values", "POST", "/api/v1/plugins", submit(nil) + "{}", 400, "more than one"},
		{"deploy, torn", "POST", "/api/v1/plugins", submit(nil)[:20], 400, "JSON"},
		{"deploy, not UTF-8", "POST", "/api/v1/plugins", "{\"kind\":\"\xff\"}", 400, "UTF-8"},
		{"deploy, no JSON", "POST", "/api/v1/plugins", "kind=analysis", 415, "application/json"},
		{"check", "POST", "/api/v1/check", submit(nil), 200, `"ok":true,"warning":"config line 1: Hindsight`},
		{"check, broken", "POST", "/api/v1/check", submit(map[string]any{"source": "broken"}), 422, `"error":"'=' expected","line":2,"field":"source"`},
		{"check, config", "POST", "/api/v1/check", submit(map[string]any{"config": "x"}), 422, `"field":"config"`},
	} {
		h := newHost(t, nil)
		w := h.do(request(tt.method, tt.path, tt.body))
		got := strings.NewReplacer(`\u0027`, `'`).Replace(w.Body.String())
		if w.Code != tt.code || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %d %.300s\nwant %d with %s", tt.name, w.Code, got, tt.code, tt.want)
		}
		if w.Code != 204 && w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: Content-Type %q", tt.name, w.Header().Get("Content-Type"))
		}
	}
}

func TestDeployedAsSent(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	const source = "-- <b> & 'ü' \u2028\x00\n"
	h.do(request(http.MethodPost, "/api/v1/plugins", submit(map[string]any{"source": source})))
	if got := h.plugins.all["analysis.new"].Source; string(got) != source {
		t.Errorf("the source arrives as %q", got)
	}
	got := decode[struct{ Source string }](t, h.get("/api/v1/plugins/new").Body.Bytes())
	if got.Source != source {
		t.Errorf("the source is shown as %q", got.Source)
	}
	if w := h.do(request(http.MethodDelete, "/api/v1/plugins/new", "")); w.Code != 204 || len(h.plugins.all) != 4 {
		t.Errorf("removal answers %d and leaves %d plugins", w.Code, len(h.plugins.all))
	}
}

// TestCommandLine holds the answers to what the command line reads them into.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	list := decode[[]runner.Status](t, h.get("/api/v1/plugins").Body.Bytes())
	if len(list) != 4 || list[0].Name != "analysis.rate" || list[0].Stats.Matched != 5 || list[0].Kind != sandbox.Analysis {
		t.Errorf("the list is %+v", list)
	}
	lines := decode[[]runner.LogLine](t, h.get("/api/v1/plugins/rate/logs").Body.Bytes())
	if len(lines) != 1 || lines[0].Text != hostile {
		t.Errorf("the lines are %+v", lines)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		code int
		want fault
	}{
		{&sandbox.Error{Plugin: "analysis.new", Outcome: sandbox.LoadError, Line: 4, Text: "no"}, 422, fault{Text: "no", Line: 4, Field: "source", Outcome: "load_error"}},
		{&sandbox.Error{Outcome: sandbox.LoadError, Text: "message_matcher: a string is missing"}, 422, fault{Text: "message_matcher: a string is missing", Field: "config", Outcome: "load_error"}},
		{fmt.Errorf("deploy: %w", deploy.ErrNotFound), 404, fault{Text: "there is no such plugin"}},
		{errHost, 500, fault{Text: "the host could not do this; its log says why"}},
		{errors.Join(errHost), 500, fault{Text: "the host could not do this; its log says why"}},
	} {
		h := newHost(t, nil)
		h.plugins.failing = tt.err
		for _, r := range []*http.Request{request("POST", "/api/v1/plugins/rate/start", ""), request("POST", "/api/v1/plugins/rate/start", "")} {
			w := h.do(r)
			if got := decode[fault](t, w.Body.Bytes()); w.Code != tt.code || got != tt.want {
				t.Errorf("%v is told as %d %s", tt.err, w.Code, w.Body)
			}
		}
		if logged := strings.Contains(h.log.String(), "disk on fire"); logged != (tt.code == 500) {
			t.Errorf("%v: log %q", tt.err, h.log)
		}
	}
	h := newHost(t, nil)
	h.plugins.listing = errHost
	for _, path := range []string{"/api/v1/overview", "/api/v1/plugins", "/api/v1/plugins/rate", "/plugins/rate"} {
		if w := h.get(path); w.Code != 500 || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestPanicIsAnswered(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.series.graphs = nil
	h.Site.opt.Series = nil // the next who asks it panics
	w := h.get("/api/v1/series")
	if w.Code != 500 || strings.Contains(w.Body.String(), "nil") || !strings.Contains(h.log.String(), "panic") || !strings.Contains(h.log.String(), "views.go") {
		t.Errorf("answer %d %s, log %s", w.Code, w.Body, h.log)
	}
}

type shownSeries struct {
	Version uint64
	Series  []struct {
		Type    string
		Text    string
		LeftOut bool `json:"left_out"`
	}
	Marks []struct{ ID string }
}

func TestPluginSeries(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	for query, want := range map[string]string{"": "cbuf txt", "?since=3": "txt", "?since=5": "", "?payload=": "txt", "?payload=a%2Fb": "cbuf", "?payload=a%2Fb&type=txt": "", "?type=txt": "txt"} {
		got := decode[shownSeries](t, h.get("/api/v1/plugins/rate/series"+query).Body.Bytes())
		var types []string
		for _, s := range got.Series {
			types = append(types, s.Type)
		}
		if strings.Join(types, " ") != want || len(got.Marks) != 1 || got.Marks[0].ID != "b" {
			t.Errorf("series%s: %+v, want %s", query, got, want)
		}
	}
	h.series.graphs = nil
	for i := range 5 {
		h.series.graphs = append(h.series.graphs, series.Graph{Info: series.Info{Logger: "analysis.rate", Name: fmt.Sprint(i), Type: "txt", Bytes: maxSeries/2 - 1, Version: 1}, Text: "t"})
	}
	got := decode[shownSeries](t, h.get("/api/v1/plugins/rate/series").Body.Bytes())
	var left []bool
	for _, s := range got.Series {
		left = append(left, s.LeftOut)
	}
	if diff := cmp.Diff([]bool{false, false, true, true, true}, left); diff != "" {
		t.Errorf("left out of a large answer: %s", diff)
	}
}

// TestHostileText holds that what plugins and submitters write reaches a browser as JSON only, and what stands
// in an address reaches a page escaped.
func TestHostileText(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	for _, path := range []string{"/api/v1/find", "/api/v1/plugins/rate", "/api/v1/plugins/rate/logs", "/api/v1/plugins/rate/series", "/api/v1/alerts", "/api/v1/errors/0:0"} {
		w := h.get(path)
		if w.Code != 200 || !strings.Contains(w.Body.String(), `\u003cscript\u003e`) || strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	const escaped = "%3Cscript%3Ealert(1)%3C%2Fscript%3E%22"
	for _, path := range []string{"/", "/alerts", "/errors", "/plugins/analysis.rate", "/plugins/" + escaped, "/deploy?plugin=" + escaped, "/login?next=/" + escaped} {
		w := newHost(t, nil).get(path)
		if strings.Contains(w.Body.String(), "<script>") || strings.Contains(w.Body.String(), `>"`) {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
	w := newHost(t, withToken).get("/login?next=/" + escaped)
	if w.Code != 200 || strings.Contains(w.Body.String(), "<script>") {
		t.Errorf("login: %d %s", w.Code, w.Body)
	}
}

func TestModuleAsSent(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	binary := []byte("\x00asm\x01\x00\x00\x00\x05\x03\x01\x00\x01\x07\x0a\x01\x06memory\x02\x00")
	broken := append([]byte(nil), binary[:len(binary)-4]...)
	sent := map[string]any{"config": "message_matcher = 'TRUE' filename = 'x.wasm'", "source": nil, "source_base64": binary}
	if w := h.do(request(http.MethodPost, "/api/v1/plugins", submit(sent))); w.Code != 201 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got := h.plugins.all["analysis.new"].Source; !bytes.Equal(got, binary) {
		t.Errorf("the module arrives as %q", got)
	}
	if got := decode[struct{ Module int }](t, h.get("/api/v1/plugins/new").Body.Bytes()); got.Module != len(binary) {
		t.Errorf("the module is shown with %d bytes", got.Module)
	}
	if got := decode[module](t, h.get("/api/v1/plugins/new/module").Body.Bytes()); got.Size != len(binary) || len(got.SHA256) != 64 || got.Memory != 1<<16 || len(got.Exports) != 1 {
		t.Errorf("the module is shown as %+v", got)
	}
	if got := decode[struct{ Module module }](t, h.do(request(http.MethodPost, "/api/v1/check", submit(sent))).Body.Bytes()); got.Module.Exports[0] != "memory" {
		t.Errorf("a module that is checked is shown as %+v", got.Module)
	}
	if w := h.get("/api/v1/plugins/rate/module"); w.Code != 404 {
		t.Errorf("the module of Lua: %d", w.Code)
	}
	w := h.get("/api/v1/plugins/new/source")
	if !bytes.Equal(w.Body.Bytes(), binary) || w.Header().Get("Content-Type") != "application/wasm" || !strings.Contains(w.Header().Get("Content-Disposition"), "analysis.new.wasm") {
		t.Errorf("the module is sent as %q, %v", w.Body, w.Header())
	}
	if w := h.get("/api/v1/plugins/rate/source"); w.Body.String() != hostile {
		t.Errorf("the source of Lua is sent as %q", w.Body)
	}
	for why, body := range map[string]string{
		"there are both":    submit(map[string]any{"source_base64": binary}),
		"is not UTF-8":      submit(map[string]any{"source": nil, "source_base64": []byte("\xff")}),
		"may have 256 KiB":  submit(map[string]any{"source": strings.Repeat("-", 256<<10+1)}),
		"byte 13":           submit(map[string]any{"config": "message_matcher filename='x.wasm'", "source": nil, "source_base64": broken}),
		"may have 10240 Ki": submit(map[string]any{"config": "message_matcher filename='x.wasm'", "source": nil, "source_base64": make([]byte, 10<<20+1)}),
	} {
		if w := h.do(request(http.MethodPost, "/api/v1/check", body)); w.Code != 422 || !strings.Contains(w.Body.String(), why) {
			t.Errorf("%s: %d %.200s", why, w.Code, w.Body)
		}
	}
}
