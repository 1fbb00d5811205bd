package cmd

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestMessagesOnThePage walks through the page of messages: what is there, what comes, a matcher that is wrong, completion, fields, what a
// click adds to the matcher, pause, and the link to one message.
func TestMessagesOnThePage(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	ctx := browser(t)
	sent := 0
	send := func(n int) {
		for range n {
			p.post("/submit/sensors/reading/1/"+docID(sent), reading(docID(sent)))
			sent++
		}
	}
	send(5)
	p.settled()
	open(t, ctx, p.url+"/messages")
	const rows = "document.querySelectorAll('.messages li').length"
	eval(t, ctx, 20*time.Second, "what is there", rows+" === 5 && document.querySelector('#sum').innerText.includes('5 of the newest 5 match (100%)') && document.querySelectorAll('.known li').length > 5")
	send(3)
	eval(t, ctx, 20*time.Second, "what comes", rows+" === 8 && document.querySelector('#sum').innerText.includes('now ')")

	// A matcher that is wrong is told with a mark under the place, and says nothing about messages.
	enter(t, ctx, "Type == 'validated' && Fields[docType = 3")
	eval(t, ctx, 20*time.Second, "the fault", rows+` === 0 && document.querySelector('#matcher').getAttribute('aria-invalid') === 'true' && document.querySelector('#matcher-fault code').innerText.endsWith('^')`)
	picture(t, ctx, "messages-fault")
	enter(t, ctx, "Type == 'never'")
	eval(t, ctx, 20*time.Second, "that none matches", `document.querySelector('#matcher-fault').hidden && document.querySelector('#list').innerText.includes('None of the newest 8 messages, which are all there are.')`)

	// Completion: a name by what it begins with, then a value that was seen.
	enter(t, ctx, "")
	eval(t, ctx, 20*time.Second, "all again", rows+" === 8 && document.querySelectorAll('.known li').length > 5")
	enter(t, ctx, "doct")
	eval(t, ctx, 20*time.Second, "the name", `document.querySelector('#complete li')?.innerText.startsWith('Fields[docType]')`)
	picture(t, ctx, "messages-complete")
	press(t, ctx, "ArrowDown", "Enter")
	eval(t, ctx, 20*time.Second, "the name in the box", `document.querySelector('#matcher').value === 'Fields[docType]'`)
	enter(t, ctx, "")
	eval(t, ctx, 20*time.Second, "the fields", "document.querySelectorAll('.known li').length > 5")
	enter(t, ctx, "Fields[docType] == 'r")
	eval(t, ctx, 20*time.Second, "the value", `document.querySelector('#complete li')?.innerText.startsWith("reading'")`)
	press(t, ctx, "ArrowDown", "Tab")
	eval(t, ctx, 20*time.Second, "what the completed matcher wants", `document.querySelector('#matcher').value === "Fields[docType] == 'reading'" && `+rows+" === 8")

	// A click on a value narrows.
	run(t, ctx, `document.querySelector('.messages details').open = true`)
	eval(t, ctx, 20*time.Second, "the whole message", `document.querySelectorAll('.message-table tbody tr').length > 5`)
	picture(t, ctx, "messages-open")
	run(t, ctx, `[...document.querySelectorAll('.message-table button')].find((b) => b.ariaLabel.startsWith('Only messages with Fields[documentId]')).click()`)
	eval(t, ctx, 20*time.Second, "the one message", rows+` === 1 && document.querySelector('#matcher').value.includes("Fields[docType] == 'reading' && Fields[documentId] == '")`)
	eval(t, ctx, 20*time.Second, "the address", `new URL(location).searchParams.get('matcher') === document.querySelector('#matcher').value`)

	// The link to one message shows it, whatever the matcher.
	run(t, ctx, `document.querySelector('.messages details').open = true`)
	eval(t, ctx, 20*time.Second, "the link", `document.querySelector('.message-facts a')`)
	run(t, ctx, `document.querySelector('.message-facts a').click()`)
	eval(t, ctx, 20*time.Second, "the message", `new URL(location).searchParams.get('position') && document.querySelector('#one .message-table')?.innerText.includes('reading')`)
	picture(t, ctx, "message")
	open(t, ctx, p.url+"/messages?stream=valid&position=99:0")
	eval(t, ctx, 20*time.Second, "that it is gone", `document.querySelector('#one').innerText.includes('no message here')`)

	// Paused, nothing moves; then it goes on.
	open(t, ctx, p.url+"/messages")
	eval(t, ctx, 20*time.Second, "all", rows+" === 8")
	run(t, ctx, `document.querySelector('#pause').click()`)
	send(1)
	p.settled()
	eval(t, ctx, 20*time.Second, "nothing new", rows+" === 8")
	run(t, ctx, `document.querySelector('#pause').click()`)
	send(1)
	eval(t, ctx, 20*time.Second, "what came after the pause", rows+" >= 9")

	// What others send is text, and nothing else.
	p.deploy("analysis", "evil", "filename = 'evil.lua' message_matcher = 'FALSE' ticker_interval = 1", `
function process_message() return 0 end
function timer_event(ns)
    inject_message({Type = "<img src=x onerror=alert(1)>", Payload = "<script>document.title='x'</script>", Fields = {["<b>"] = "'\"><script>document.title='x'</script>"}})
end`)
	open(t, ctx, p.url+"/messages?stream=derived&matcher=Logger+%3D%3D+'analysis.evil'")
	eval(t, ctx, 20*time.Second, "the hostile message", `document.querySelector('.messages .cause')?.innerText.includes('<img src=x')`)
	eval(t, ctx, 20*time.Second, "the fields", "document.querySelectorAll('.known li').length > 2")
	run(t, ctx, `document.querySelectorAll('.messages details, .known details').forEach((d) => (d.open = true))`)
	eval(t, ctx, 20*time.Second, "text", `document.querySelector('.message-table')?.innerText.includes('<script>') && document.querySelectorAll('main img, main script, main b').length === 0 && document.title !== 'x'`)
	p.stop()
}

