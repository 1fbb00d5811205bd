package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"encoding/base64"

	"github.com/emersion/go-smtp"

	"sandbar/host/notify"
	"sandbar/host/notify/webhook"
)

// postbox is a mail server that keeps what it gets.
type postbox struct {
	addr  string
	mu    sync.Mutex
	mails []string
}

func newPostbox(t *testing.T) *postbox {
	t.Helper()
	b := &postbox{}
	s := smtp.NewServer(b)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.addr = l.Addr().String()
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return b
}

func (b *postbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &delivery{b}, nil }

type delivery struct{ b *postbox }

func (*delivery) Mail(string, *smtp.MailOptions) error { return nil }
func (*delivery) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (*delivery) Reset()                               {}
func (*delivery) Logout() error                        { return nil }
func (d *delivery) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	d.b.mu.Lock()
	defer d.b.mu.Unlock()
	d.b.mails = append(d.b.mails, string(text))
	return err
}

func (b *postbox) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string{}, b.mails...)
}

// pictureOf is the embedded picture of a mail.
func pictureOf(t *testing.T, text string) []byte {
	t.Helper()
	msg, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var find func(typ string, body io.Reader) []byte
	find = func(typ string, body io.Reader) []byte {
		kind, params, err := mime.ParseMediaType(typ)
		if err != nil || !strings.HasPrefix(kind, "multipart/") {
			return nil
		}
		for r := multipart.NewReader(body, params["boundary"]); ; {
			p, err := r.NextPart()
			if err != nil {
				return nil
			}
			if p.Header.Get("Content-Type") != "" && strings.HasPrefix(p.Header.Get("Content-Type"), "image/png") {
				b, _ := io.ReadAll(base64.NewDecoder(base64.StdEncoding, p)) // the decoder of the picture tells
				return b
			}
			if b := find(p.Header.Get("Content-Type"), p); b != nil {
				return b
			}
		}
	}
	return find(msg.Header.Get("Content-Type"), msg.Body)
}

// deployAs deploys an analysis plugin under a name.
func (p *process) deployAs(author, name, config, source string) {
	p.t.Helper()
	body, err := json.Marshal(map[string]string{"kind": "analysis", "name": name, "config": config, "source": source})
	if err != nil {
		p.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, p.url+"/api/v1/plugins", bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Sandbar-As", author)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	if said, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusCreated {
		p.t.Fatalf("%s: %s", res.Status, said)
	}
}

