package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"sandbar/host/clock"
	"sandbar/host/stream"
	"sandbar/host/try"
	"sandbar/host/view/viewtest"
	"sandbar/sandbox"
	"sandbar/sandbox/lua"
	"sandbar/sandbox/message"
)

// newTrials try over three messages.
func newTrials() *try.Trials {
	logs := map[string][]stream.Log{}
	for _, name := range stream.Names() {
		logs[name] = []stream.Log{viewtest.New(10)}
	}
	for n := range 3 {
		var b message.Builder
		b.SetUUID(make([]byte, 16))
		b.SetTimestamp(start().UnixNano() + int64(n)*1e9)
		b.SetHeader(message.Type, hostile)
		logs[stream.Valid][0].(*viewtest.Log).Put(b.AppendTo(nil))
	}
	return try.New(try.Options{Logs: logs, Load: lua.Load, Env: func(*sandbox.Config) sandbox.Env { return sandbox.Env{} }, Now: clock.Now})
}

func TestTry(t *testing.T) {
	t.Parallel()
	trials := newTrials()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- trials.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	h := newHost(t, func(o *Options) { o.Trials, o.Parse = trials, lua.ParseConfig })
	const source = `local alert = require "heka.alert"
local cb = require "circular_buffer".new(2, 1, 60)
function process_message()
    print(read_message("Type"))
    alert.send("x", "y", "z")
    inject_payload("cbuf", "g", cb)
    return -1, "odd"
end`
	body := func(change map[string]any) string {
		in := map[string]any{"config": "message_matcher = 'TRUE'\nprocess_message_inject_limit = 5\nalert = {modules = {web = {}}}", "source": source}
		for k, v := range change {
			in[k] = v
		}
		return submit(in)
	}
	for _, tt := range []struct {
		change map[string]any
		code   int
		want   string
	}{
		{map[string]any{"last": -1}, 400, "last 1 to 1000000"},
		{map[string]any{"last": 5, "since": "1h"}, 400, "last 1 to 1000000"},
		{map[string]any{"since": "yesterday"}, 400, "90m or 6h"},
		{map[string]any{"since": "-1h"}, 400, "last 1 to"},
		{map[string]any{"until": 5}, 400, "until"},
		{map[string]any{"messages": []any{5}}, 400, "message 1 is none"},
		{map[string]any{"last": 5, "messages": []any{map[string]any{}}}, 400, "at most 100"},
		{map[string]any{"config": "x = 1"}, 422, `"field":"config"`},
		{map[string]any{"name": "../x"}, 422, `"field":"name"`},
		{map[string]any{"source": ""}, 422, `"field":"source"`},
	} {
		if w := h.do(request(http.MethodPost, "/api/v1/try", body(tt.change))); w.Code != tt.code || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%v: %d %s, want %d with %s", tt.change, w.Code, w.Body, tt.code, tt.want)
		}
	}
	w := h.do(request(http.MethodPost, "/api/v1/try", body(nil)))
	at := w.Header().Get("Location")
	if w.Code != http.StatusAccepted || !strings.HasPrefix(at, "/api/v1/try/") {
		t.Fatalf("%d %s, Location %q", w.Code, w.Body, at)
	}
	r := waitTrial(t, h, at)
	if r.State != try.Done || r.Tried.Matched != 3 || r.Tried.Alerted != 1 || len(r.Tried.Payloads) != 1 || r.Tried.Prints[0].Text != hostile || r.Tried.Failures[0].Text != "odd" {
		t.Errorf("the trial: %+v", r)
	}
	step := waitTrial(t, h, h.do(request(http.MethodPost, at+"/calls/2", "")).Header().Get("Location"))
	if s := step.Step; s == nil || s.Call != 2 || len(s.Made) != 1 || s.Reads[0].Value != hostile || s.Text != "odd" || s.Lines[4] == 0 {
		t.Errorf("looked into: %+v", s)
	}
	r = waitTrial(t, h, h.do(request(http.MethodPost, "/api/v1/try", body(map[string]any{"messages": []any{map[string]any{"Uuid": "00000000-0000-0000-0000-000000000000", "Timestamp": 5, "Type": "given"}}}))).Header().Get("Location"))
	if r.Tried.Matched != 1 || r.Tried.Prints[0].Text != "given" {
		t.Errorf("over a given message: %+v", r)
	}
	for call, want := range map[string]int{"0": 404, "x": 404, "-1": 404} {
		if w := h.do(request(http.MethodPost, at+"/calls/"+call, "")); w.Code != want {
			t.Errorf("call %s: %d %s", call, w.Code, w.Body)
		}
	}
	if r := waitTrial(t, h, h.do(request(http.MethodPost, at+"/calls/9", "")).Header().Get("Location")); r.State != try.Failed || !strings.Contains(r.Problem, "no call 9") {
		t.Errorf("a call that there is not: %+v", r)
	}
	if w := h.do(request(http.MethodPost, "/api/v1/try/none/calls/1", "")); w.Code != http.StatusNotFound {
		t.Errorf("of no trial: %d %s", w.Code, w.Body)
	}
	// The present version of the same name sees the same.
	at = h.do(request(http.MethodPost, "/api/v1/try", body(map[string]any{"name": "rate"}))).Header().Get("Location")
	if r = waitTrial(t, h, at); r.Running != nil || r.Tried.Matched != 3 { // its config is no Lua
		t.Errorf("beside one that cannot be loaded: %+v", r.Running)
	}
	d := h.plugins.all["analysis.rate"]
	d.Config, d.Source, d.Version = "message_matcher = 'FALSE'", []byte("function process_message() return 0 end"), 4
	h.plugins.all["analysis.rate"] = d
	at = h.do(request(http.MethodPost, "/api/v1/try", body(map[string]any{"name": "rate"}))).Header().Get("Location")
	if r = waitTrial(t, h, at); r.Running == nil || r.Version != 4 || r.Running.Matched != 0 {
		t.Errorf("beside another version: %+v", r)
	}
	if w := h.do(request(http.MethodDelete, at, "")); w.Code != http.StatusNoContent {
		t.Errorf("ended after its end: %d %s", w.Code, w.Body)
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		if w := h.do(request(method, "/api/v1/try/none", "")); w.Code != http.StatusNotFound {
			t.Errorf("%s of none: %d %s", method, w.Code, w.Body)
		}
	}
	cancel()
	for range 8 {
		h.do(request(http.MethodPost, "/api/v1/try", body(nil)))
	}
	if w := h.do(request(http.MethodPost, "/api/v1/try", body(nil))); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("when many wait: %d %s", w.Code, w.Body)
	}
}

func waitTrial(t *testing.T, h *host, at string) try.Report {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 10_000 {
		var r try.Report
		if w := h.get(at); json.Unmarshal(w.Body.Bytes(), &r) != nil {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if r.State == try.Done || r.State == try.Failed {
			return r
		}
		<-tick.C
	}
	t.Fatal("the trial does not end")
	return try.Report{}
}
