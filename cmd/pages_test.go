package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// run evaluates statements in the page.
func run(t testing.TB, ctx context.Context, script string) {
	t.Helper()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("{"+script+"}; true")); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
}

func open(t testing.TB, ctx context.Context, url string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(url), chromedp.WaitVisible("main[tabindex]")); err != nil { // the bare word would be looked for in texts too
		t.Fatalf("open %s: %v", url, err)
	}
}

// deploy sends a plugin over the API.
func (p *process) deploy(kind, name, config, source string) {
	p.t.Helper()
	body, err := json.Marshal(map[string]any{"kind": kind, "name": name, "config": config, "source": source, "replace": true})
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := http.Post(p.url+"/api/v1/plugins", "application/json", bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	if text, err := io.ReadAll(res.Body); err != nil || res.StatusCode/100 != 2 {
		p.t.Fatalf("deploy %s: %s %v %s", name, res.Status, err, text)
	}
}

// wider lists what stands out of the window: no page scrolls sideways, and only what scrolls by itself holds more than it shows.
const wider = `[...document.querySelectorAll('body *')].filter(e => {
	const r = e.getBoundingClientRect()
	if (r.width === 0 || r.right <= document.documentElement.clientWidth + 1) return false
	for (let up = e.parentElement; up && up !== document.body; up = up.parentElement) {
		if (getComputedStyle(up).overflowX !== 'visible') return false
	}
	return true
}).map(e => e.tagName + '#' + e.id + '.' + e.className + ' ' + Math.round(e.getBoundingClientRect().right)).slice(0, 5).join()`

// TestWords holds that nothing a plugin or a submitter writes makes a page wider than its window.
func TestWords(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	p := start(t, t.TempDir(), "serve")
	word := strings.Repeat("w", 10000)
	p.deploy("analysis", "words", "filename = 'words.lua' message_matcher = 'FALSE' ticker_interval = 1 preserve_data = false\n"+
		"alert = {throttle = 60, modules = {web = {}}}", "-- "+word+`
require "string"
local alert, word = require "heka.alert", string.rep("w", 10000)
require "circular_buffer"
local cb = circular_buffer.new(60, 1, 1)
cb:set_header(1, string.rep("w", 40))
function process_message() return 0 end
function timer_event(ns)
    cb:add(ns, 1, 1)
    print(word)
    inject_payload("txt", word:sub(1, 200), word)
    inject_payload("cbuf", word:sub(1, 190), cb)
    alert.send(word:sub(1, 200), word, word)
end`)
	p.deploy("analysis", strings.Repeat("n", 60), "filename = 'n.lua' message_matcher = \"Type == 'telemetry' || TRUE\"", "function process_message() error(string.rep('w', 10000)) end")
	for i := range 3 {
		p.post("/submit/sensors/reading/1/"+docID(i), []byte(`{"`+word+`":"`+word+`"}`))
	}
	until(t, 60*time.Second, "an alert, an error and a terminated plugin", func() bool {
		var alerts struct{ Total int }
		var errors struct{ Total int }
		p.get("/alerts?n=1", &alerts)
		p.get("/errors?n=1", &errors)
		return alerts.Total > 0 && errors.Total == 3 && p.plugins()["analysis."+strings.Repeat("n", 60)].State == "terminated"
	})
	for _, width := range []int64{1400, 390} {
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 1200)); err != nil {
			t.Fatal(err)
		}
		for _, page := range []struct{ name, path, shows, then string }{
			{"overview", "/", `document.body.innerText.includes('www')`, ""},
			{"plugin", "/plugins/analysis.words", `document.querySelectorAll('.graph').length > 0 && document.querySelector('ol.code')`, ""},
			{"ended", "/plugins/analysis." + strings.Repeat("n", 60), `document.querySelector('#ended-by')`, `document.querySelector('#ended-by').open = true`},
			{"editor", "/deploy?plugin=analysis.words", `document.querySelector('#source')?.value.length > 10000`, ""},
			{"alerts", "/alerts", `document.body.innerText.includes('www')`, `document.querySelectorAll('details').forEach(d => d.open = true)`},
			{"errors", "/errors", `document.querySelectorAll('.failures li').length === 3`, `document.querySelector('.failures details').open = true`},
			{"schemas", "/schemas?schema=telemetry/main/4", `document.querySelectorAll('.schema-table tbody tr').length > 20`, `document.querySelector('.schema-source').open = true`},
			{"messages", "/messages?stream=errors&matcher=" + word[:3000], `!document.querySelector('#matcher-fault').hidden`, ""},
			{"message", "/messages?stream=derived", `document.querySelectorAll('.messages li').length > 1 && document.querySelectorAll('.known li').length > 3`, `document.querySelectorAll('.messages details, .known details').forEach((d) => (d.open = true))`},
		} {
			open(t, ctx, p.url+page.path)
			eval(t, ctx, 20*time.Second, "what "+page.path+" is about", page.shows)
			run(t, ctx, page.then)
			if page.name == "errors" {
				eval(t, ctx, 20*time.Second, "what was submitted", `document.querySelector('pre.payload')`)
			}
			got, err := chromedp.Run(ctx, chromedp.Evaluate[string](wider))
			if err != nil || got != "" {
				t.Errorf("%s at %d pixels: wider than the window: %s %v", page.path, width, got, err)
			}
			picture(t, ctx, fmt.Sprintf("words-%d-%s", width, page.name))
		}
	}
	p.stop()
}

