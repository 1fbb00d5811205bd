package feed

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRecognise(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ root, path, want string }{
		{"pings", "telemetry/main.4.sample.pass.json", "telemetry main 4"},
		{"pings", "eng-workflow/hgpush.1.diffstat_null.fail.json", "eng-workflow hgpush 1"},
		{"pings", "firefox-accounts/amplitude-event.1.fxa--login.pass.json", "firefox-accounts amplitude-event 1"},
		{"pings", "deep/down/shop/cart.12.dots.in.name.pass.json", "shop cart 12"},
		{"telemetry", "main.4.sample.pass.json", "telemetry main 4"},
		{"shop", "cart.1.pass.json", "shop cart 1"},
		{"pings", "shop/cart/1/a.json", "shop cart 1"},
		{"pings", "shop/cart/1/deep/down/a.json", "shop cart 1"},
		{"shop", "cart/1/a.json", "shop cart 1"},
		{"pings", "shop/cart/1/2.json", "shop cart 1"},
		{"pings", "shop/cart/one/a.json", ""},
		{"pings", "shop/cart.1.sample.json", ""},
		{"pings", "shop/cart.1.sample.pass.txt", ""},
		{"pings", "shop/cart.x.sample.pass.json", ""},
		{"pings", "shop/cart.1234567890.sample.pass.json", ""},
		{"pings", "readme.json", ""},
	} {
		got := ""
		if p, ok := recognise(tt.root, tt.path); ok {
			got = p.namespace + " " + p.docType + " " + p.version
		}
		if got != tt.want {
			t.Errorf("%s below %s is %q, want %q", tt.path, tt.root, got, tt.want)
		}
	}
}

func TestURIOfFile(t *testing.T) {
	t.Parallel()
	const id, made = "0fdac909-d2ec-454c-b625-261a3e5d5c9b", `[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`
	app := `"application":{"name":"Firefox","version":"45.0","channel":"beta","buildId":"20151103030248"}`
	for name, tt := range map[string]struct {
		namespace, document string
		want                string // regular expression
	}{
		"telemetry":             {"telemetry", `{"id":"` + id + `",` + app + `}`, "/submit/telemetry/" + id + "/dt/Firefox/45.0/beta/20151103030248?v=4"},
		"telemetry, nothing":    {"telemetry", `{}`, "/submit/telemetry/" + made + "/dt/Unknown/0/default/00000000000000?v=4"},
		"telemetry, broken":     {"telemetry", `{"id":`, "/submit/telemetry/" + made + "/dt/Unknown/0/default/00000000000000?v=4"},
		"telemetry, wrong type": {"telemetry", `{"id":7,` + app + `}`, "/submit/telemetry/" + made + "/dt/Firefox/45.0/beta/20151103030248?v=4"},
		"telemetry, odd parts":  {"telemetry", `{"id":"` + id + `","application":{"name":"Fire fox?","version":"..","channel":"a/b","buildId":"\u0000"}}`, "/submit/telemetry/" + id + "/dt/Fire%20fox%3F/0/default/00000000000000?v=4"},
		"generic":               {"shop", `{"id":"` + id + `"}`, "/submit/shop/dt/7/" + id},
		"generic, other id":     {"shop", `{"id":"urn:uuid:` + id + `"}`, "/submit/shop/dt/7/" + made},
		"generic, array":        {"shop", `[1,2]`, "/submit/shop/dt/7/" + made},
		"odd namespace":         {"a b%", `{"id":"` + id + `"}`, "/submit/a%20b%25/dt/7/" + id},
	} {
		to := addressee{used: map[string]bool{}}
		got := to.uri(ping{path: "x/y.json", namespace: tt.namespace, docType: "dt", version: "7"}, []byte(tt.document))
		if ok, err := regexp.MatchString("^"+strings.ReplaceAll(tt.want, "?v", `\?v`)+"$", got); !ok {
			t.Errorf("%s: %s, want %s (%v)", name, got, tt.want, err)
		}
	}
}

// tree writes files below a temporary folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func threeFiles() map[string]string {
	const same = `{"id":"0fdac909-d2ec-454c-b625-261a3e5d5c9b"}`
	return map[string]string{
		"shop/cart.1.a.pass.json": same, "shop/cart.1.b.pass.json": same, "shop/cart.1.c.fail.json": strings.ToUpper(same),
		"notes.json": "{}", "readme.txt": "x",
	}
}

