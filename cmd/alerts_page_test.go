package cmd

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// alarming counts messages, shows them, and alerts about its graph at each timer.
const alarming = `require "circular_buffer"
local alert = require "heka.alert"
local cb = circular_buffer.new(120, 2, 1)
local reads = cb:set_header(1, "readings")
cb:set_header(2, "others")
seen = false
function process_message()
    seen = true
    cb:add(read_message("Timestamp"), reads, 1)
    return 0
end
function timer_event(ns)
    cb:add(ns, 2, 5)
    inject_payload("cbuf", "Rates", cb)
    alert.send("Rates", "readings are few", "there were less than 7 of them <b>")
    alert.send("Other", "something else", "")
end
`

const alarmingConfig = "filename = 'p.lua'\nmessage_matcher = \"Fields[docType] == 'reading'\"\nticker_interval = 1\nalert = {throttle = 10, modules = {web = {}}}\n"

// TestAlertsOnThePage: what fires is counted in the navigation, opens with its graph, version and message, and is acknowledged and silenced.
func TestAlertsOnThePage(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	ctx := browser(t)
	// It waits for a message: an alert before would have none to show.
	source := strings.Replace(alarming, "timer_event(ns)\n", "timer_event(ns)\n    if not seen then return end\n", 1)
	p.deploy("analysis", "alarm", alarmingConfig, source)
	for n := range 3 {
		p.post("/submit/sensors/reading/1/"+docID(n), reading(docID(n)))
	}
	p.settled()
	const badge = "document.querySelector('nav a[href=\"/alerts\"] .badge')"
	const firing = "document.querySelector('#firing')"
	const press = "[...document.querySelectorAll('%s button')].find((b) => b.innerText === '%s').click()"
	open(t, ctx, p.url+"/alerts")
	run(t, ctx, "localStorage.setItem('name', 'Ann')")
	eval(t, ctx, 20*time.Second, "what fires", firing+".innerText.includes('readings are few') && "+firing+".innerText.includes('something else') && "+badge+"?.innerText === '2' && document.title.startsWith('(2)')")
	run(t, ctx, fmt.Sprintf(press, "#firing li:has(a[href*=\"/alerts/\"])", "Acknowledge"))
	eval(t, ctx, 20*time.Second, "that it is acknowledged", firing+".innerText.includes('Acknowledged by Ann') && "+badge+"?.innerText === '1'")
	run(t, ctx, "[...document.querySelectorAll('#firing li')].find((l) => !l.innerText.includes('Acknowledged')).querySelector('button.quiet').click()")
	run(t, ctx, "{ const f = document.querySelector('dialog form').elements; f.why.value = 'a test'; }")
	picture(t, ctx, "silence")
	run(t, ctx, fmt.Sprintf(press, "dialog", "Silence"))
	eval(t, ctx, 20*time.Second, "that it is silenced", firing+".innerText.includes('Silenced by Ann') && document.querySelector('#silences').innerText.includes('a test') && "+badge+".hidden && document.querySelector('#firing-sum').innerText.includes('all looked after')")
	picture(t, ctx, "alerts")
	run(t, ctx, fmt.Sprintf(press, "#silences", "End"))
	eval(t, ctx, 20*time.Second, "that it fires again", "!"+badge+".hidden && document.querySelector('#silences').innerText.includes('No silences')")

	// A newer version does not take the blame.
	p.deploy("analysis", "alarm", alarmingConfig, source+"-- 2\n")
	run(t, ctx, "[...document.querySelectorAll('#list a')].find((a) => a.innerText === 'readings are few').click()")
	const about = "document.querySelector('#about')"
	eval(t, ctx, 20*time.Second, "the alert", "location.pathname.startsWith('/alerts/') && "+about+"?.innerText.includes('analysis.alarm') && /Version\\s*1 since/.test("+about+".innerText) && document.querySelector('h1').innerText === 'readings are few' && document.querySelector('#detail').innerText.includes('<b>')")
	eval(t, ctx, 20*time.Second, "its graph at that moment", "document.querySelectorAll('#graphs .graph').length === 1 && "+strings.ReplaceAll(painted, "SELECTOR", "#graphs")+" && location.search.includes('from=')")
	eval(t, ctx, 20*time.Second, "how it fared", about+".innerText.includes('1 incident with 1 alert since') && "+about+".innerText.includes('0 called useless')")
	const cause = "document.querySelector('#evidence-part')"
	eval(t, ctx, 20*time.Second, "the message that caused it", "/[1-3] messages?/.test("+cause+".innerText) && "+cause+".querySelector('.message-table')?.textContent.includes('reading')")
	run(t, ctx, fmt.Sprintf(press, "#again", "Run again"))
	eval(t, ctx, 30*time.Second, "both versions on that message", "/[1-3] of [1-3] messages? .*matched/.test(document.querySelector('#again').innerText) && document.querySelector('.alerts-beside tbody tr')?.innerText.includes('both')")
	run(t, ctx, "document.querySelector('#again').scrollIntoView()")
	picture(t, ctx, "alert-again")
	run(t, ctx, "document.querySelector('#again select').value = '1h'")
	run(t, ctx, fmt.Sprintf(press, "#again", "Run again"))
	eval(t, ctx, 30*time.Second, "both versions on the hour before", "/3 of \\d+ messages .*matched/.test(document.querySelector('#again').innerText) && document.querySelector('.alerts-beside')")
	run(t, ctx, fmt.Sprintf(press, "#actions", "Useless"))
	eval(t, ctx, 20*time.Second, "that it is useless", about+".innerText.includes('1 called useless') && document.querySelector('#facts').innerText.includes('Called useless by Ann')")
	picture(t, ctx, "alert")
	run(t, ctx, "[...document.querySelectorAll('#about a')].find((a) => a.innerText.includes('in derived')).click()")
	eval(t, ctx, 20*time.Second, "its message", "location.pathname === '/messages' && document.body.innerText.includes('readings are few')")
	open(t, ctx, p.url+"/alerts/0000000000000000")
	eval(t, ctx, 20*time.Second, "that there is none", "document.body.innerText.includes('there is no such alert')")
	p.stop()
}