// enter types a text into the box of the matcher.
func enter(t testing.TB, ctx context.Context, text string) {
	t.Helper()
	run(t, ctx, fmt.Sprintf(`const box = document.querySelector('#matcher'); box.focus(); box.value = %q; box.setSelectionRange(box.value.length, box.value.length); box.dispatchEvent(new Event('input'))`, text))
}

// press presses keys in the box of the matcher.
func press(t testing.TB, ctx context.Context, keys ...string) {
	t.Helper()
	for _, k := range keys {
		run(t, ctx, fmt.Sprintf(`document.querySelector('#matcher').dispatchEvent(new KeyboardEvent('keydown', {key: %q, cancelable: true}))`, k))
	}
}

// TestCatOfHost: the newest messages of a running host, those that come, and what is wrong.
func TestCatOfHost(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	for n := range 5 {
		p.post("/submit/sensors/reading/1/"+docID(n), reading(docID(n)))
	}
	p.settled()
	out, errs, code := call("cat", "--to", p.url, "-m", "Fields[docType] == 'reading'", "-n", "2", "-o", "json")
	if lines := strings.Split(strings.TrimSpace(out), "\n"); code != 0 || len(lines) != 2 || !strings.Contains(lines[0], docID(3)) || !strings.Contains(lines[1], docID(4)) {
		t.Errorf("the newest two: %d %s%s", code, out, errs)
	}
	if out, errs, code := call("cat", "--to", p.url, "-m", "Type == 'never'"); code != 0 || out != "" || !strings.Contains(errs, "none of the newest 5 messages") {
		t.Errorf("none: %d %s%s", code, out, errs)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-m", "Type = 1"}, "message_matcher: column 6"},
		{[]string{"--stream", "none"}, "must be one of"},
		{[]string{"somefile"}, "somefile"},
	} {
		if _, errs, code := call(append([]string{"cat", "--to", p.url}, c.args...)...); code == 0 || !strings.Contains(errs, c.want) {
			t.Errorf("%v: %d %s", c.args, code, errs)
		}
	}
	if _, errs, code := call("cat", "-f"); code == 0 || !strings.Contains(errs, "only a host can be followed") {
		t.Errorf("nothing to follow: %d %s", code, errs)
	}

	done := make(chan string)
	go func() {
		out, errs, code := call("cat", "--to", p.url, "-f", "-n", "3")
		done <- fmt.Sprintf("%d %s%s", code, out, errs)
	}()
	n := 5
	until(t, 20*time.Second, "three messages", func() bool {
		p.post("/submit/sensors/reading/1/"+docID(n), reading(docID(n)))
		n++
		select {
		case got := <-done:
			if !strings.HasPrefix(got, "0 ") || strings.Count(got, ":Type: validated") != 3 && strings.Count(got, "Type") < 3 {
				t.Errorf("followed: %s", got)
			}
			return true
		default:
			return false
		}
	})
	p.stop()
}

// TestSchemasOnThePage: document types, what one declares, and the way to its messages.
func TestSchemasOnThePage(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	ctx := browser(t)
	p.post("/submit/sensors/reading/1/"+docID(0), reading(docID(0)))
	p.settled()
	open(t, ctx, p.url+"/schemas")
	eval(t, ctx, 20*time.Second, "the document types", `document.querySelectorAll('.types button').length === 6 && document.querySelector('#sum').innerText === '6 document types in 3 namespaces' && document.querySelectorAll('.schema-table tbody tr').length > 3`)
	picture(t, ctx, "schemas")
	run(t, ctx, `const s = document.querySelector('#search'); s.value = 'telemetry/ma'; s.dispatchEvent(new Event('input'))`)
	eval(t, ctx, 20*time.Second, "what fits", `document.querySelectorAll('.types button').length === 1`)
	run(t, ctx, `document.querySelector('.types button').click()`)
	eval(t, ctx, 20*time.Second, "its fields", `[...document.querySelectorAll('.schema-table tr')].some((r) => r.innerText.includes('clientId') && r.querySelector('.tag')) && document.querySelector('#schema-head').innerText === 'main, version 4'`)
	open(t, ctx, p.url+"/schemas?schema=sensors/reading/1")
	eval(t, ctx, 20*time.Second, "the one of the address", `document.querySelector('#schema-head').innerText === 'reading, version 1'`)
	run(t, ctx, `document.querySelector('.schema-head a').click()`)
	eval(t, ctx, 20*time.Second, "its messages", `location.pathname === '/messages' && document.querySelectorAll('.messages li').length === 1`)
	open(t, ctx, p.url+"/schemas?schema=no/such/1")
	eval(t, ctx, 20*time.Second, "that there is none", `document.querySelector('#schema').innerText.includes('no such schema')`)
	p.stop()
}
