package web

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"sandbar/host/stream"
)

func TestPages(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	for _, tt := range []struct {
		path string
		code int
		want string
	}{
		{"/", 200, `<main id="overview"`},
		{"/plugins/analysis.rate", 200, `<main id="plugin" data-name="analysis.rate"`},
		{"/plugins/rate", 200, `data-name="analysis.rate"`},
		{"/plugins/nope", 404, `data-name="nope"`},
		{"/plugins/twin", 409, `data-name="twin"`},
		{"/deploy", 200, `<main id="submit" data-name=""`},
		{"/deploy?plugin=analysis.rate", 200, `data-name="analysis.rate"`},
		{"/alerts", 200, `<main id="alerts"`},
		{"/errors", 200, `<main id="errors"`},
		{"/messages", 200, `<main id="messages"`},
		{"/schemas", 200, `<main id="schemas"`},
		{"/login", 303, ""},
	} {
		w := h.get(tt.path)
		if w.Code != tt.code || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s: %d %s", tt.path, w.Code, w.Body)
		}
		if typ := w.Header().Get("Content-Type"); tt.want != "" && typ != "text/html; charset=UTF-8" {
			t.Errorf("%s: Content-Type %q", tt.path, typ)
		}
	}
	locked := newHost(t, withToken)
	w := locked.do(request(http.MethodPost, "/login", "token=wrong&next=/alerts"))
	if w.Code != 401 || !strings.Contains(w.Body.String(), "not the token") || !strings.Contains(w.Body.String(), `data-next="/alerts"`) {
		t.Errorf("a wrong login: %d %s", w.Code, w.Body)
	}
	if w := locked.do(request(http.MethodPost, "/login", "token="+strings.Repeat("x", maxLogin))); w.Code != 413 {
		t.Errorf("a large login: %d", w.Code)
	}
	if w := locked.do(request(http.MethodPost, "/login", "token=%zz")); w.Code != 400 {
		t.Errorf("a malformed login: %d", w.Code)
	}
}

// TestEmbeddedPages holds the real templates to what they are given, with a token and without.
func TestEmbeddedPages(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"", token} {
		h := newHost(t, func(o *Options) { o.Token = secret })
		site, err := New(h.opt)
		if err != nil {
			t.Fatal(err)
		}
		h.Site = site
		for _, path := range []string{"/", "/plugins/analysis.rate", "/deploy", "/deploy?plugin=analysis.rate", "/alerts", "/errors"} {
			w := h.get(path, "Authorization", "Bearer "+secret)
			if w.Code != 200 {
				t.Errorf("%s: %d %s %s", path, w.Code, w.Body, h.log)
			}
			for _, inline := range []string{"<style", " style=", " onclick=", "javascript:"} {
				if strings.Contains(w.Body.String(), inline) {
					t.Errorf("%s has %q, which the content policy refuses", path, inline)
				}
			}
		}
		if w := h.get("/login"); secret != "" && w.Code != 200 {
			t.Errorf("login: %d %s", w.Code, h.log)
		}
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	w := h.get("/assets/app.js")
	tag := w.Header().Get("ETag")
	if w.Code != 200 || w.Body.String() != `"use strict";` || w.Header().Get("Content-Type") != "text/javascript; charset=utf-8" || w.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := h.get("/assets/app.js", "If-None-Match", tag); w.Code != 304 || w.Body.Len() != 0 {
		t.Errorf("known: %d", w.Code)
	}
	if w := h.get("/assets/app.js", "If-None-Match", `"other"`); w.Code != 200 {
		t.Errorf("changed: %d", w.Code)
	}
	url := strings.Split(strings.Split(h.get("/").Body.String(), `src="`)[1], `"`)[0]
	if w := h.get(url); w.Code != 200 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("%s: %d %v", url, w.Code, w.Header())
	}
	for _, path := range []string{"/assets/nope.js", "/assets/..%2ftemplates%2flayout.html", "/assets/%2e%2e/web.go", "/assets/"} {
		if w := h.get(path); w.Code != 404 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestNewSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	good := newHost(t, nil).opt
	for want, change := range map[string]func(*Options){
		"Series": func(o *Options) { o.Series = nil },
		"Parse":  func(o *Options) { o.Parse = nil },
		"Listen": func(o *Options) { o.Listen = "" },
		stream.Derived: func(o *Options) {
			o.Streams = map[string]Log{stream.Raw: o.Streams[stream.Raw], stream.Valid: o.Streams[stream.Valid], stream.Errors: o.Streams[stream.Errors]}
		},
	} {
		o := good
		change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without %s: %v", want, err)
		}
	}
	files := testFiles().(fstest.MapFS)
	delete(files, "templates/alerts.html")
	if _, err := newSite(good, files); err == nil || !strings.Contains(err.Error(), "alerts") {
		t.Errorf("without a page: %v", err)
	}
}

