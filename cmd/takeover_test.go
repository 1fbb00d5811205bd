package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sandbar/sandbox/message"
)

// TestTakesOverHindsightsState: a plugin of the config's folder begins with what Hindsight preserved of it, which lies beside its config, in run and in serve;
// after that it has a state of its own.
func TestTakesOverHindsightsState(t *testing.T) {
	t.Parallel()
	const source = `n = 0
		function process_message() n = n + 1 return 0 end
		function timer_event() inject_payload("txt", "n", n) end`
	dir := folder(t, map[string][2]string{"seen": {"message_matcher = \"Type == 'a'\" ticker_interval = 1 preserve_data = true", source}})
	state := "if _PRESERVATION_VERSION and _PRESERVATION_VERSION ~= 0 then return end\n_G[\"n\"] = 1000\n"
	if err := os.WriteFile(filepath.Join(dir, "analysis", "analysis.seen.data"), []byte(state), 0o600); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	if stdout, errs, code := call("run", "--plugins", dir, "--input", input(t, 300), "--output", out); code != 0 {
		t.Fatalf("run: %d %s%s", code, stdout, errs)
	}
	made := fileMessages(t, filepath.Join(out, "derived", "0.log"))
	if last := header(&made[len(made)-1], message.Payload); len(made) == 0 || !strings.Contains(last, "1200") {
		t.Errorf("run ended with %q", last)
	}
	config := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(config, fmt.Appendf(nil, "plugins = %q\n", dir), 0o600); err != nil {
		t.Fatal(err)
	}
	said := func(p *process) (got string) {
		until(t, time.Minute, "a timer event", func() bool { got = p.text("analysis.seen", "n"); return got != "" })
		return got
	}
	p := start(t, t.TempDir(), "serve", "--config", config)
	if got := said(p); got != "1000" {
		t.Errorf("at first it has %q", got)
	}
	p.stop()
	if err := os.WriteFile(filepath.Join(dir, "analysis", "analysis.seen.data"), []byte(strings.Replace(state, "1000", "5", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	p = start(t, p.data, "serve", "--config", config)
	if got := said(p); got != "1000" {
		t.Errorf("after a restart it has %q", got)
	}
	p.stop()
}