// TestErrorsOnThePage: errors of the same cause stand together, have a link and a file, and are submitted again.
func TestErrorsOnThePage(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	ctx := browser(t)
	for n := range 3 {
		p.post("/submit/sensors/reading/1/"+docID(n), fmt.Appendf(nil, `{"sensor":%d}`, n))
		p.post("/submit/sensors/reading/1/"+docID(10+n), fmt.Appendf(nil, `{"sensor":"%d", broken`, n))
	}
	const list = "document.querySelectorAll('.failures > li').length"
	const causes = "document.querySelectorAll('.causes li').length"
	open(t, ctx, p.url+"/errors")
	eval(t, ctx, 20*time.Second, "two causes of six errors", list+" === 6 && "+causes+" === 2")
	run(t, ctx, "[...document.querySelectorAll('.causes button')].find((b) => b.innerText.includes('schema')).click()")
	eval(t, ctx, 20*time.Second, "one of them", list+" === 3 && !document.querySelector('#cause').hidden && /Path in the schema[^]*First seen[^]*3 in the last hour/.test(document.querySelector('#cause').innerText) && location.search.includes('cause=')")
	run(t, ctx, "document.querySelector('.failures details').open = true")
	eval(t, ctx, 20*time.Second, "what was submitted", "document.querySelector('.failures pre.payload')?.innerText.includes('sensor')")
	picture(t, ctx, "errors")
	run(t, ctx, "fetch(document.querySelector('.failures a[download]').href).then((r) => r.text()).then((s) => (document.body.dataset.file = s))")
	eval(t, ctx, 20*time.Second, "its file", `/^\{"sensor":\d\}$/.test(document.body.dataset.file)`)
	run(t, ctx, "[...document.querySelectorAll('.failures details[open] button')].find((b) => b.innerText === 'Submit again').click()")
	eval(t, ctx, 20*time.Second, "that it went again", "document.querySelector('.failures details[open]').innerText.includes('1 submission sent again')")
	until(t, 20*time.Second, "it was refused again", func() bool {
		var errors struct{ Total int }
		p.get("/errors?n=1", &errors)
		return errors.Total == 7
	})
	run(t, ctx, "[...document.querySelectorAll('#cause button')].find((b) => b.innerText === 'Submit all again').click()")
	eval(t, ctx, 20*time.Second, "that all went again", "document.querySelector('#cause').innerText.includes('4 submissions sent again')")
	run(t, ctx, "document.querySelector('.failures details[open] a[href*=\"position=\"]').click()")
	eval(t, ctx, 20*time.Second, "one by its link", "location.search.includes('position=') && document.querySelector('#one pre.payload')?.innerText.includes('sensor')")
	open(t, ctx, p.url+"/errors?position=9:9")
	eval(t, ctx, 20*time.Second, "that it is gone", "document.querySelector('#one').innerText.includes('no longer')")
	p.stop()
}

