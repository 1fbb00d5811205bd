package cmd

import (
	"strings"
	"testing"
	"time"
)

// TestVersionsOnThePage: the versions of a plugin on its page, back to an older one, and back from having been removed, with a note that was
// typed on the page.
func TestVersionsOnThePage(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	ctx := browser(t)
	const config = "filename = 'p.lua'\nmessage_matcher = 'TRUE'\nticker_interval = 1\npreserve_data = true\n"
	p.deploy("analysis", "p", config, "-- first\nn = 0\nfunction process_message() return 0 end\nfunction timer_event() n = n + 1 end\n")
	open(t, ctx, p.url+"/deploy?plugin=analysis.p")
	eval(t, ctx, 20*time.Second, "the editor", "document.querySelector('#source')?.value.includes('-- first')")
	run(t, ctx, `const area = document.querySelector('#source'); area.value = area.value.replace('-- first', '-- second'); area.dispatchEvent(new Event('input'));
		const form = document.getElementById('form'); form.note.value = 'a better one <b>'; form.requestSubmit()`)
	eval(t, ctx, 20*time.Second, "the second version", "location.pathname === '/plugins/analysis.p' && document.body.innerText.includes('Version 2, now') && document.body.innerText.includes('a better one <b>')")
	picture(t, ctx, "versions")
	run(t, ctx, `[...document.querySelectorAll('#versions li')].at(-1).querySelector('button').click()`)
	eval(t, ctx, 20*time.Second, "the first version to run again", "document.body.innerText.includes('Version 3, now') && document.getElementById('source').innerText.includes('-- first')")
	run(t, ctx, `[...document.querySelectorAll('#actions button')].find(b => b.innerText === 'Remove').click(); document.querySelector('#confirm .danger').click()`)
	until(t, 20*time.Second, "the plugin to go", func() bool { _, there := p.plugins()["analysis.p"]; return !there })
	eval(t, ctx, 20*time.Second, "the overview, to which the page goes then", "location.pathname === '/' && document.body.innerText.includes('Deploy a plugin')")
	open(t, ctx, p.url+"/plugins/analysis.p")
	eval(t, ctx, 20*time.Second, "what was removed", "document.body.innerText.includes('There is nothing to show') && document.querySelectorAll('#versions li').length === 3")
	picture(t, ctx, "removed")
	run(t, ctx, `[...document.querySelectorAll('#versions li')][0].querySelectorAll('button')[1].click()`)
	eval(t, ctx, 20*time.Second, "what was removed to run again", "document.body.innerText.includes('Version 4, now') && document.body.innerText.includes('Running')")
	if out, _, code := call("plugin", "--to", p.url, "history", "analysis.p"); code != 0 || !strings.Contains(out, "to version 3 with its state") || !strings.Contains(out, "a better one <b>") || !strings.Contains(out, "to version 1") {
		t.Errorf("history: %d %s", code, out)
	}
}
