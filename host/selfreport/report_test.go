package selfreport

import (
	"fmt"
	"testing"
	"time"

	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/sandbox/message"
)

// told is a report as texts: "TYPE name=value ...".
func told(t *testing.T, msgs [][]byte) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, m := range msgs {
		var v message.View
		if err := v.Parse(m); err != nil {
			t.Fatal(err)
		}
		typ, _ := v.Header(message.Type)
		logger, _ := v.Header(message.Logger)
		host, _ := v.Header(message.Hostname)
		if string(logger) != Logger || string(host) != "here" {
			t.Errorf("Logger %s, Hostname %s", logger, host)
		}
		key, text := string(typ), ""
		for _, name := range []string{"code", "stream", "plugin", "state", "n", "bytes", "matched", "failed", "lag", "seconds", "free", "room", "troubles"} {
			f, ok := v.Field(name, 0)
			if !ok {
				continue
			}
			if b, ok := f.Bytes(0); ok {
				key += " " + string(b)
			} else if n, ok := f.Int(0); ok {
				text += fmt.Sprintf(" %s=%d", name, n)
			} else if x, ok := f.Double(0); ok {
				text += fmt.Sprintf(" %s=%v", name, x)
			}
		}
		out[key] = text
	}
	return out
}

// TestMessages: each report says what happened since the one before, of a plugin that began anew what it did since.
func TestMessages(t *testing.T) {
	t.Parallel()
	edge := map[int]int64{200: 10, 404: 0}
	logs := map[string]stream.Stats{stream.Raw: {Messages: 10, Bytes: 100, Stored: 50}}
	plugins := []runner.Status{{Name: "analysis.a", State: runner.Running, LagBytes: 7, Stats: runner.Stats{Matched: 100, Failed: 5, Nanos: 2e9}}}
	troubles := 0
	r := New(Options{Hostname: "here", Started: time.Unix(1000, 0),
		Edge: func() map[int]int64 {
			return map[int]int64{200: edge[200], 404: edge[404]}
		},
		Streams: func() map[string]stream.Stats { return map[string]stream.Stats{stream.Raw: logs[stream.Raw]} },
		Plugins: func() []runner.Status { return append([]runner.Status{}, plugins...) },
		Room:    func() (int64, int64, bool) { return 30, 100, true }, Troubles: func() int { return troubles }})
	edge[200], edge[404], troubles = 15, 2, 1
	logs[stream.Raw] = stream.Stats{Messages: 17, Bytes: 170, Stored: 60}
	plugins[0].Stats = runner.Stats{Matched: 150, Failed: 6, Nanos: 3e9}
	got := told(t, r.Messages(time.Unix(1010, 0)))
	for key, want := range map[string]string{
		"host.self": " free=30 room=100 troubles=1", "host.edge 200": " n=5", "host.edge 404": " n=2", "host.stream raw": " n=7 bytes=70",
		"host.plugin analysis.a running": " matched=50 failed=1 lag=7 seconds=1",
	} {
		if got[key] != want {
			t.Errorf("%s:%s, want%s", key, got[key], want)
		}
	}
	plugins[0].Stats = runner.Stats{Matched: 3}
	if got := told(t, r.Messages(time.Unix(1020, 0)))["host.plugin analysis.a running"]; got != " matched=3 failed=0 lag=7 seconds=0" {
		t.Errorf("begun anew:%s", got)
	}
}

// TestBounds: of very many plugins those are in a report that fail, and what is not known is left out.
func TestBounds(t *testing.T) {
	t.Parallel()
	plugins := make([]runner.Status, 3*MaxPlugins)
	for i := range plugins {
		plugins[i].Name = fmt.Sprint("analysis.p", i)
	}
	r := New(Options{Hostname: "here", Started: time.Unix(1000, 0), Plugins: func() []runner.Status { return append([]runner.Status{}, plugins...) }, Room: func() (int64, int64, bool) { return 0, 0, false }})
	plugins[2500].Stats.Failed = 9
	plugins[2600].LagBytes = 1
	got := told(t, r.Messages(time.Unix(1010, 0)))
	if len(got) != MaxPlugins+1 || got["host.plugin analysis.p2500 "] == "" || got["host.plugin analysis.p2600 "] == "" || got["host.self"] != "" {
		t.Errorf("%d messages, %q", len(got), got["host.self"])
	}
}
