package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestGateOnThePage: on a host with a gate a plugin that raises too many alerts over what came waits for a second person, who sees why and what is
// different, and approves it.
func TestGateOnThePage(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "host.toml")
	if err := os.WriteFile(file, []byte("[gate]\nmessages = 100\nalerts = 3\nsecond = true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, t.TempDir(), "serve", "--config", file)
	for n := range 20 {
		p.post("/submit/sensors/reading/1/"+docID(n), reading(docID(n)))
	}
	p.settled()
	const config = "filename = 'p.lua'\nmessage_matcher = \"Type == 'validated'\"\nprocess_message_inject_limit = 1\nalert = {throttle = 0, modules = {web = {}}}\n"
	source := func(at string) string {
		return "local alert = require 'heka.alert'\nn = 0\nfunction process_message()\n    n = n + 1\n    if n % " + at + " == 0 then alert.send('x', 'again', 'n', 0) end\n    return 0\nend\n"
	}
	p.deploy("analysis", "p", config, source("10"))

	ctx := browser(t)
	open(t, ctx, p.url+"/deploy?plugin=analysis.p")
	run(t, ctx, "localStorage.setItem('name', 'ann ö')")
	open(t, ctx, p.url+"/deploy?plugin=analysis.p")
	eval(t, ctx, 20*time.Second, "the editor", "document.querySelector('#source')?.value?.includes('n % 10') && document.getElementById('me').innerText === 'ann ö'")
	run(t, ctx, "const area = document.getElementById('source'); area.value = area.value.replace('n % 10', 'n % 2'); area.dispatchEvent(new Event('input', {bubbles: true})); document.getElementById('form').requestSubmit()")
	eval(t, ctx, 20*time.Second, "that it waits", "location.pathname === '/plugins/analysis.p~proposed' && document.getElementById('trouble').innerText.includes('it raises 10 alerts, more than 3') && document.getElementById('trouble').innerText.includes('ann ö')")
	run(t, ctx, "[...document.querySelectorAll('#trouble button')].find((b) => b.innerText === 'What is different').click()")
	eval(t, ctx, 20*time.Second, "what is different", "document.querySelector('#trouble .diff .new')?.innerText.includes('n % 2')")
	picture(t, ctx, "proposed")
	run(t, ctx, "[...document.querySelectorAll('#trouble button')].find((b) => b.innerText === 'Approve').click()")
	eval(t, ctx, 20*time.Second, "that a second person has to", "document.getElementById('trouble').innerText.includes('a second person has to')")
	run(t, ctx, "localStorage.setItem('name', 'bob'); [...document.querySelectorAll('#trouble button')].find((b) => b.innerText === 'Approve').click()")
	eval(t, ctx, 20*time.Second, "that it runs", "location.pathname === '/plugins/analysis.p' && document.body.innerText.includes('Version 2, now') && document.body.innerText.includes('Running')")

	// In a terminal: refused by nobody, proposed, and approved by another.
	dir := filepath.Join(t.TempDir(), "analysis")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"q.cfg": strings.ReplaceAll(config, "p.lua", "q.lua"), "q.lua": source("1")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		as   string
		args []string
		code int
		want string
	}{
		{"ann", []string{"deploy", filepath.Join(dir, "q.cfg")}, 0, "it waits for a second person: it raises 20 alerts, more than 3"},
		{"ann", []string{"approve", "analysis.q~proposed"}, 1, "a second person has to"},
		{"bob", []string{"approve", "analysis.q~proposed", "--note", "seen"}, 0, "analysis.q is running"},
		{"bob", []string{"history", "analysis.q"}, 0, "seen"},
	} {
		out, errs, code := call(append([]string{"plugin", "--to", p.url, "--as", c.as}, c.args...)...)
		if code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("%s %v: %d %s%s", c.as, c.args, code, out, errs)
		}
	}
	p.stop()
}