func TestRates(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	if m, b := h.pulse.rates(stream.Raw); m != 0 || b != 0 {
		t.Errorf("at the start: %v %v", m, b)
	}
	for i := range 30 { // 20 a second at first, then 2
		n := int64(20)
		if i >= 15 {
			n = 2
		}
		h.raw.mu.Lock()
		h.raw.stats.Messages += n
		h.raw.stats.Bytes += n * 100
		h.raw.mu.Unlock()
		h.clock.pass(time.Second)
		h.pulse.look(t.Context())
		if m, _ := h.pulse.rates(stream.Raw); i < 15 && m != 20 {
			t.Fatalf("after %d s: %v", i, m)
		}
	}
	if m, b := h.pulse.rates(stream.Raw); m != 2 || b != 200 {
		t.Errorf("at the end: %v %v", m, b)
	}
	if body := h.get("/api/v1/overview").Body.String(); !strings.Contains(body, `"messages_per_second":2,`) {
		t.Errorf("overview: %s", body)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.raw.stats = stream.Stats{Messages: 3, Bytes: 40, Stored: 50, Skipped: 6}
	h.health.Report("landfill", errors.New("the bucket is gone"))
	h.get("/api/v1/plugins")
	body := h.get("/metrics").Body.String()
	for _, line := range []string{
		`sandbar_edge_seconds_bucket{le="0.005"} 2`, `sandbar_edge_seconds_bucket{le="+Inf"} 3`, `sandbar_edge_seconds_sum 1.5`, `sandbar_http_seconds_count{to="api"} 1`,
		`sandbar_stream_messages_total{stream="raw"} 3`, `sandbar_stream_stored_bytes{stream="raw"} 50`, `sandbar_stream_bytes_total{stream="derived"} 0`,
		`sandbar_edge_answers_total{code="404"} 1`, `sandbar_edge_bytes_total 345`, `sandbar_edge_in_flight_bytes 6`,
		`sandbar_landfill_waiting_bytes 400`, `sandbar_landfill_waiting_seconds 60`, `sandbar_commits_total 10`, `sandbar_partitions 2`, `sandbar_partition_changes_total 6`, `sandbar_commits_failed_total 1`, `sandbar_commit_seconds_total 0.25`, `sandbar_trouble{part="landfill"} 1`,
		`sandbar_plugins{state="running"} 4`, `sandbar_plugin_state{plugin="analysis.rate",state="running"} 1`, `sandbar_incidents 2`, `sandbar_errors_total{namespace="telemetry",type="json"} 2`, `sandbar_build_info{version="v0"} 1`, `sandbar_plugins{state="terminated"} 0`,
		`sandbar_plugin_matched_total{plugin="analysis.rate"} 5`, `sandbar_plugin_outcomes_total{outcome="ok",plugin="analysis.rate"} 5`,
	} {
		if !strings.Contains(body, line+"\n") {
			t.Errorf("no line %s in\n%s", line, body)
		}
	}
	h.plugins.listing = errHost
	w := h.get("/metrics")
	if body := w.Body.String(); w.Code != 200 || !strings.Contains(body, "sandbar_stream_bytes_total") || strings.Contains(body, "secret") || !strings.Contains(h.log.String(), "disk on fire") {
		t.Errorf("when the catalog fails: %d %s, log %s", w.Code, w.Body, h.log)
	}
}
