package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTryFromTheTerminal: `sandbar test --to` tries the plugins of a folder over what a host has kept, and deploys nothing.
func TestTryFromTheTerminal(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	for n := range 30 {
		p.post("/submit/sensors/reading/1/"+docID(n), reading(docID(n)))
	}
	p.settled()
	p.deploy("analysis", "fine", "filename = 'fine.lua'\n"+everything, wellBehaved)
	dir := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(dir, "analysis"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "analysis", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("fine.cfg", "filename = 'fine.lua'\nmessage_matcher = \"Type == 'validated' || Type == 'telemetry' || TRUE\"\nticker_interval = 60\n")
	put("fine.lua", "n = 0\nfunction process_message() n = n + 1 print('seen', n) return -1, 'no reason' end\nfunction timer_event() inject_payload('txt', 'count', n) end\n")
	out, errs, code := call("test", "--to", p.url, "--since", "1h", dir)
	for _, want := range []string{"ok   analysis.fine", "30 messages of valid, errors", "all there are", "version 1", "returned -1, 30 times: no reason", "seen\t30", "payload count, txt", "of 1000000", "of a core"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q: %d\n%s%s", want, code, out, errs)
		}
	}
	if code != 0 || p.plugins()["analysis.fine"].Stats.Failed != 0 {
		t.Errorf("code %d; the plugin that runs: %+v", code, p.plugins()["analysis.fine"].Stats)
	}
	put("bad.cfg", "filename = 'bad.lua'\n"+everything)
	put("bad.lua", "n = 0\nfunction process_message()\n  n = n + 1\n  if n == 7 then error('as told') end\n  return 0\nend\n")
	out, errs, code = call("test", "--to", p.url, "--last", "10", dir)
	if code != 1 || !strings.Contains(out, "FAIL analysis.bad") || !strings.Contains(out, "would end in call 7: line 4 runtime_error: as told") || !strings.Contains(out, `with the message {"Uuid"`) || !strings.Contains(out, "ok   analysis.fine") {
		t.Errorf("%d\n%s%s", code, out, errs)
	}
	if _, errs, code = call("test", "--last", "10", dir); code != 1 || !strings.Contains(errs, "add --to") {
		t.Errorf("without a host: %d %s", code, errs)
	}
	if out, _, code = call("test", "--to", "http://127.0.0.1:1", dir); code != 1 || !strings.Contains(out, "does it run at") {
		t.Errorf("no host there: %d %s", code, out)
	}
}
