package cmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestHistory: versions of a plugin from the command line, on a host that is killed in between: who did what and why, what is different,
// back to an older one, and a plugin that was removed comes back.
func TestHistory(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	dir := filepath.Join(t.TempDir(), "analysis")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(config, source string) string {
		t.Helper()
		path := filepath.Join(dir, "p.cfg")
		if err := os.WriteFile(path, []byte("filename = 'p.lua'\nmessage_matcher = 'TRUE'\n"+config), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "p.lua"), []byte(source), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	run := func(code int, args ...string) string {
		t.Helper()
		out, errs, got := call(append([]string{"plugin", "--to", p.url, "--as", "ann"}, args...)...)
		if got != code {
			t.Fatalf("plugin %v: %d %s%s", args, got, out, errs)
		}
		return out + errs
	}
	const one, two = "function process_message() return 0 end\n", "-- two\nfunction process_message() return 0 end\n"
	run(0, "deploy", write("a = 1\n", one), "--note", "it begins")
	run(0, "deploy", write("a = 2\n", two), "--over", "1", "--note", "better")
	if out := run(1, "deploy", write("a = 3\n", two), "--over", "1"); !strings.Contains(out, "version 2 of analysis.p was submitted by ann (127.0.0.1)") {
		t.Errorf("an older version was replaced: %s", out)
	}
	p.kill()
	p = start(t, p.data, "serve")
	if out := run(0, "diff", "p"); !strings.Contains(out, "\n-a = 1\n+a = 2\n") || !strings.Contains(out, "\n+-- two\n") || !strings.Contains(out, "+++ source, version 2") {
		t.Errorf("diff: %s", out)
	}
	if out := run(0, "show", "p", "--at", "1"); !strings.Contains(out, "version 1") || !strings.Contains(out, "-- it begins") || !strings.Contains(out, "a = 1\n") || !strings.HasSuffix(out, one) {
		t.Errorf("show: %s", out)
	}
	run(0, "rollback", "p", "1", "--note", "it was worse")
	run(0, "remove", "p")
	run(1, "show", "p") // the short name is of those that are there
	run(0, "restore", "analysis.p", "--at", "2")
	run(1, "rollback", "p", "17")
	run(0, "stop", "p")
	var v pluginVersion
	if err := json.Unmarshal([]byte(run(0, "show", "analysis.p", "--json")), &v); err != nil || v.Version != 4 || v.Source != two || v.Author != "ann (127.0.0.1)" {
		t.Errorf("%v %+v", err, v)
	}
	got := regexp.MustCompile(`(?m)^\S+ \S+ +`).ReplaceAllString(run(0, "history", "p"), "")
	got = regexp.MustCompile(` {2,}`).ReplaceAllString(got, "|")
	want := `WHEN|PLUGIN|VERSION|WHAT|WHO|NOTE
analysis.p|4|stop|ann (127.0.0.1)|
analysis.p|4|restore|ann (127.0.0.1)|to version 2
analysis.p|-|remove|ann (127.0.0.1)|
analysis.p|3|roll back|ann (127.0.0.1)|to version 1: it was worse
analysis.p|2|replace|ann (127.0.0.1)|better
analysis.p|1|submit|ann (127.0.0.1)|it begins
`
	if strings.ReplaceAll(got, "|\n", "\n") != strings.ReplaceAll(want, "|\n", "\n") {
		t.Errorf("history:\n%s\nwant\n%s", got, want)
	}
	if out := run(0, "history", "--json", "--n", "1000"); !strings.Contains(out, `"what": "ship"`) || !strings.Contains(out, `"actor": "host"`) {
		t.Errorf("the shipped plugins are not in the history: %.300s", out)
	}
	p.stop()
}
