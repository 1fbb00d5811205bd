package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// shown is a page, and when there is something to see on it.
type shown struct{ name, path, ready, then string }

// allPages are those of a demo that preparePages has filled.
func allPages(alertKey string) []shown {
	return []shown{
		{"overview", "/", `document.querySelectorAll('#graphs canvas').length > 3 && document.querySelector('#newest li')`, ""},
		{"plugins", "/plugins", `document.querySelectorAll('table.plugins tbody tr').length > 5`, ""},
		{"plugin", "/plugins/analysis.alarm", `document.querySelector('.graph canvas') && document.querySelector('#versions li') && document.querySelector('#source-part, ol.code')`, ""},
		{"ended", "/plugins/analysis.broken", `document.querySelector('#trouble .problem')`, ""},
		{"messages", "/messages?stream=valid&matcher=" + "Fields%5BdocType%5D%20%3D%3D%20%27main%27", `document.querySelectorAll('.messages li').length > 3 && document.querySelectorAll('.known li').length > 5`, ""},
		{"schemas", "/schemas?schema=telemetry/main/4", `document.querySelectorAll('.schema-table tbody tr').length > 20`, ""},
		{"dashboards", "/dashboards", `document.querySelectorAll('#list li').length === 1`, ""},
		{"dashboard", "/dashboards/demo", `document.querySelectorAll('.board-panel canvas').length > 1`, ""},
		{"dashboard-edit", "/dashboards/demo?edit", `document.querySelector('.board-columns input') && document.querySelectorAll('.board-panel canvas').length > 1`, ""},
		{"alerts", "/alerts", `document.querySelectorAll('#firing li').length > 1 && document.querySelectorAll('#list tbody tr').length > 1`, ""},
		{"alert", "/alerts/" + alertKey, `document.querySelector('#graphs canvas')`, ""},
		{"errors", "/errors", `document.querySelectorAll('.failures li').length > 3 && document.querySelectorAll('.causes li').length > 1`, `document.querySelector('.causes button').click()`},
		{"lake", "/lake?dataset=parquet/main/v4", `document.querySelectorAll('#preview tbody tr').length > 0 && document.querySelectorAll('#columns tbody tr').length > 5`, ""},
		{"deploy", "/deploy", `document.querySelector('code-editor')?.shadowRoot?.querySelector('.cm-content')`, `document.querySelectorAll('#templates button')[0].click()`},
		{"edit", "/deploy?plugin=analysis.alarm", `document.querySelector('#source')?.value.length > 100`, ""},
		{"try", "/deploy?plugin=analysis.alarm", `document.querySelector('#source')?.value.length > 100 && (window.tried ??= (document.querySelector('#try-begin').click(), true)) && / of /.test(document.querySelector('#try-said').innerText) && document.querySelector('.trial canvas')`,
			`document.querySelector('#try-head').scrollIntoView()`},
		{"help", "/help/plugin-api", `document.querySelector('main h1')`, ""},
		{"help-try", "/help/try", `document.querySelector('main h1')`, ""},
	}
}

// preparePages fills a demo with one of everything, and returns the key of an alert.
func (p *process) preparePages() (alertKey string) {
	p.t.Helper()
	p.deploy("analysis", "alarm", strings.Replace(alarmingConfig, "Fields[docType] == 'reading'", "Type == 'telemetry'", 1), alarming)
	p.deploy("analysis", "alarm", strings.Replace(alarmingConfig, "Fields[docType] == 'reading'", "Type == 'telemetry'", 1), alarming+"-- with a second version\n")
	p.deploy("analysis", "broken", "filename = 'p.lua'\nmessage_matcher = \"Type == 'telemetry'\"\n", "function process_message() error('as told') end\n")
	for n := range 4 {
		p.post("/submit/sensors/reading/1/"+docID(n), []byte(`{"version":1}`))
		p.post("/submit/sensors/reading/1/"+docID(10+n), []byte(`{"version":`))
	}
	board := `{"title":"How the demo does","panels":[{"text":"What comes in, and what it is.","wide":true},
		{"title":"Messages","series":[{"plugin":"analysis.alarm","graph":"Rates","column":"readings"},{"plugin":"analysis.rate","graph":"Documents by type","column":"main"}]},
		{"title":"Documents","payload":{"plugin":"analysis.rate","name":"Documents by type","type":"cbuf"}}]}`
	req, err := http.NewRequest(http.MethodPut, p.url+"/api/v1/dashboards/demo", strings.NewReader(board))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		p.t.Fatal(res, err)
	}
	res.Body.Close()
	until(p.t, 90*time.Second, "alerts, errors and files in the lake", func() bool {
		var alerts struct {
			Alerts []struct{ Key, Logger, ID string }
		}
		var errors struct{ Total int }
		var lake struct{ Datasets []struct{ Name string } }
		p.get("/alerts?n=100&logger=analysis.alarm&id=Rates", &alerts)
		p.get("/errors?n=1", &errors)
		p.get("/lake", &lake)
		found := false
		for _, d := range lake.Datasets {
			found = found || d.Name == "parquet/main/v4"
		}
		if len(alerts.Alerts) > 0 {
			alertKey = alerts.Alerts[0].Key
		}
		return alertKey != "" && errors.Total >= 8 && found && p.plugins()["analysis.broken"].State == "terminated"
	})
	return alertKey
}