func sender(t *testing.T, edge *fakeEdge, o SenderOptions) *Sender {
	t.Helper()
	o.URL, o.Client = "http://edge.invalid/", &http.Client{Transport: edge}
	s, err := NewSender(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSend(t *testing.T) {
	t.Parallel()
	dir := tree(t, threeFiles())
	var progress []int
	var uris []string
	for range 2 {
		edge := &fakeEdge{answer: func(_ int, r *http.Request) (*http.Response, error) {
			if strings.Contains(r.URL.Path, "0fdac909") {
				return answer(413)
			}
			return answer(200)
		}}
		sum, err := sender(t, edge, SenderOptions{Progress: func(done, total int, _ Result) { progress = append(progress, done, total) }}).Send(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(map[int]int{200: 2, 413: 1}, sum.Status); d != "" || sum.Files != 3 || sum.Retries != 0 {
			t.Errorf("summary is %+v", sum)
		}
		if len(sum.Failed) != 1 || sum.Failed[0].Path != "shop/cart.1.a.pass.json" || sum.Failed[0].Status != 413 || sum.Failed[0].Text != "text" {
			t.Errorf("failed are %+v", sum.Failed)
		}
		if d := cmp.Diff([]string{"notes.json"}, sum.Unknown); d != "" {
			t.Error(d)
		}
		uris = append(uris, slices.Sorted(maps.Keys(edge.uris))...)
	}
	if d := cmp.Diff([]int{1, 3, 2, 3, 3, 3, 1, 3, 2, 3, 3, 3}, progress); d != "" {
		t.Error(d)
	}
	// One document id in three files gives three URIs, the same ones each time.
	if len(uris) != 6 || !slices.Equal(uris[:3], uris[3:]) {
		t.Errorf("URIs are %q", uris)
	}
}

func TestSendTriesAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer func(n int) (*http.Response, error)
		tries  int
		status int
		took   time.Duration // by the script's clock: pauses of 0.2, 0.4, 0.8, 1.6 s
	}{
		{"at once", func(int) (*http.Response, error) { return answer(200) }, 1, 200, 0},
		{"500 then well", func(n int) (*http.Response, error) {
			if n < 3 {
				return answer(500)
			}
			return answer(200)
		}, 3, 200, 600 * time.Millisecond},
		{"down then well", func(n int) (*http.Response, error) {
			if n < 2 {
				return nil, errors.New("connection refused")
			}
			return answer(200)
		}, 2, 200, 200 * time.Millisecond},
		{"asks to wait", func(n int) (*http.Response, error) {
			if n < 2 {
				return answer(500, "Retry-After", "7")
			}
			return answer(200)
		}, 2, 200, 7 * time.Second},
		{"always 503", func(int) (*http.Response, error) { return answer(503) }, 5, 503, 3 * time.Second},
		{"never there", func(int) (*http.Response, error) { return nil, errors.New("connection refused") }, 5, 0, 3 * time.Second},
		{"400 is final", func(int) (*http.Response, error) { return answer(400) }, 1, 400, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := tree(t, map[string]string{"shop/cart/1/a.json": "{}"})
			synctest.Test(t, func(t *testing.T) {
				edge := &fakeEdge{answer: func(n int, _ *http.Request) (*http.Response, error) { return tt.answer(n) }}
				begin := time.Now()
				var last Result
				sum, err := sender(t, edge, SenderOptions{Progress: func(_, _ int, r Result) { last = r }}).Send(t.Context(), dir)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begin); took != tt.took || last.Tries != tt.tries || last.Status != tt.status || sum.Retries != tt.tries-1 {
					t.Errorf("took %v, %d tries, status %d, %+v", took, last.Tries, last.Status, sum)
				}
				if failed := len(sum.Failed) == 1; failed != (tt.status != 200) || (last.Err != nil) != (tt.status == 0) {
					t.Errorf("summary is %+v, result %+v", sum, last)
				}
			})
		})
	}
}

func TestSendStops(t *testing.T) {
	t.Parallel()
	dir := tree(t, threeFiles())
	ctx, cancel := context.WithCancel(t.Context())
	edge := &fakeEdge{answer: func(int, *http.Request) (*http.Response, error) {
		cancel()
		return answer(500)
	}}
	if _, err := sender(t, edge, SenderOptions{Workers: 1}).Send(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped with %v", err)
	}
	if len(edge.calls) != 1 {
		t.Errorf("%d requests after the stop", len(edge.calls)-1)
	}
}

func TestSendSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	edge := &fakeEdge{answer: func(int, *http.Request) (*http.Response, error) { return answer(200) }}
	if _, err := sender(t, edge, SenderOptions{}).Send(t.Context(), filepath.Join(t.TempDir(), "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an absent folder gives %v", err)
	}
	if _, err := sender(t, edge, SenderOptions{}).Send(t.Context(), tree(t, map[string]string{"a.json": "{}"})); err == nil || !strings.Contains(err.Error(), "no ping files") {
		t.Errorf("a folder without pings gives %v", err)
	}
	if _, err := NewSender(SenderOptions{URL: "localhost:8080"}); err == nil || !strings.Contains(err.Error(), "http://127.0.0.1:8080") {
		t.Errorf("a bad address gives %v", err)
	}
}
