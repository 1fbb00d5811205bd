package cmd

import (
	"fmt"
	"testing"
	"time"
)

// TestWritingOnThePage: while somebody writes, errors and warnings of the host are marked on their lines, the plugin API, modules, the names
// of fields and the matcher complete, and the form and the text of the config are one.
func TestWritingOnThePage(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	for n := range 5 {
		p.post("/submit/sensors/reading/1/"+docID(n), reading(docID(n)))
	}
	p.settled()
	ctx := browser(t)
	put := func(id, text string) {
		t.Helper()
		run(t, ctx, fmt.Sprintf("{ const e = document.getElementById(%q); e.value = %q; e.dispatchEvent(new Event('input', {bubbles: true})) }", id, text))
	}
	// enters types at the end of an editor, as a keyboard does.
	enters := func(id, text string) {
		t.Helper()
		run(t, ctx, fmt.Sprintf(`{ const c = document.getElementById(%q).shadowRoot.querySelector('.cm-content'); c.focus(); const s = getSelection(); s.selectAllChildren(c); s.collapseToEnd(); document.execCommand('insertText', false, %q) }`, id, text))
	}
	// marked is the line, from 1, that has a mark first; 0 when none has.
	marked := func(id, kind string) string {
		return fmt.Sprintf("([...document.getElementById(%q).shadowRoot.querySelectorAll('.cm-line')].findIndex((l) => l.querySelector('.cm-lintRange-%s')) + 1)", id, kind)
	}
	open(t, ctx, p.url+"/deploy")
	eval(t, ctx, 20*time.Second, "the editors", "document.getElementById('source')?.shadowRoot?.querySelector('.cm-content') && document.getElementById('config').value !== ''")
	picture(t, ctx, "write")
	put("config", "filename = 'w.lua'\nmessage_matcher = \"Type == 'telemtry'\"\nticker_intervall = 5\n")
	put("source", "function process_message()\n    local x = 1\n    return 0 0\nend\n")
	eval(t, ctx, 20*time.Second, "the error on its line", marked("source", "error")+" === 3")
	put("source", "function process_message()\n    cuont = 1\n    return count or 0\nend\n")
	eval(t, ctx, 20*time.Second, "the global that is never set", marked("source", "warning")+" === 3")
	eval(t, ctx, 20*time.Second, "the misspelt key", marked("config", "warning")+" === 2 && document.getElementById('config').shadowRoot.querySelectorAll('.cm-lint-marker-warning').length === 2")
	picture(t, ctx, "write-warnings")
	put("config", "filename = 'w.lua'\nmessage_matcher = \"Type = 1\"\n")
	eval(t, ctx, 20*time.Second, "the error of the matcher", marked("config", "error")+" === 2")

	list := func(id string) string {
		return fmt.Sprintf("[...document.getElementById(%q).shadowRoot.querySelectorAll('.cm-tooltip-autocomplete li')].map((li) => li.innerText)", id)
	}
	for _, c := range []struct{ id, before, types, want string }{
		{"source", "", "inject_m", "inject_message"},
		{"source", "function process_message()\n    local v = read_message(\"", "Fields[doc", "Fields[docType]"},
		{"source", "require ", "\"circ", "circular_buffer"},
		{"source", "local alert = require \"heka.alert\"\nalert.", "se", "send"},
		{"source", "local cb = circular_buffer.new(2, 1, 1)\ncb:", "set_h", "set_header"},
		{"config", "filename = 'w.lua'\n", "ticker", "ticker_interval"},
		{"config", "message_matcher = \"", "Fields[docT", "Fields[docType]"},
		{"config", "message_matcher = \"Fields[docType] == '", "rea", "reading'"},
	} {
		if c.id == "source" {
			put("config", "message_matcher = 'TRUE'\n")
		}
		put(c.id, c.before)
		enters(c.id, c.types)
		eval(t, ctx, 20*time.Second, "what completes "+c.before+c.types, fmt.Sprintf("%s.some((text) => text.startsWith(%q))", list(c.id), c.want))
	}
	picture(t, ctx, "write-complete")

	// The form and the text.
	put("config", "filename = 'w.lua'\nmessage_matcher = 'TRUE'\nmemory_limit = 1048576 -- enough\n")
	run(t, ctx, "document.getElementById('settings').open = true")
	eval(t, ctx, 5*time.Second, "the limits of the text", "document.querySelector('output[for=set-memory_limit]').innerText.replaceAll('\\u202f', ' ') === '1 MiB of 64 MiB' && document.querySelector('output[for=set-instruction_limit]').innerText.endsWith('the default')")
	run(t, ctx, "{ const s = document.getElementById('set-memory_limit'); s.value = s.max; s.dispatchEvent(new Event('input')); const n = document.getElementById('set-ticker'); n.value = 30; n.dispatchEvent(new Event('input')); document.getElementById('set-preserve').click() }")
	eval(t, ctx, 5*time.Second, "the text of the form", `document.getElementById('config').value === "filename = 'w.lua'\nmessage_matcher = 'TRUE'\nmemory_limit = 67108864 -- enough\nticker_interval = 30\npreserve_data = true\n"`)
	picture(t, ctx, "write-form")

	// Ctrl and S checks, Ctrl, Shift and Enter deploys.
	put("source", wellBehaved+"\nfunction timer_event() end\n")
	run(t, ctx, "document.getElementById('form').name.value = 'written'; document.dispatchEvent(new KeyboardEvent('keydown', {key: 's', ctrlKey: true, cancelable: true}))")
	eval(t, ctx, 20*time.Second, "that it loads", "document.getElementById('said').innerText.startsWith('It loads.')")
	run(t, ctx, "document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', ctrlKey: true, shiftKey: true, cancelable: true}))")
	eval(t, ctx, 20*time.Second, "the plugin", "location.pathname === '/plugins/analysis.written'")
	p.stop()
}
