package cmd

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestGraphsOnThePage: the graphs of a page show one range, which stands in the address, and one line under the pointer; each can be drawn in other
// ways, is walked through with the keyboard, and has a table and files; where the plugin was changed is marked.
func TestGraphsOnThePage(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	ctx := browser(t)
	// Two graphs of 20 000 and 600 rows, of which half a row in ten is empty.
	p.deploy("analysis", "g", "filename = 'g.lua'\nmessage_matcher = 'FALSE'\nticker_interval = 1\noutput_limit = 1048576\nmemory_limit = 0\ninstruction_limit = 0\n", `
require "math"
require "circular_buffer"
local long, short = circular_buffer.new(20000, 2, 1), circular_buffer.new(600, 1, 1)
long:set_header(1, "wave", "ms", "max")
long:set_header(2, "other", "count", "sum")
local begun = false
function process_message() return 0 end
function timer_event(ns)
    if not begun then
        begun = true
        for i = 0, 19990 do
            local at = ns - i * 1e9
            if i < 200 or i > 1000 then long:set(at, 1, 50 + 40 * math.sin(i / 300)) end
            long:set(at, 2, i % 7)
            if i < 590 then short:set(at, 1, i) end
        end
    end
    inject_payload("cbuf", "long", long)
    inject_payload("cbuf", "short", short)
end`)
	open(t, ctx, p.url+"/plugins/analysis.g")
	eval(t, ctx, 30*time.Second, "both graphs", "document.querySelectorAll('#payloads .graph canvas').length === 2")
	const long, short = "document.querySelectorAll('#payloads .graph')[0]", "document.querySelectorAll('#payloads .graph')[1]"
	span := func(of string) string { return "Number(" + of + ".querySelector('.plot').dataset.span)" }
	eval(t, ctx, 5*time.Second, "all of them", span(long)+" > 19000 && "+span(short)+" < 700")
	picture(t, ctx, "graphs")

	run(t, ctx, "{ const s = document.querySelector('#range select'); s.value = '300'; s.dispatchEvent(new Event('change')) }")
	eval(t, ctx, 5*time.Second, "five minutes of both", span(long)+" === 300 && "+span(short)+" === 300 && location.search === '?last=300'")
	open(t, ctx, p.url+"/plugins/analysis.g?last=300")
	eval(t, ctx, 30*time.Second, "the range of the address", "document.querySelectorAll('#payloads .graph canvas').length === 2 && "+span(short)+" === 300")

	// A part that is dragged over is that of all graphs.
	run(t, ctx, `{ const o = `+short+`.querySelector('.u-over'), r = o.getBoundingClientRect(), y = r.top + r.height / 2
		const at = (kind, on, part) => on.dispatchEvent(new MouseEvent(kind, {bubbles: true, movementX: 9, clientX: r.left + r.width * part, clientY: y, button: 0}))
		at('mousemove', o, 0.3); at('mousedown', o, 0.3); at('mousemove', document, 0.6); at('mousemove', o, 0.6); at('mouseup', document, 0.6) }`)
	eval(t, ctx, 5*time.Second, "a part of both", span(long)+" < 290 && "+span(long)+" === "+span(short)+" && new URL(location).searchParams.get('from') && !"+long+".querySelector('.graph-zoom').hidden")
	run(t, ctx, long+".querySelector('.graph-zoom').click()")
	eval(t, ctx, 5*time.Second, "five minutes again", span(long)+" === 300")
	run(t, ctx, "{ const s = document.querySelector('#range select'); s.value = '0'; s.dispatchEvent(new Event('change')) }")

	// The keyboard walks; the line is in both graphs, the values where one is.
	run(t, ctx, long+".querySelector('.plot').focus(); for (const key of ['Home', 'ArrowRight', 'End', 'ArrowLeft']) "+long+".querySelector('.plot').dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}))")
	eval(t, ctx, 5*time.Second, "the values under the line", "!"+long+".querySelector('.tip').hidden && "+long+".querySelector('.tip').innerText.includes('wave') && "+short+".querySelector('.tip').hidden && "+short+".querySelector('.u-cursor-x').style.transform !== ''")

	for i, c := range []string{"Logarithmic", "Stacked", "Bars"} {
		run(t, ctx, fmt.Sprintf("{ "+long+".querySelector('.menu').open = true; "+long+".querySelectorAll('.menu-box input[type=checkbox]')[%d].click() }", i))
		eval(t, ctx, 5*time.Second, c, painted2(long))
	}
	picture(t, ctx, "graph-menu")
	run(t, ctx, long+".querySelectorAll('.menu-box input[type=checkbox]')[3].click()")
	eval(t, ctx, 5*time.Second, "a table", long+".querySelectorAll('.graph-table tbody tr').length > 100 && "+long+".querySelector('.graph-table thead').innerText.includes('wave (ms)')")
	// Files: what a click would save.
	run(t, ctx, `window.saved = []; const make = URL.createObjectURL; URL.createObjectURL = (b) => { b.text().then((text) => window.saved.push([b.type, b.size, text.slice(0, 300)])); return make.call(URL, b) }; HTMLAnchorElement.prototype.click = () => {};
		for (const b of `+long+`.querySelectorAll('.menu-box .actions button')) if (b.innerText !== 'Full screen') b.click()`)
	eval(t, ctx, 10*time.Second, "three files", `window.saved.length === 3 && window.saved.some(([t, n]) => t === 'image/png' && n > 2000) && window.saved.some(([t, n, s]) => t === 'text/csv' && s.startsWith('time,wave,other\n2')) && window.saved.some(([t, n, s]) => t === 'application/json' && s.startsWith('{"time":'))`)

	// Ten columns of ten thousand values are drawn in less than a frame while somebody pans.
	p.deploy("analysis", "many", "filename = 'many.lua'\nmessage_matcher = 'FALSE'\nticker_interval = 1\noutput_limit = 1048576\nmemory_limit = 0\ninstruction_limit = 0\n", `
local many = require "circular_buffer".new(10000, 10, 1)
local begun = false
function process_message() return 0 end
function timer_event(ns)
    if begun then return end
    begun = true
    for i = 0, 9990 do
        for c = 1, 10 do many:set(ns - i * 1e9, c, (i * c) % 97) end
    end
    inject_payload("cbuf", "many", many)
end`)
	open(t, ctx, p.url+"/plugins/analysis.many")
	eval(t, ctx, 30*time.Second, "ten columns", "document.querySelectorAll('#payloads .legend-item').length === 10")
	run(t, ctx, "{ const s = document.querySelector('#range select'); s.value = '3600'; s.dispatchEvent(new Event('change')) }")
	// Painting itself is the browser's, here without a graphics card. The fastest tell what drawing costs; the others were interrupted by what else runs here.
	run(t, ctx, `(async () => { const all = []; for (let i = 0; i < 31; i++) { const begun = performance.now(); const s = document.querySelector('#range select'); s.value = i % 2 ? '3600' : '0'; s.dispatchEvent(new Event('change')); for (let k = 0; k < 5; k++) await 0; all.push(performance.now() - begun); await new Promise((d) => setTimeout(d, 20)) } window.fast = all.sort((a, b) => a - b)[3] })()`)
	eval(t, ctx, 20*time.Second, "what drawing costs", "window.fast")
	took, err := chromedp.Run(ctx, chromedp.Evaluate[float64]("window.fast"))
	most := 16.0
	if raceEnabled { // everything else runs at the same time then; .ci/run also measures it by itself
		most = 100
	}
	if err != nil || took > most {
		t.Errorf("ten columns of ten thousand values take %.1f ms to draw, %v", took, err)
	}
	t.Logf("ten columns of ten thousand values take %.1f ms to draw", took)
	p.stop()
}

