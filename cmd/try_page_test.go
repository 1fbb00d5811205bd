package cmd

import (
	"fmt"
	"testing"
	"time"
)

// TestTryOnThePage: a plugin is tried before it is deployed: one that works with graph, alert and prints, a change of one that runs, one
// that would be terminated, one that cannot be loaded, one that matches nothing, and a trial that is ended.
func TestTryOnThePage(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	for n := range 200 {
		p.post("/submit/sensors/reading/1/"+docID(n), reading(docID(n)))
	}
	p.settled()
	ctx := browser(t)
	write := func(config, source string) {
		t.Helper()
		run(t, ctx, fmt.Sprintf("for (const [id, text] of [['config', %q], ['source', %q]]) { const area = document.getElementById(id); area.value = text; area.dispatchEvent(new Event('input')) }", config, source))
	}
	shot := func(name string) {
		t.Helper()
		run(t, ctx, "document.getElementById('try').scrollIntoView()")
		picture(t, ctx, name)
	}
	try := func(what, want string) {
		t.Helper()
		run(t, ctx, "document.getElementById('try-begin').click()")
		eval(t, ctx, 30*time.Second, what, "!document.getElementById('try-begin').disabled && "+want)
	}
	const (
		config = "filename = 'p.lua'\nmessage_matcher = \"Fields[docType] == 'reading'\"\nticker_interval = 1\npreserve_data = true\nprocess_message_inject_limit = 2\nalert = {modules = {web = {}}}\n"
		source = `
require "string"
local alert = require "heka.alert"
local cb = require "circular_buffer".new(60, 1, 1)
cb:set_header(1, "readings", "count", "sum")
n = 0
function process_message()
    n = n + 1
    cb:add(read_message("Timestamp"), 1, 1)
    if n == 50 then alert.send("half", "fifty <b>came", "and the rest") end
    if n % 40 == 0 then print("now", n) return -1, "a fortieth" end
    if n % 10 == 0 then inject_message({Type = "tenth", Fields = {n = n}}) end
    return 0
end
function timer_event(ns)
    inject_payload("cbuf", "readings", cb)
    inject_payload("csv", "list", "name,count\nall," .. n .. "\n")
    inject_payload("html", "page", "<h1>All</h1><script>parent.document.title = 'got out'</script><img src=x onerror=\"parent.document.title = 'got out'\">")
end`
	)
	open(t, ctx, p.url+"/deploy")
	eval(t, ctx, 20*time.Second, "the editor", "document.querySelector('#source')?.value !== ''")
	run(t, ctx, "document.getElementById('form').name.value = 'p'")
	write(config, source)
	try("what the plugin does", "document.querySelectorAll('#try-result .graph canvas').length === 1 && document.getElementById('try-said').innerText.includes('200 of 200 messages of valid and errors matched')")
	eval(t, ctx, 5*time.Second, "all of it", `(() => { const text = document.getElementById('try-result').innerText; return ['fifty <b>came', 'a fortieth', 'now\t200', 'tenth', 'of a core', '5 times'].every((w) => text.includes(w)) })()`)
	eval(t, ctx, 5*time.Second, "a table", "[...document.querySelectorAll('#try-result .table-scroll td')].some((td) => td.innerText === 'all')")
	eval(t, ctx, 5*time.Second, "HTML in a box", "document.querySelector('#try-result iframe').getAttribute('sandbox') === '' && document.title !== 'got out'")
	shot("try")
	run(t, ctx, "[...document.querySelectorAll('#try-result .log button')].at(-1).click()")
	eval(t, ctx, 20*time.Second, "the call", `(() => { const d = document.getElementById('look'); return d.open && d.innerText.includes('It returned -1, “a fortieth”') && d.querySelectorAll('.reads tbody tr').length === 1 && d.querySelector('[data-share="4"]') && d.innerText.includes('now	200') })()`)
	picture(t, ctx, "try-call")
	run(t, ctx, "[...document.querySelectorAll('#look-body button')].find((b) => b.innerText === 'Call before').click()")
	eval(t, ctx, 20*time.Second, "the call before", "document.getElementById('look-body').innerText.includes('It returned 0.') || document.getElementById('look-body').innerText.includes('A timer event')")
	run(t, ctx, "document.querySelector('#look form button').click()")
	eval(t, ctx, 5*time.Second, "that nothing is deployed", "fetch('/api/v1/plugins').then(r => r.json()).then(all => !all.some(p => p.name === 'analysis.p'))")

	p.deploy("analysis", "p", config, source)
	open(t, ctx, p.url+"/deploy?plugin=analysis.p")
	eval(t, ctx, 20*time.Second, "the editor", "document.querySelector('#source')?.value.includes('fortieth')")
	run(t, ctx, "const area = document.getElementById('source'); area.value = area.value.replace('n % 10 ==', 'n % 5 ==').replace('n = n + 1', 'n = n + 1 for i = 1, 500 do end'); area.dispatchEvent(new Event('input'))")
	try("the difference", `(() => { const rows = Object.fromEntries([...document.querySelectorAll('.numbers tbody tr')].map((tr) => [tr.children[0].innerText, [...tr.children].slice(1).map((td) => td.innerText)])); return rows.Matched?.[0] === '200' && rows.Matched?.[2] === '–' && rows['Fuel of a call, median']?.[2].startsWith('× 1') })()`)
	eval(t, ctx, 5*time.Second, "both graphs", "document.querySelectorAll('#try-result .graph canvas').length === 2 && document.querySelector('#try-result').innerText.includes('version 1')")
	shot("try-change")

	write("message_matcher = 'TRUE'", "n = 0\nfunction process_message()\n    n = n + 1\n    if n == 7 then error('as told') end\n    return 0\nend")
	try("how it would end", "document.querySelector('#try-result .problem')?.innerText.includes('It would be terminated in call 7: runtime error, line 4') && document.querySelector('#source').getAttribute('aria-invalid') === 'true'")
	run(t, ctx, "document.querySelector('#try-result .problem details').open = true")
	shot("try-end")
	write("message_matcher = 'TRUE'\ninstruction_limit = 1000", "function process_message() while true do end end")
	try("the limit", "document.querySelector('#try-result .problem')?.innerText.includes('fuel exhausted') && document.querySelector('.numbers [data-level=high]') !== null")
	write("message_matcher = 'TRUE'", "x =")
	try("that it cannot be loaded", "document.querySelector('#try-result .problem')?.innerText.includes('cannot be loaded')")
	write("message_matcher = 'TRUE", "x =")
	try("the fault of the config", "document.querySelector('#fault').innerText.includes('config')")
	write("message_matcher = \"Type == 'never'\"", "function process_message() return 0 end")
	try("that nothing matches", "document.querySelector('#try-result').innerText.includes('Nothing matched')")
	shot("try-nothing")

	write("message_matcher = 'TRUE'\ninstruction_limit = 0", "function process_message() for i = 1, 5000000 do end return 0 end")
	run(t, ctx, "document.getElementById('try-begin').click()")
	eval(t, ctx, 20*time.Second, "the trial to go on", "!document.getElementById('try-end').hidden && document.getElementById('try-progress').position > 0")
	run(t, ctx, "document.getElementById('try-end').click()")
	eval(t, ctx, 20*time.Second, "its end", "document.getElementById('try-end').hidden && document.getElementById('try-said').innerText.startsWith('Ended early')")
	shot("try-cancelled")
}