// TestDashboardsOnThePage: somebody composes a page of several plugins' series, payloads and text, and others see it and do not overwrite it.
func TestDashboardsOnThePage(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	ctx := browser(t)
	p.deploy("analysis", "alarm", alarmingConfig, alarming)
	p.deploy("analysis", "twin", alarmingConfig, alarming)
	p.deploy("analysis", "says", alarmingConfig, "function process_message() return 0 end\nfunction timer_event() inject_payload('txt', 'Words', 'as told <i>') end\n")
	until(t, 60*time.Second, "what all three show", func() bool {
		var all []struct{ Logger string }
		p.get("/series", &all)
		shown := map[string]bool{}
		for _, s := range all {
			shown[s.Logger] = true
		}
		return shown["analysis.alarm"] && shown["analysis.twin"] && shown["analysis.says"]
	})
	const choose = "{ const s = document.querySelector('[aria-label=\"%s\"]'); s.value = [...s.options].find((o) => o.value === '%s' || o.innerText === '%[2]s').value; s.dispatchEvent(new Event('change', {bubbles: true})) }"
	const add = "[...document.querySelectorAll('.board-add button')].find((b) => b.innerText === '%s').click()"
	const press = "[...document.querySelectorAll('#actions button')].find((b) => b.innerText === '%s').click()"
	const boxes = "document.querySelectorAll('.board-panel').length"
	open(t, ctx, p.url+"/dashboards")
	eval(t, ctx, 20*time.Second, "that there is none", "document.querySelector('#list').innerText.includes('No dashboards yet')")
	run(t, ctx, "{ const f = document.querySelector('#new'); f.elements.title.value = 'Über alles!'; f.requestSubmit() }")
	eval(t, ctx, 20*time.Second, "the new one", "location.pathname === '/dashboards/uber-alles' && document.querySelector('.board-add [aria-label=Plugin]')?.options.length >= 3")
	run(t, ctx, fmt.Sprintf(choose, "Plugin", "analysis.alarm"))
	eval(t, ctx, 20*time.Second, "its series", "document.querySelectorAll('.board-columns input').length >= 2")
	run(t, ctx, fmt.Sprintf(add, "Add it"))
	eval(t, ctx, 20*time.Second, "a panel", boxes+" === 1 && document.querySelector('.board-panel .legend')?.innerText.includes('others')")
	run(t, ctx, fmt.Sprintf(choose, "Plugin", "analysis.twin"))
	eval(t, ctx, 20*time.Second, "the series of the other", "document.querySelectorAll('.board-columns input').length >= 2")
	run(t, ctx, fmt.Sprintf(choose, "Where to", "0")+fmt.Sprintf(add, "Add it"))
	eval(t, ctx, 20*time.Second, "both in one graph", boxes+" === 1 && document.querySelector('.board-panel .legend')?.innerText.includes('twin · others') && document.querySelector('.board-panel .legend').innerText.includes('alarm · others')")
	run(t, ctx, fmt.Sprintf(choose, "Plugin", "analysis.says")+fmt.Sprintf(add, "Add it"))
	run(t, ctx, "document.querySelector('.board-add textarea').value = 'Ask Ann\\nfirst <b>'")
	run(t, ctx, fmt.Sprintf(add, "Add text"))
	run(t, ctx, "document.querySelectorAll('[aria-label=\"Move it up\"]')[2].click()")
	eval(t, ctx, 20*time.Second, "three panels", boxes+" === 3 && document.querySelectorAll('.board-panel')[1].innerText.includes('Ask Ann')")
	picture(t, ctx, "dashboard-edit")
	run(t, ctx, fmt.Sprintf(press, "Save"))
	eval(t, ctx, 20*time.Second, "that it is saved", "document.querySelector('#sum').innerText.includes('Version 2') && !location.search")
	open(t, ctx, p.url+"/dashboards/uber-alles")
	eval(t, ctx, 20*time.Second, "what others see", boxes+" === 3 && "+strings.ReplaceAll(painted, "SELECTOR", ".board-panel")+" && document.body.innerText.includes('as told <i>') && document.body.innerText.includes('first <b>') && document.querySelectorAll('.board-tools').length === 0")
	picture(t, ctx, "dashboard")
	run(t, ctx, fmt.Sprintf(press, "Edit"))
	run(t, ctx, `fetch('/api/v1/dashboards/uber-alles', {method: 'PUT', headers: {'Content-Type': 'application/json', 'If-Match': '"2"'}, body: JSON.stringify({title: 'Theirs', panels: []})}).then((r) => (document.body.dataset.put = r.status))`)
	eval(t, ctx, 20*time.Second, "the other's version", "document.body.dataset.put === '200'")
	run(t, ctx, "document.querySelectorAll('.board-tools button')[2].click()")
	run(t, ctx, fmt.Sprintf(press, "Save"))
	eval(t, ctx, 20*time.Second, "that somebody else was first", "document.querySelector('#trouble').innerText.includes('Somebody else') && "+boxes+" === 3")
	run(t, ctx, fmt.Sprintf(press, "Cancel"))
	eval(t, ctx, 20*time.Second, "theirs", "document.querySelector('h1').innerText === 'Theirs' && document.body.innerText.includes('Nothing on it yet')")
	open(t, ctx, p.url+"/dashboards")
	eval(t, ctx, 20*time.Second, "the list", "document.querySelector('#list').innerText.includes('Theirs') && document.querySelector('#sum').innerText === '1 dashboard'")
	picture(t, ctx, "dashboards")
	p.stop()
}
