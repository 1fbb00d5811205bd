package cmd

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestShadowOnThePage: a change of a plugin runs in its shadow, is compared on the plugin's page, and is promoted with its state; a fork goes on with the
// state of what it was made of; versions show what changed.
func TestShadowOnThePage(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	ctx := browser(t)
	const config = "filename = 'p.lua'\nmessage_matcher = 'TRUE'\nticker_interval = 1\npreserve_data = true\n"
	source := func(word string) string {
		return "local cb = require 'circular_buffer'.new(60, 1, 1)\nn = 0\nfunction process_message()\n    n = n + 1\n    cb:add(read_message('Timestamp'), 1, 1)\n    return 0\nend\n" +
			"function timer_event()\n    inject_payload('txt', 'count', '" + word + " ' .. n)\n    inject_payload('cbuf', 'graph', cb)\nend\n"
	}
	sent := 0
	send := func(n int) {
		for range n {
			p.post("/submit/sensors/reading/1/"+docID(sent), reading(docID(sent)))
			sent++
		}
		p.settled()
	}
	p.deploy("analysis", "p", config, source("first"))
	send(3)
	open(t, ctx, p.url+"/deploy?plugin=analysis.p")
	eval(t, ctx, 20*time.Second, "the editor", "document.querySelector('#source')?.value?.includes('first') && !document.getElementById('as-shadow').hidden")
	run(t, ctx, fmt.Sprintf("const area = document.getElementById('source'); area.value = %q; area.dispatchEvent(new Event('input', {bubbles: true})); document.getElementById('changes').open = true", source("second")))
	eval(t, ctx, 20*time.Second, "what is different", "[...document.querySelectorAll('.diff .new')].some((s) => s.innerText.includes('second')) && [...document.querySelectorAll('.diff .old')].some((s) => s.innerText.includes('first'))")
	run(t, ctx, "document.getElementById('changes').scrollIntoView()")
	picture(t, ctx, "changes")
	run(t, ctx, "document.getElementById('form').with_state.checked = true; document.getElementById('form').note.value = 'a try'; document.getElementById('shadow-run').click()")
	eval(t, ctx, 20*time.Second, "the page of the plugin", "location.pathname === '/plugins/analysis.p' && !document.getElementById('shadow-part').hidden && document.getElementById('shadow').innerText.includes('a try')")
	send(2)
	eval(t, ctx, 20*time.Second, "both side by side", "document.getElementById('shadow').innerText.includes('first 5') && document.getElementById('shadow').innerText.includes('second 5') && document.querySelectorAll('#shadow .graph canvas').length === 2")
	if text := p.text("analysis.p", "count"); !strings.HasPrefix(text, "first") {
		t.Errorf("published is %q", text)
	}
	run(t, ctx, "document.getElementById('shadow-part').scrollIntoView()")
	picture(t, ctx, "shadow")
	run(t, ctx, "[...document.querySelectorAll('#shadow button')].find((b) => b.innerText === 'Promote with its state').click()")
	eval(t, ctx, 20*time.Second, "the second version", "document.getElementById('shadow-part').hidden && document.body.innerText.includes('Version 2, now') && document.body.innerText.includes('second 5')")
	send(1)
	until(t, 20*time.Second, "the promoted version to go on", func() bool { return p.text("analysis.p", "count") == "second 6" })

	run(t, ctx, "[...document.querySelectorAll('#versions button')].find((b) => b.innerText === 'Changes').click()")
	eval(t, ctx, 20*time.Second, "what changed", "document.querySelector('#versions .diff .new')?.innerText.includes('second')")
	run(t, ctx, "document.getElementById('versions').scrollIntoView()")
	picture(t, ctx, "version-changes")

	run(t, ctx, "[...document.querySelectorAll('#actions button')].find((b) => b.innerText === 'Fork').click(); const f = document.querySelector('#fork form'); f.elements.name.value = 'p'; f.elements.state.checked = true; f.querySelector('.primary').click()")
	eval(t, ctx, 20*time.Second, "that the name is taken", "document.getElementById('fork-fault').innerText.includes('exists')")
	picture(t, ctx, "fork")
	run(t, ctx, "document.querySelector('#fork form').elements.name.value = 'copy'; document.querySelector('#fork .primary').click()")
	eval(t, ctx, 20*time.Second, "the fork", "location.pathname === '/plugins/analysis.copy'")
	send(1)
	until(t, 20*time.Second, "the fork to go on", func() bool {
		return p.text("analysis.copy", "count") == "second 7" && p.text("analysis.p", "count") == "second 7"
	})

	// The same in a terminal.
	dir := t.TempDir() + "/analysis"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"p.cfg": config, "p.lua": source("third")} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"deploy", dir + "/p.cfg", "--shadow", "--with-state"}, "analysis.p~shadow is running"},
		{[]string{"list"}, "analysis.p~shadow"},
		{[]string{"promote", "p", "--with-state", "--note", "from a terminal"}, "analysis.p is running"},
		{[]string{"fork", "analysis.p", "other", "--with-state"}, "analysis.other is running"},
		{[]string{"history", "analysis.p"}, "with its state: from a terminal"},
	} {
		if out, errs, code := call(append([]string{"plugin", "--to", p.url}, c.args...)...); code != 0 || !strings.Contains(out, c.want) {
			t.Errorf("%v: %d %s%s", c.args, code, out, errs)
		}
	}
	if _, errs, code := call("plugin", "--to", p.url, "promote", "p"); code != 1 || !strings.Contains(errs, "nothing runs in the shadow") {
		t.Errorf("promoted nothing: %d %s", code, errs)
	}
	send(1)
	until(t, 20*time.Second, "what was promoted and forked in a terminal", func() bool {
		return p.text("analysis.p", "count") == "third 8" && p.text("analysis.other", "count") == "third 8"
	})
	p.stop()
}
