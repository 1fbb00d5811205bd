package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestUpload submits a WASM module on the page: a broken one is told with its byte, a good one shows what it is, runs, and draws its
// graph.
func TestUpload(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	dir := counterIn(t, "c", "uploaded")
	good := filepath.Join(dir, "analysis", "uploaded.wasm")
	module, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "broken.wasm")
	if err := os.WriteFile(broken, module[:len(module)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	p := start(t, t.TempDir(), "serve")
	open(t, ctx, p.url+"/deploy")
	eval(t, ctx, 20*time.Second, "a name", `document.querySelector('[name=name]').value !== ''`)
	run(t, ctx, `const e = document.querySelector('[name=name]'); e.value = 'uploaded'; e.dispatchEvent(new Event('input', {bubbles: true}))`)
	upload := func(path string) {
		t.Helper()
		if err := chromedp.Do(ctx, chromedp.SetUploadFiles("#module-file", []string{path})); err != nil {
			t.Fatal(err)
		}
	}
	upload(broken)
	eval(t, ctx, 20*time.Second, "the byte that is at fault", `document.querySelector('#fault').innerText.match(/byte \d+.*section/)`)
	picture(t, ctx, "upload-broken")
	upload(good)
	eval(t, ctx, 20*time.Second, "what the module is", `document.querySelector('#module-box').innerText.match(/SHA-256/) && document.querySelector('#said').innerText.includes('It loads')`)
	eval(t, ctx, 20*time.Second, "the file in the config", `document.querySelector('#config').value.includes('filename = "uploaded.wasm"')`)
	run(t, ctx, `document.querySelectorAll('#module-box details').forEach(d => d.open = true)`)
	picture(t, ctx, "upload")
	config := strings.ReplaceAll(totalled, "NAME", "uploaded")
	run(t, ctx, "const e = document.querySelector('#config'); e.value = `"+config+"`; e.dispatchEvent(new Event('input', {bubbles: true})); document.querySelector('form [type=submit]').click()")
	eval(t, ctx, 20*time.Second, "the page of the plugin", `location.pathname === '/plugins/analysis.uploaded'`)
	for n := range 20 {
		p.post("/submit/sensors/reading/1/"+docID(n), reading(docID(n)))
	}
	eval(t, ctx, 20*time.Second, "its graph", strings.Replace(painted, "SELECTOR", "#payloads", 1))
	eval(t, ctx, 20*time.Second, "its text", `document.body.innerText.includes('20 messages of')`)
	eval(t, ctx, 20*time.Second, "what the module is", `document.querySelector('#source').innerText.match(/SHA-256[\s\S]*imports[\s\S]*exports[\s\S]*Download/)`)
	picture(t, ctx, "upload-plugin")
	// The config of a module is changed without choosing the file again.
	if err := chromedp.Do(ctx, chromedp.Navigate(p.url+"/deploy?plugin=analysis.uploaded")); err != nil {
		t.Fatal(err)
	}
	eval(t, ctx, 20*time.Second, "the module", `document.querySelector('#module-box').innerText.includes('uploaded.wasm')`)
	run(t, ctx, "const e = document.querySelector('#config'); e.value += 'seconds_per_row = 1\\n'; e.dispatchEvent(new Event('input', {bubbles: true})); document.querySelector('form [type=submit]').click()")
	eval(t, ctx, 20*time.Second, "the page of the plugin again", `location.pathname === '/plugins/analysis.uploaded'`)
	p.stop()
}
