package cmd

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestWatchOnThePage: the list of plugins finds, filters and sorts, with what is broken on top; a plugin's page has the messages that it failed on, tries
// one again, opens it in Try with a mended source, and shows how the plugin fared.
func TestWatchOnThePage(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	ctx := browser(t)
	const config = "filename = 'p.lua'\nmessage_matcher = \"Fields[docType] == 'reading'\"\n"
	for n := range 120 {
		p.deploy("analysis", fmt.Sprintf("idle%03d", n), "filename = 'p.lua'\nmessage_matcher = 'FALSE'\n", wellBehaved)
	}
	p.deploy("analysis", "picky", config, "n = 0\nfunction process_message()\n    n = n + 1\n    if n > 2 then return -1, 'too many <b>' end\n    return 0\nend\n")
	p.deploy("analysis", "zdies", config, "function process_message() error('as told') end\n")
	for n := range 5 {
		p.post("/submit/sensors/reading/1/"+docID(n), reading(docID(n)))
	}
	p.settled()

	const first = "document.querySelector('table.plugins tbody tr')?.innerText"
	const rows = "document.querySelectorAll('table.plugins tbody tr').length"
	open(t, ctx, p.url+"/plugins")
	eval(t, ctx, 20*time.Second, "what is broken on top", first+".includes('zdies') && "+rows+" === 100 && document.querySelector('#more').innerText.includes('more') && document.querySelector('#sum').innerText.includes('1 terminated')")
	picture(t, ctx, "plugins")
	run(t, ctx, "document.querySelector('#more').click()")
	eval(t, ctx, 20*time.Second, "all", rows+" > 125 && document.querySelector('#more').hidden")
	for _, c := range []struct{ set, want string }{
		{"f.text.value = 'pick'; f.text.dispatchEvent(new Event('input', {bubbles: true}))", rows + " === 1 && " + first + ".includes('picky')"},
		{"f.text.value = ''; f.state.value = 'broken'; f.state.dispatchEvent(new Event('change', {bubbles: true}))", rows + " === 1 && " + first + ".includes('as told')"},
		{"f.state.value = ''; f.owner.value = 'Sandbar'; f.owner.dispatchEvent(new Event('change', {bubbles: true}))", fmt.Sprint(rows, " === ", shipped(t))},
		{"f.owner.value = ''; f.sort.value = 'failed'; f.sort.dispatchEvent(new Event('change', {bubbles: true}))", "document.querySelectorAll('table.plugins tbody tr')[1]?.innerText.includes('picky')"},
		{"f.sort.value = 'name'; f.kind.value = 'output'; f.kind.dispatchEvent(new Event('change', {bubbles: true}))", rows + " === 2"},
		{"f.text.value = 'nothing is called so'; f.text.dispatchEvent(new Event('input', {bubbles: true}))", "document.querySelector('#rows').innerText.includes('No plugin fits')"},
	} {
		run(t, ctx, "{ const f = document.querySelector('#filter').elements; "+c.set+" }")
		eval(t, ctx, 20*time.Second, c.set, c.want)
	}
	eval(t, ctx, 5*time.Second, "the address", "location.search.includes('kind=output')")

	open(t, ctx, p.url+"/plugins/analysis.picky")
	eval(t, ctx, 20*time.Second, "what it failed on", "!document.querySelector('#letters-part').hidden && document.querySelector('#letters').innerText.includes('too many <b>') && document.querySelector('#letters-sum').innerText === '3 messages'")
	run(t, ctx, "document.querySelector('#letters details').open = true")
	eval(t, ctx, 5*time.Second, "the message", "document.querySelector('#letters .message-table')?.innerText.includes('reading')")
	run(t, ctx, "[...document.querySelectorAll('#letters button')].find((b) => b.innerText === 'Try again').click()")
	eval(t, ctx, 20*time.Second, "that it takes it now", "document.querySelector('#letters [role=status]').innerText.startsWith('It takes the message now')")
	run(t, ctx, "document.querySelector('#letters-part').scrollIntoView()")
	picture(t, ctx, "letters")
	run(t, ctx, "[...document.querySelectorAll('#letters button')].find((b) => b.innerText === 'Open in Try').click()")
	eval(t, ctx, 20*time.Second, "the editor", "location.pathname === '/deploy' && document.querySelector('#source')?.value?.includes('too many') && document.querySelector('#try-range').value === 'given'")
	run(t, ctx, "document.querySelector('#try-begin').click()")
	eval(t, ctx, 20*time.Second, "the trial on the message", "document.querySelector('#try-said').innerText.startsWith('1 of 1 message')")

	open(t, ctx, p.url+"/plugins/analysis.picky")
	eval(t, ctx, 90*time.Second, "how it fared", "!document.querySelector('#vitals-part').hidden && document.querySelectorAll('#vitals .graph').length === 3")
	run(t, ctx, "document.querySelector('#vitals-part').scrollIntoView()")
	picture(t, ctx, "vitals")
	open(t, ctx, p.url+"/")
	eval(t, ctx, 20*time.Second, "the overview", rows+" === 20 && document.querySelector('#plugins-sum').innerText.includes('what is broken')")
	p.stop()
}

// TestLogsFollow: plugin logs -f prints what a plugin prints, as it does, and nothing twice.
func TestLogsFollow(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	p.deploy("analysis", "speaks", "filename = 'p.lua'\nmessage_matcher = \"Fields[docType] == 'reading'\"\n", "n = 0\nfunction process_message() n = n + 1 print('number', n) return 0 end\n")
	follow := command("plugin", "--to", p.url, "logs", "-f", "-n", "1", "speaks")
	out, err := follow.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := follow.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { follow.Process.Kill() })
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			lines <- scan.Text()
		}
	}()
	for n := 1; n <= 3; n++ {
		p.post("/submit/sensors/reading/1/"+docID(n), reading(docID(n)))
		select {
		case line := <-lines:
			if !strings.HasSuffix(line, fmt.Sprint("number\t", n)) && !strings.HasSuffix(line, fmt.Sprint("number\\t", n)) {
				t.Errorf("line %d is %q", n, line)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("line %d does not come", n)
		}
	}
	follow.Process.Signal(os.Interrupt)
	for line := range lines {
		t.Errorf("one more: %q", line)
	}
	if err := follow.Wait(); err != nil {
		t.Errorf("at its end: %v", err)
	}
	p.stop()
}
