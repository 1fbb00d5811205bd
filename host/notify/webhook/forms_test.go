package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sandbar/host/notify"
)

// receiver is a service that takes what is posted, and answers what it is told to.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []received
	answer map[string]int // path → status
}

type received struct {
	path, auth, typ string
	body            map[string]any
	raw             string
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{answer: map[string]int{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		text, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		one := received{path: req.URL.RequestURI(), auth: req.Header.Get("Authorization"), typ: req.Header.Get("Content-Type"), raw: string(text)}
		json.Unmarshal(text, &one.body) // a list has none
		r.got = append(r.got, one)
		if s := r.answer[req.URL.Path]; s != 0 {
			w.WriteHeader(s)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(r.Close)
	return r
}

func full() *notify.Notice {
	at := time.Unix(1_700_000_000, 0).UTC()
	s := func(id, summary string) notify.Subject {
		return notify.Subject{ID: id, Summary: summary, Detail: "five <b> & \"six\"", Severity: 1, Key: "k", Link: "https://sandbar.example.com/alerts/k", Began: at, Last: at, Until: at.Add(time.Hour), Count: 3}
	}
	return &notify.Notice{ID: "n1", Plugin: "analysis.watch_volume", At: at, Firing: []notify.Subject{s("main", "Volume of main is <low> | & so on"), s("crash", "Volume of crash is low")},
		Resolved: []notify.Subject{s("event", "Size of event is high")}, Suppressed: 4, More: 2}
}

func sender() *Webhook {
	return New(Options{Networks: loopback(), Version: "v1", Now: func() time.Time { return time.Unix(1000, 0) }})
}

// at goes down a JSON document by keys and indices.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// TestForms: each service gets what it takes: one message for Slack and Teams, an event for each incident for PagerDuty and Opsgenie, which ends when it is over.
func TestForms(t *testing.T) {
	t.Parallel()
	for way, check := range map[string]func(t *testing.T, got []received){
		Slack: func(t *testing.T, got []received) {
			if len(got) != 1 || at(got[0].body, "text") != "[analysis.watch_volume] Volume of main is &lt;low&gt; | &amp; so on and 3 more" || at(got[0].body, "blocks", 0, "type") != "header" {
				t.Fatalf("%+v", got)
			}
			if text, _ := at(got[0].body, "blocks", 1, "text", "text").(string); !strings.HasPrefix(text, ":red_circle: <https://sandbar.example.com/alerts/k|Volume of main is &lt;low&gt; ¦ &amp; so on>\nfive &lt;b&gt;") {
				t.Errorf("%q", text)
			}
			if text, _ := at(got[0].body, "blocks", 3, "text", "text").(string); !strings.HasPrefix(text, ":large_green_circle: ") {
				t.Errorf("%q", text)
			}
		},
		Teams: func(t *testing.T, got []received) {
			card := at(got[0].body, "attachments", 0, "content")
			if len(got) != 1 || at(card, "type") != "AdaptiveCard" || at(card, "version") != "1.4" || at(card, "actions", 0, "url") != "https://sandbar.example.com/alerts/k" || len(at(card, "body").([]any)) != 6 {
				t.Errorf("%+v", got)
			}
		},
		PagerDuty: func(t *testing.T, got []received) {
			if len(got) != 3 || at(got[0].body, "event_action") != "trigger" || at(got[0].body, "routing_key") != "s3cret" || at(got[0].body, "dedup_key") != "sandbar/analysis.watch_volume/main" ||
				at(got[0].body, "payload", "severity") != "critical" || at(got[2].body, "event_action") != "resolve" || at(got[2].body, "dedup_key") != "sandbar/analysis.watch_volume/event" || at(got[2].body, "payload") != nil {
				t.Errorf("%+v", got)
			}
		},
		Opsgenie: func(t *testing.T, got []received) {
			if len(got) != 3 || got[0].path != "/v2/alerts" || got[0].auth != "GenieKey s3cret" || at(got[0].body, "alias") != "sandbar/analysis.watch_volume/main" || at(got[0].body, "priority") != "P1" ||
				got[2].path != "/v2/alerts/sandbar%2Fanalysis.watch_volume%2Fevent/close?identifierType=alias" {
				t.Errorf("%+v", got)
			}
		},
		Alertmanager: func(t *testing.T, got []received) {
			var list []struct {
				Labels map[string]string
				Ends   time.Time `json:"endsAt"`
			}
			if err := json.Unmarshal([]byte(got[0].raw), &list); err != nil || len(got) != 1 || got[0].path != "/api/v2/alerts" || got[0].auth != "Bearer s3cret" || len(list) != 3 ||
				list[0].Labels["alertname"] != "main" || list[0].Labels["plugin"] != "analysis.watch_volume" || !list[0].Ends.After(list[2].Ends) {
				t.Errorf("%+v %v", got, err)
			}
		},
	} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t)
			if err := sender().Send(t.Context(), full(), notify.Target{Way: way, Address: r.URL, Secret: "s3cret"}); err != nil {
				t.Fatal(err)
			}
			check(t, r.got)
			// A test, and alerts of which there is only a number, are told as well.
			for _, n := range []*notify.Notice{{ID: "t", Plugin: "sandbar", Test: true, At: time.Unix(1000, 0)}, {ID: "m", Plugin: "analysis.a", More: 7, At: time.Unix(1000, 0)}} {
				before := len(r.got)
				if err := sender().Send(t.Context(), n, notify.Target{Way: way, Address: r.URL, Secret: "s3cret"}); err != nil || len(r.got) == before {
					t.Errorf("%+v: %v, %d requests", n, err, len(r.got)-before)
				}
			}
		})
	}
}

