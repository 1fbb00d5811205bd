package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"sandbar/host/alert"
	"sandbar/host/catalog"
	"sandbar/host/clock"
	"sandbar/host/deploy"
	"sandbar/host/evidence"
	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/host/try"
	"sandbar/host/view/viewtest"
	"sandbar/sandbox"
	"sandbar/sandbox/lua"
	"sandbar/sandbox/message"
)

// fakeEvidence is one message that is kept of alert k2, and one that is not.
type fakeEvidence struct{}

func (fakeEvidence) Messages(a alert.Alert) []evidence.Message {
	if a.Key != "k2" {
		return nil
	}
	return []evidence.Message{{Place: "valid/1-2:3", Raw: telemetryAt(start())}, {Place: "valid/0:0", Missing: "gone"}}
}

func telemetryAt(at time.Time) []byte {
	var b message.Builder
	b.SetUUID(make([]byte, 16))
	b.SetTimestamp(at.UnixNano())
	b.SetHeader(message.Type, hostile)
	return b.AppendTo(nil)
}

func TestEvidence(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	w := h.get("/api/v1/alerts/k2/evidence")
	got := into[struct{ Messages []caused }](t, w.Body.String())
	if len(got.Messages) != 2 || got.Messages[0].Stream != "valid" || got.Messages[0].Position != "1-2:3" || !strings.Contains(string(got.Messages[0].Message), `"Timestamp"`) || got.Messages[1].Missing != "gone" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := h.get("/api/v1/alerts/k1/evidence"); w.Code != 200 || !strings.Contains(w.Body.String(), `"messages":[]`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := h.get("/api/v1/alerts/k0/evidence"); w.Code != 404 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestRerun: the version that raised an alert runs again, beside the present one, on the kept messages or on those of the time before.
func TestRerun(t *testing.T) {
	t.Parallel()
	const config = "message_matcher = 'TRUE'\nalert = {throttle = 0, modules = {web = {}}}\nprocess_message_inject_limit = 1"
	const source = "local alert = require 'heka.alert' function process_message() alert.send('b', 'it came', '') return 0 end"
	versions := map[int]string{1: source, 2: "function process_message() return 0 end"}
	var trials *try.Trials
	ahead := clock.Now().Sub(start().Add(time.Hour))
	now := func() time.Time { return clock.Now().Add(-ahead) } // an hour after the alert
	h := newHost(t, func(o *Options) {
		log := viewtest.New(10)
		for _, since := range []time.Duration{-2 * time.Hour, -30 * time.Minute, 0, time.Minute} {
			log.Put(telemetryAt(start().Add(since)))
		}
		logs := map[string][]stream.Log{stream.Valid: {log}}
		for _, name := range stream.Names() {
			if logs[name] == nil {
				logs[name] = []stream.Log{viewtest.New(10)}
			}
		}
		trials = try.New(try.Options{Logs: logs, Load: lua.Load, Env: func(*sandbox.Config) sandbox.Env { return sandbox.Env{} }, Now: now})
		o.Trials, o.Parse, o.Now = trials, lua.ParseConfig, now
		o.Plugins = &versioned{fakePlugins: o.Plugins.(*fakePlugins), config: config, sources: versions}
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- trials.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	for _, c := range []struct {
		body             string
		code             int
		matched, alerted int64
		want             string
	}{
		{`{}`, 202, 1, 1, ""},
		{`{"before":"1h"}`, 202, 2, 2, ""},
		{`{"before":"3h"}`, 202, 3, 3, ""},
		{`{"before":"soon"}`, 400, 0, 0, "90m or 6h"},
		{`{"before":"-1h"}`, 400, 0, 0, "90m or 6h"},
		{`{"before":"3000h"}`, 400, 0, 0, "at most"},
	} {
		w := h.do(request("POST", "/api/v1/alerts/k2/rerun", c.body))
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s", c.body, w.Code, w.Body)
			continue
		}
		if c.code != 202 {
			continue
		}
		r, err := trials.Wait(ctx, into[struct{ ID string }](t, w.Body.String()).ID)
		if err != nil || r.State != try.Done || r.Tried.Matched != c.matched || r.Tried.Alerted != c.alerted || r.Running == nil || r.Running.Alerted != 0 || r.Version != 2 {
			text, _ := json.Marshal(r)
			t.Errorf("%s: %v %s", c.body, err, text)
		}
	}
	if w := h.do(request("POST", "/api/v1/alerts/k1/rerun", `{}`)); w.Code != http.StatusNotFound {
		t.Errorf("of a plugin that is not there: %d %s", w.Code, w.Body)
	}
}

// versioned is a plugin of two versions, of which the first ran until now.
type versioned struct {
	*fakePlugins
	config  string
	sources map[int]string
}

func (v *versioned) Get(_ context.Context, name string) (deploy.Detail, error) {
	if name != "analysis.rate" {
		return deploy.Detail{}, deploy.ErrNotFound
	}
	return deploy.Detail{Status: runner.Status{Name: name, Kind: sandbox.Analysis}, Version: 2, Config: v.config, Source: []byte(v.sources[2])}, nil
}

func (v *versioned) Version(_ context.Context, name string, n int) (catalog.Version, error) {
	return catalog.Version{Plugin: name, N: n, Kind: sandbox.Analysis, Config: v.config, Source: []byte(v.sources[n])}, nil
}

func (v *versioned) Events(_ context.Context, name string, _ int, _ int64) ([]catalog.Event, error) {
	if name != "analysis.rate" {
		return nil, nil
	}
	return []catalog.Event{{Plugin: name, Version: 2, At: start().Add(time.Minute)}, {Plugin: name, Version: 1, At: start().Add(-time.Hour)}}, nil
}