// TestHistoryOnThePage: a graph shows more than its circular buffer holds, also after the host was killed.
func TestHistoryOnThePage(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	ctx := browser(t)
	p.deploy("analysis", "h", "filename = 'h.lua'\nmessage_matcher = 'FALSE'\nticker_interval = 1\npreserve_data = true\n", `
require "circular_buffer"
n, cb = 0, circular_buffer.new(20, 1, 1)
cb:set_header(1, "n", "count", "max")
function process_message() return 0 end
function timer_event(ns)
    n = n + 1
    cb:set(ns, 1, n)
    inject_payload("cbuf", "short", cb)
end`)
	rows := func() int {
		var answer struct {
			Data *struct {
				Values [][]*float64
			}
		}
		p.get("/plugins/analysis.h/history?payload=short&points=5000", &answer)
		n := 0
		if answer.Data != nil {
			for _, row := range answer.Data.Values {
				if row[0] != nil {
					n++
				}
			}
		}
		return n
	}
	until(t, 60*time.Second, "more than the buffer", func() bool { return rows() > 28 })
	p.kill()
	_, port, _ := strings.Cut(strings.TrimPrefix(p.url, "http://"), ":")
	p = start(t, p.data, "serve", "--listen", "127.0.0.1:"+port)
	until(t, 60*time.Second, "what was before it was killed, and after", func() bool { return rows() > 34 })
	open(t, ctx, p.url+"/plugins/analysis.h?last=3600")
	eval(t, ctx, 30*time.Second, "all of it in the graph", "document.querySelectorAll('#payloads .graph canvas').length === 1 && (document.querySelector('#payloads .menu').open = true) && (document.querySelectorAll('#payloads .menu-box input[type=checkbox]')[3].checked || document.querySelectorAll('#payloads .menu-box input[type=checkbox]')[3].click() || true) && document.querySelectorAll('#payloads .graph-table tbody tr').length > 30")
	picture(t, ctx, "history")
	p.stop()
}

// painted2 says that a canvas of an element holds more than one colour.
func painted2(of string) string {
	return `[...` + of + `.querySelectorAll('canvas')].some(c => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; const seen = new Set(); for (let i = 0; i < d.length; i += 4) if (d[i+3]) seen.add(d[i] << 16 | d[i+1] << 8 | d[i+2]); return seen.size > 3 })`
}