// TestWorkStays holds that what somebody types, zooms into or reads is not taken away by what comes in meanwhile.
func TestWorkStays(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	p := start(t, t.TempDir(), "serve")
	const config = "filename = 'mine.lua' message_matcher = 'FALSE' ticker_interval = 1"
	const source = "require 'circular_buffer'\nlocal cb, n = circular_buffer.new(600, 1, 1), 0\n" +
		"function process_message() return 0 end\nfunction timer_event(ns) n = n + 1 cb:set(ns, 1, n) inject_payload('cbuf', 'Kept', cb) end\n"
	p.deploy("analysis", "mine", config, source)

	// A draft outlives the page, and a deployment of somebody else.
	edit := p.url + "/deploy?plugin=analysis.mine"
	open(t, ctx, edit)
	eval(t, ctx, 20*time.Second, "the source", `document.querySelector('#source')?.value.includes('Kept')`)
	run(t, ctx, `const e = document.querySelector('#source'); e.value = '-- typed\n' + e.value; e.dispatchEvent(new Event('input', {bubbles: true}))`)
	eval(t, ctx, 10*time.Second, "the draft in the browser", `localStorage.getItem('draft:analysis.mine')`)
	open(t, ctx, p.url+"/")
	p.deploy("analysis", "mine", config, "-- quicker\n"+source)
	open(t, ctx, edit)
	eval(t, ctx, 20*time.Second, "the offer of the draft", `document.querySelector('#draft button')`)
	run(t, ctx, `document.querySelector('#draft button').click()`)
	eval(t, ctx, 10*time.Second, "what was typed", `document.querySelector('#source').value.startsWith('-- typed')`)
	run(t, ctx, `document.querySelector('form [type=submit]').click()`)
	eval(t, ctx, 10*time.Second, "that somebody was quicker", `document.body.innerText.includes('Somebody was quicker')`)
	picture(t, ctx, "quicker")
	var detail struct{ Source string }
	if p.get("/plugins/analysis.mine", &detail); !strings.HasPrefix(detail.Source, "-- quicker") {
		t.Errorf("the work of the quicker one was overwritten: %.40s", detail.Source)
	}

	// A part of a graph that was zoomed into stays while values come in.
	open(t, ctx, p.url+"/plugins/analysis.mine")
	eval(t, ctx, 20*time.Second, "a graph", `document.querySelector('.u-over')`)
	run(t, ctx, `const o = document.querySelector('.u-over'), r = o.getBoundingClientRect(), y = r.top + r.height / 2
		const at = (kind, on, part) => on.dispatchEvent(new MouseEvent(kind, {bubbles: true, movementX: 9, clientX: r.left + r.width * part, clientY: y, button: 0}))
		at('mousemove', o, 0.3); at('mousedown', o, 0.3); at('mousemove', document, 0.6); at('mousemove', o, 0.6); at('mouseup', document, 0.6)`)
	eval(t, ctx, 10*time.Second, "that a part is shown", `document.querySelector('.graph-zoom:not([hidden])')`)
	run(t, ctx, `window.span = document.querySelector('.plot').dataset.span; window.value = document.querySelector('.legend-value').innerText`)
	eval(t, ctx, 20*time.Second, "newer values", `+document.querySelector('.legend-value').innerText >= +window.value + 2`)
	eval(t, ctx, time.Second, "the same part", `window.span && document.querySelector('.plot').dataset.span === window.span`)
	picture(t, ctx, "zoomed")

	// An error that is open stays where it is, and older ones are on further pages.
	for i := range 120 {
		if status := p.post("/submit/sensors/reading/1/"+docID(i), []byte(`{"version":1}`)); status != http.StatusOK {
			t.Fatalf("submission %d: %d", i, status)
		}
	}
	total := func() int {
		var errors struct{ Total int }
		p.get("/errors?n=1", &errors)
		return errors.Total
	}
	until(t, 20*time.Second, "the errors", func() bool { return total() == 120 })
	open(t, ctx, p.url+"/errors")
	eval(t, ctx, 20*time.Second, "the newest errors", `document.querySelectorAll('.failures li').length === 100`)
	run(t, ctx, `document.querySelectorAll('.failures details')[3].open = true`)
	eval(t, ctx, 20*time.Second, "what was submitted", `document.querySelector('.failures details[open] pre.payload')?.innerText.includes('version')`)
	for i := range 5 {
		p.post("/submit/sensors/reading/1/"+docID(1000+i), []byte(`{"version":2}`))
	}
	eval(t, ctx, 20*time.Second, "that there are new ones", `document.querySelector('.news:not([hidden])')?.innerText.startsWith('5 new')`)
	eval(t, ctx, 10*time.Second, "the open one in its place", `document.querySelectorAll('.failures details')[3].open && document.querySelectorAll('.failures li').length === 100`)
	picture(t, ctx, "errors-new")
	run(t, ctx, `document.querySelector('.news').click()`)
	eval(t, ctx, 10*time.Second, "the open one behind the new ones", `document.querySelectorAll('.failures details')[8].open`)
	run(t, ctx, `document.querySelector('#more').click()`)
	eval(t, ctx, 10*time.Second, "all of them", `document.querySelectorAll('.failures li').length === 125 && document.querySelector('#more').hidden`)

	// A restart does not reload a page with work on it.
	open(t, ctx, edit)
	eval(t, ctx, 20*time.Second, "the offer of the draft", `document.querySelector('#draft button')`)
	run(t, ctx, `document.querySelector('#draft button').click(); window.here = true`)
	p.stop()
	eval(t, ctx, 30*time.Second, "that it is away", `document.documentElement.dataset.host === 'away' && document.querySelector('#live').innerText.includes('No connection since')`)
	_, port, _ := strings.Cut(strings.TrimPrefix(p.url, "http://"), ":")
	p = start(t, p.data, "serve", "--listen", "127.0.0.1:"+port)
	eval(t, ctx, 30*time.Second, "that the host was restarted", `document.querySelector('#restarted') && !document.documentElement.dataset.host`)
	eval(t, ctx, time.Second, "what was typed", `window.here && document.querySelector('#source').value.startsWith('-- typed')`)
	picture(t, ctx, "restarted")
	p.stop()
}