// route makes a route.
func (p *process) route(id, body string) {
	p.t.Helper()
	req, err := http.NewRequest(http.MethodPut, p.url+"/api/v1/routes/"+id, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	if said, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusOK {
		p.t.Fatalf("%s: %s", res.Status, said)
	}
}

// TestNotices: an alert is mailed with its graph and posted with a signature, once, also when the host is killed; one that names its recipients needs no route; what cannot be
// delivered waits, and is when that is possible.
func TestNotices(t *testing.T) {
	t.Parallel()
	box := newPostbox(t)
	var mu sync.Mutex
	var posts []notify.Notice
	broken := true
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if broken {
			http.Error(w, "away", http.StatusInternalServerError)
			return
		}
		var n notify.Notice
		if err := json.Unmarshal(body, &n); err != nil || r.Header.Get(webhook.SignHeader) != webhook.Sign("s3cret", r.Header.Get(webhook.TimeHeader), body) || r.Header.Get(webhook.IDHeader) != n.ID {
			t.Errorf("%v %s", r.Header, body)
		}
		posts = append(posts, n)
	}))
	t.Cleanup(receiver.Close)
	dir := t.TempDir()
	config := filepath.Join(dir, "sandbar.toml")
	text := fmt.Sprintf("[alerts]\nurl = \"https://sandbar.example.com/\"\nwebhook_networks = [\"127.0.0.0/8\"]\n[alerts.mail]\nserver = %q\nfrom = \"Sandbar <sandbar@example.com>\"\ntls = \"none\"\n", box.addr)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, filepath.Join(dir, "data"), "serve", "--config", config)
	p.route("ann", `{"title":"Ann","matcher":"Logger == 'analysis.alarm' && Fields[id] == 'Rates'","mail":["ann@example.com"],"wait":0,"interval":1,"resolved":true}`)
	p.route("hook", fmt.Sprintf(`{"title":"Hook","matcher":"Logger == 'analysis.alarm'","webhooks":[{"url":%q,"secret":"s3cret"}],"wait":1,"interval":1}`, receiver.URL))
	p.deploy("analysis", "alarm", alarmingConfig, alarming)
	until(t, 30*time.Second, "the mail", func() bool { return len(box.all()) == 1 })
	got := box.all()[0]
	if !strings.Contains(got, "Subject: [analysis.alarm] readings are few") || !strings.Contains(got, "https://sandbar.example.com/alerts/") || !strings.Contains(got, "To: <ann@example.com>") || strings.Contains(got, "something else") {
		t.Errorf("%s", got)
	}
	if img, err := png.Decode(bytes.NewReader(pictureOf(t, got))); err != nil || img.Bounds().Dx() != 1280 {
		t.Errorf("its picture: %v", err)
	}
	var notices notify.Status
	until(t, 30*time.Second, "an attempt that fails", func() bool {
		p.get("/notices", &notices)
		return len(notices.Waiting) == 1 && notices.Waiting[0].Attempts > 0
	})
	if w := notices.Waiting[0]; !strings.Contains(w.Error, "500") || w.To.Secret != "" || len(w.Notice.Firing) != 2 {
		t.Errorf("%+v", w)
	}
	p.kill()

	mu.Lock()
	broken = false
	mu.Unlock()
	p = start(t, p.data, "serve", "--config", config)
	arrived := func() bool { mu.Lock(); defer mu.Unlock(); return len(posts) >= 1 }
	if status, said := p.postJSON("notices/"+notices.Waiting[0].ID+"/again", nil); status != http.StatusNoContent && (status != http.StatusNotFound || !arrived()) { // its time may have come before
		t.Errorf("%d %s", status, said)
	}
	until(t, 30*time.Second, "the post", arrived)
	mu.Lock()
	if posts[0].ID != notices.Waiting[0].ID || len(posts[0].Firing) != 2 {
		t.Errorf("%+v, waited for %+v", posts[0], notices.Waiting[0])
	}
	mu.Unlock()
	p.deploy("analysis", "own", strings.Replace(alarmingConfig, "modules = {web = {}}", `modules = {email = {recipients = {"<bob@example.com>"}}}`, 1), "local alert = require 'heka.alert'\nfunction process_message() return 0 end\nfunction timer_event() alert.send('x', 'by its own', 'd') end\n")
	until(t, 60*time.Second, "the mail to whom the plugin names", func() bool {
		for _, m := range box.all() {
			if strings.Contains(m, "To: <bob@example.com>") && strings.Contains(m, "by its own") {
				return true
			}
		}
		return false
	})
	p.deployAs("carol@example.com", "unrouted", alarmingConfig, "local alert = require 'heka.alert'\nfunction process_message() return 0 end\nfunction timer_event() alert.send('x', 'by nobody else', 'd') end\n")
	until(t, 60*time.Second, "the mail to the author of what no route wants", func() bool {
		for _, m := range box.all() {
			if strings.Contains(m, "To: <carol@example.com>") && strings.Contains(m, "by nobody else") {
				return true
			}
		}
		return false
	})
	p.route("team", `{"title":"Team","matcher":"TRUE","owner":"dee@example.com","labels":{"team":"web"},"mail":["team@example.com"],"wait":0,"interval":1}`)
	labelled := func(id string) string {
		return "local alert = require 'heka.alert'\nfunction process_message() return 0 end\nfunction timer_event() alert.send('x', '" + id + "', 'd', 0, {country = 'DE'}) end\n"
	}
	web := strings.Replace(alarmingConfig, "modules =", `labels = {team = "web"}, modules =`, 1)
	p.deployAs("dee@example.com", "other_team", strings.Replace(web, `"web"`, `"ops"`, 1), labelled("of another team"))
	p.deployAs("eve@example.com", "other_owner", web, labelled("of another owner"))
	p.deployAs("dee@example.com", "of_team", web, labelled("of the team"))
	until(t, 60*time.Second, "the mail to the team", func() bool {
		for _, m := range box.all() {
			if strings.Contains(m, "To: <team@example.com>") {
				return strings.Contains(m, "of the team") && !strings.Contains(m, "of another")
			}
		}
		return false
	})
	toAnn := map[string]bool{}
	for _, m := range box.all() {
		if strings.Contains(m, "To: <ann@example.com>") {
			msg, err := mail.ReadMessage(strings.NewReader(m))
			if err != nil {
				t.Fatal(err)
			}
			toAnn[msg.Header.Get("Message-ID")] = true
		}
	}
	if len(toAnn) != 1 { // one that was sent as the host was killed may come again, as the same one
		t.Errorf("Ann got mails %v", toAnn)
	}
	p.stop()
}

