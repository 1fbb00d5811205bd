package cmd

import (
	"testing"
	"time"

	"sandbar/sandbox/message"
)

// TestHostOfItself: the plugins that ship to watch the host get what it says of itself, of its edge, streams and plugins.
func TestHostOfItself(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	if status := p.post("/submit/sensors/reading/1/7b7e2f6c-0000-4000-8000-000000000001", []byte(`{}`)); status != 200 {
		t.Fatalf("status %d", status)
	}
	until(t, 60*time.Second, "what the host says of itself", func() bool {
		all := p.plugins()
		for _, name := range []string{"analysis.watch_edge", "analysis.watch_lag", "analysis.watch_memory", "analysis.room"} {
			if all[name].Stats.Matched == 0 {
				return false
			}
		}
		return true
	})
	p.stop()
	types := map[string]int{}
	for _, v := range messages(t, p.data, "derived") {
		typ, _ := v.Header(message.Type)
		types[string(typ)]++
	}
	if types["host.self"] == 0 || types["host.edge"] == 0 || types["host.stream"] < 4 || types["host.plugin"] < 10 {
		t.Errorf("%v", types)
	}
}