// TestEnds: what a service no longer knows is over; one that refuses is not asked again, and what is busy is.
func TestEnds(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	r.answer["/v2/alerts/sandbar/analysis.watch_volume/event/close"] = 404
	if err := sender().Send(t.Context(), full(), notify.Target{Way: Opsgenie, Address: r.URL, Secret: "k"}); err != nil {
		t.Errorf("an alert that is gone: %v", err)
	}
	for status, last := range map[int]bool{400: true, 429: false, 500: false} {
		r.mu.Lock()
		r.answer["/"] = status
		r.mu.Unlock()
		if err := sender().Send(t.Context(), full(), notify.Target{Way: PagerDuty, Address: r.URL + "/"}); err == nil || errors.Is(err, notify.ErrPermanent) != last {
			t.Errorf("%d: %v", status, err)
		}
	}
}

// TestTemplate: a body is made as somebody wants it, signed; a template that fails sends the notice with the fault; one that could take long is refused.
func TestTemplate(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	send := func(text string) received {
		t.Helper()
		if err := sender().Send(t.Context(), full(), notify.Target{Way: Plain, Address: r.URL, Secret: "s", Template: text}); err != nil {
			t.Fatal(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.got[len(r.got)-1]
	}
	got := send(`{"content": {{json (title .)}}, "of": [{{range $i, $s := .Firing}}{{if $i}}, {{end}}{{json $s.Summary}}{{end}}]}`)
	if at(got.body, "of", 1) != "Volume of crash is low" || got.typ != "application/json" {
		t.Errorf("%+v", got)
	}
	if got := send("{{title .}}\n{{with .Resolved}}{{len .}} over{{end}}"); got.raw != "[analysis.watch_volume] Volume of main is <low> | & so on and 3 more\n1 over" || !strings.HasPrefix(got.typ, "text/plain") {
		t.Errorf("%+v", got)
	}
	if got := send("{{(index .Firing 0).None}}"); at(got.body, "template_error") == nil || at(got.body, "plugin") != "analysis.watch_volume" {
		t.Errorf("%+v", got)
	}
	if got := send("{{range .Firing}}{{.Nothing}}{{end}}"); !strings.Contains(fmt.Sprint(at(got.body, "template_error")), "Nothing") || at(got.body, "firing", 1, "id") != "crash" {
		t.Errorf("%+v", got)
	}
	for text, want := range map[string]string{
		"{{": "unclosed", "{{range .Firing}}{{range $.Firing}}{{range $.Firing}}{{end}}{{end}}{{end}}": "range within", "{{range 1000000000}}{{end}}": "something else", "{{range .Suppressed}}{{end}}": "something else",
		`{{printf "%1000000000d" 1}}`: "no function", `{{define "x"}}{{template "x"}}{{end}}{{template "x"}}`: "define", `{{template "template" .}}`: "not allowed", "{{js (html .ID)}}": "no function", "{{(slice .ID 1)}}": "no function",
		"{{if (call .ID)}}{{end}}": "no function", strings.Repeat("x", MaxTemplate+1): "bytes",
	} {
		if _, err := ParseTemplate(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.50q: %v, want %q", text, err, want)
		}
	}
}

// FuzzTemplate: whatever somebody writes is refused, or done soon.
func FuzzTemplate(f *testing.F) {
	f.Add(`{{range .Firing}}{{json .}}{{end}}`)
	f.Add(`{{with $x := .Resolved}}{{range $.Firing}}{{break}}{{else}}{{len $x}}{{end}}{{end}}`)
	f.Fuzz(func(t *testing.T, text string) {
		begun := time.Now()
		if out, err := Render(text, full()); err == nil && len(out) > maxRendered {
			t.Errorf("%d bytes", len(out))
		}
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("%q took %v", text, took)
		}
	})
}

// TestAlertmanagerItself: a real Alertmanager has what fires, and no longer what is over.
func TestAlertmanagerItself(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("alertmanager")
	if err != nil {
		t.Skip("there is no alertmanager in the path; .ci/run installs it")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(config, []byte("route: {receiver: none}\nreceivers: [{name: none}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	cmd := exec.Command(program, "--config.file="+config, "--storage.path="+dir, "--web.listen-address="+addr, "--cluster.listen-address=")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	url := "http://" + addr
	active := func() (names []string) {
		res, err := http.Get(url + "/api/v2/alerts")
		if err != nil {
			return nil
		}
		defer res.Body.Close()
		var list []struct{ Labels map[string]string }
		if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
			t.Fatal(err)
		}
		for _, a := range list {
			names = append(names, a.Labels["plugin"]+"/"+a.Labels["alertname"])
		}
		slices.Sort(names)
		return names
	}
	n := full()
	n.At = time.Now()
	for _, list := range [][]notify.Subject{n.Firing, n.Resolved} {
		for i := range list {
			list[i].Began, list[i].Last, list[i].Until = n.At.Add(-time.Minute), n.At, n.At.Add(time.Hour)
		}
	}
	begun := time.Now()
	for sender().Send(t.Context(), n, notify.Target{Way: Alertmanager, Address: url + "/"}) != nil {
		if time.Since(begun) > 20*time.Second {
			t.Fatalf("it never took a notice:\n%s", &said)
		}
		runtime.Gosched()
	}
	want := "[analysis.watch_volume/crash analysis.watch_volume/main]"
	if got := fmt.Sprint(active()); got != want {
		t.Errorf("it has %s, want %s", got, want)
	}
	n.Resolved, n.Firing, n.At = n.Firing[:1], n.Firing[1:], time.Now()
	if err := sender().Send(t.Context(), n, notify.Target{Way: Alertmanager, Address: url}); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(active()); got != "[analysis.watch_volume/crash]" {
		t.Errorf("afterwards it has %s", got)
	}
}