// TestRoutesOnThePage: somebody makes a route, tries it, changes it and removes it; what could not be delivered is shown and tried again.
func TestRoutesOnThePage(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	got, status := 0, http.StatusTeapot
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got++
		w.WriteHeader(status)
	}))
	t.Cleanup(receiver.Close)
	dir := t.TempDir()
	config := filepath.Join(dir, "sandbar.toml")
	if err := os.WriteFile(config, []byte("[alerts]\nwebhook_networks = [\"127.0.0.0/8\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, filepath.Join(dir, "data"), "serve", "--config", config)
	ctx := browser(t)
	const inputs = "{ const i = [...document.querySelectorAll('.route-form input')]; const set = (label, v) => (i.find((e) => e.closest('label')?.innerText.startsWith(label)).value = v); %s }"
	const press = "[...document.querySelectorAll('%s button')].find((b) => b.innerText === '%s').click()"
	open(t, ctx, p.url+"/alerts")
	eval(t, ctx, 20*time.Second, "that nobody is told", "document.querySelector('#routes').innerText.includes('Nobody is told')")
	run(t, ctx, "document.querySelector('#add-route').click()")
	run(t, ctx, fmt.Sprintf(inputs, "set('Title', 'On duty'); set('Of alerts', 'Fields['); document.querySelector('.route-form [aria-label=Address]').value = '"+receiver.URL+"'"))
	run(t, ctx, fmt.Sprintf(press, ".route-form", "Save"))
	eval(t, ctx, 20*time.Second, "that the matcher is wrong", "document.querySelector('.route-form [role=alert]').innerText.includes('matcher')")
	run(t, ctx, fmt.Sprintf(inputs, "set('Of alerts', 'TRUE'); [...document.querySelectorAll('.route-form label')].find((l) => l.innerText.startsWith('After the first')).querySelector('select').value = '0'"))
	run(t, ctx, "{ const m = [...document.querySelectorAll('.route-form input')].find((e) => e.closest('label')?.innerText.startsWith('Of alerts')); m.dispatchEvent(new Event('input')); document.querySelector('.route-form details').open = true }")
	eval(t, ctx, 20*time.Second, "whom it would tell", "document.querySelector('.route-form [role=status]').innerText.includes('no alerts yet')")
	picture(t, ctx, "route-form")
	run(t, ctx, fmt.Sprintf(press, ".route-form", "Save"))
	eval(t, ctx, 20*time.Second, "the route", "!document.querySelector('.route-form') && document.querySelector('#routes').innerText.includes('On duty')")
	run(t, ctx, fmt.Sprintf(press, "#routes", "Send a test"))
	eval(t, ctx, 20*time.Second, "how the test went", "document.querySelector('#routes [role=status]').innerText.includes('418')")
	p.deploy("analysis", "alarm", alarmingConfig, alarming)
	eval(t, ctx, 30*time.Second, "what was given up", "document.querySelector('#notices').innerText.includes('Given up') && document.querySelector('#notices').innerText.includes('418')")
	picture(t, ctx, "routes")
	mu.Lock()
	status = http.StatusOK
	mu.Unlock()
	run(t, ctx, fmt.Sprintf(press, "#notices", "Try now"))
	eval(t, ctx, 30*time.Second, "that it is delivered", "/[1-9]\\d* notices? delivered/.test(document.querySelector('#notices').innerText) && !document.querySelector('#notices').innerText.includes('Try now')")
	run(t, ctx, fmt.Sprintf(press, "#routes", "Edit"))
	eval(t, ctx, 20*time.Second, "whom it would have told", "document.querySelector('.route-form [role=status]').innerText.includes('It would have told of')")
	run(t, ctx, "document.querySelector('.route-form details').open = true")
	run(t, ctx, fmt.Sprintf(inputs, "set('Title', 'Nights'); set('Quiet from', '22:00'); set('to', '07:00'); set('Not while', \"Logger == 'host.plugins'\"); set('With labels', 'team=web, tier=one'); set('Of plugins by', 'ann'); set('For each value', 'country')"))
	run(t, ctx, "{ const s = [...document.querySelectorAll('.route-form label')].find((l) => l.innerText.startsWith('When nobody')).querySelector('select'); s.value = '900'; [...document.querySelectorAll('.route-form details button')].find((b) => b.innerText === 'Add a service').click(); document.querySelector('.route-form details [aria-label=Service]').value = 'slack'; document.querySelector('.route-form details [aria-label=Address]').value = '"+receiver.URL+"/boss' }")
	picture(t, ctx, "route-form-more")
	run(t, ctx, fmt.Sprintf(press, ".route-form", "Save"))
	eval(t, ctx, 20*time.Second, "its new title", "document.querySelector('#routes').innerText.includes('Nights') && document.querySelector('#routes').innerText.includes('not from 22:00 to 07:00') && document.querySelector('#routes').innerText.includes('Slack (127.0.0.1') && document.querySelector('#routes').innerText.includes('TRUE, team=web, tier=one, by ann') && document.querySelector('#routes').innerText.includes('country')")
	run(t, ctx, "window.confirm = () => true; "+fmt.Sprintf(press, "#routes", "Remove"))
	eval(t, ctx, 20*time.Second, "that it is gone", "document.querySelector('#routes').innerText.includes('Nobody is told')")
	p.stop()
}