// TestPages opens every page, light and dark, on a desktop and a phone, with data on it: axe finds nothing, nothing is wider than the window, and the first paint comes
// soon. With SANDBAR_SCREENSHOTS it keeps pictures of all; .ci/pictures does so.
func TestPages(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile("../.ci/tools/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Skip("axe is not here: npm ci --prefix .ci/tools")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "sandbar.toml")
	if err := os.WriteFile(config, []byte("[lake]\nroll_age = \"2s\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, filepath.Join(dir, "data"), demo("--config", config)...)
	pages := allPages(p.preparePages())
	ctx := browser(t)
	slowest, which := 0.0, ""
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int64{1400, 390} {
			if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 1200)); err != nil {
				t.Fatal(err)
			}
			for _, one := range pages {
				name := fmt.Sprintf("%s %s %d", one.name, theme, width)
				open(t, ctx, p.url+one.path)
				run(t, ctx, "localStorage.setItem('theme', '"+theme+"')")
				open(t, ctx, p.url+one.path)
				eval(t, ctx, 30*time.Second, name, one.ready)
				if one.then != "" {
					run(t, ctx, one.then)
				}
				paint, err := chromedp.Run(ctx, chromedp.Evaluate[float64]("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"))
				if err != nil {
					t.Fatal(err)
				}
				if paint > slowest {
					slowest, which = paint, name
				}
				if got, err := chromedp.Run(ctx, chromedp.Evaluate[string](wider)); err != nil || got != "" {
					t.Errorf("%s: wider than the window: %s %v", name, got, err)
				}
				for _, f := range findings(t, ctx, string(axe)) {
					t.Errorf("%s: %s", name, f)
				}
				picture(t, ctx, fmt.Sprintf("page-%s-%s-%d", one.name, theme, width))
				if theme == "light" && width == 1400 {
					small(t, ctx, one.name)
				}
			}
		}
	}
	t.Logf("the slowest first paint: %.0f ms, %s", slowest, which)
	if slowest > 3000 { // 300 on a quiet machine; docs/tour.md has the figures
		t.Errorf("%s: first paint after %.0f ms", which, slowest)
	}
	p.stop()
}

// small keeps a picture for docs/tour.md when SANDBAR_SCREENSHOTS names a folder.
func small(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("SANDBAR_SCREENSHOTS")
	if dir == "" {
		return
	}
	quality, surface := int64(60), true
	r, err := chromedp.Run(ctx, chromedp.Action[page.CaptureScreenshotResult](func(ctx context.Context, target *chromedp.Target) (page.CaptureScreenshotResult, error) {
		return cdp.Call(ctx, target, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatWebp, Quality: &quality, FromSurface: &surface})
	}))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".webp"), r.Data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestTour: every picture of the tour is there, and is of a page that TestPages opens.
func TestTour(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/tour.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`\(images/([a-z-]+)\.webp\)`).FindAllStringSubmatch(string(text), -1)
	if len(named) < 8 {
		t.Errorf("the tour has %d pictures", len(named))
	}
	for _, m := range named {
		known := slices.ContainsFunc(allPages("x"), func(s shown) bool { return s.name == m[1] })
		if info, err := os.Stat("../docs/images/" + m[1] + ".webp"); err != nil || info.Size() < 5000 || !known {
			t.Errorf("picture %s: %v, of a page that TestPages opens: %t; make it with .ci/pictures FOLDER tour", m[1], err, known)
		}
	}
}

// findings are what axe has against a page: the rules of WCAG 2.2 A and AA, and its best practices.
func findings(t *testing.T, ctx context.Context, axe string) []string {
	t.Helper()
	run(t, ctx, axe+`; document.body.dataset.axe = ''; axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then((r) => {
		document.body.dataset.axe = JSON.stringify(r.violations.map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.target + ' ' + (n.any[0]?.message ?? n.all[0]?.message ?? n.none[0]?.message ?? '')).join('; ')))
	}, (e) => (document.body.dataset.axe = JSON.stringify([String(e)])))`)
	eval(t, ctx, 30*time.Second, "axe's findings", "document.body.dataset.axe")
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.dataset.axe"))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	return list
}
