package httpdoor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sandbar/host/stream"
)

// post is a request with a body of the announced length.
func post(target, body string, headers ...string) string {
	return withBody("POST", target, body, headers...)
}

func withBody(method, target, body string, headers ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: edge\r\nContent-Length: %d\r\n", method, target, len(body))
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	return b.String() + "\r\n" + body
}

// bare is a request with just these header lines.
func bare(method, target string, headers ...string) string {
	return method + " " + target + " HTTP/1.1\r\n" + strings.Join(append([]string{"Host: edge"}, headers...), "\r\n") + "\r\n\r\n"
}

// Every status code of the specification, over a real connection, in the order of the checks.
func TestStatusCodes(t *testing.T) {
	t.Parallel()
	const maxPath, maxBody = 512, 1000
	long := generic + "?" + strings.Repeat("x", maxPath-len(generic)-1)
	for _, tt := range []struct {
		name    string
		request string
		code    int
	}{
		{"generic", post(generic, "{}"), 200},
		{"PUT", withBody("PUT", generic, "{}"), 200},
		{"telemetry", post(telemetry+"?v=4", "{}"), 200},
		{"telemetry by PUT", withBody("PUT", telemetry+"?v=4", "{}"), 200},
		{"telemetry in the generic form", post("/submit/telemetry/core/10/"+id, "{}"), 200},
		{"no JSON", post(generic, "\x1f\x8b broken"), 200},
		{"broken gzip", post(generic, "\x1f\x8b broken", "Content-Encoding: gzip"), 200},
		{"empty body", post(generic, ""), 200},
		{"slash at the end", post(generic+"/", "{}"), 200},
		{"absolute form", post("http://edge"+generic, "{}"), 200},
		{"escapes", post("/submit/sh%C3%B6p/c%20art/1/"+id, "{}"), 200},
		{"HTTP/1.0", strings.Replace(post(generic, "{}"), "HTTP/1.1", "HTTP/1.0", 1), 200},
		{"100-continue", post(generic, "{}", "Expect: 100-continue"), 100},
		{"longest path", post(long, "{}"), 200},
		{"largest body", post(generic, strings.Repeat("x", maxBody)), 200},

		{"status", bare("GET", "/status"), 200},
		{"status with arguments", bare("GET", "/status?x=1"), 200},
		{"HEAD status", bare("HEAD", "/status"), 200},
		{"GET the root", bare("GET", "/"), 404},
		{"GET a submission", bare("GET", generic), 404},
		{"GET beside status", bare("GET", "/status/"), 404},
		{"HEAD beside status", bare("HEAD", "/"), 404},

		{"DELETE", bare("DELETE", generic), 405},
		{"OPTIONS", bare("OPTIONS", generic), 405},
		{"OPTIONS *", bare("OPTIONS", "*"), 405},
		{"post in lower case", bare("post", generic), 405},
		{"method before length", bare("DELETE", "/"+strings.Repeat("x", maxPath)), 405},

		{"no length", bare("POST", generic), 411},
		{"no length by PUT", bare("PUT", generic), 411},
		{"chunked", bare("POST", generic, "Transfer-Encoding: chunked") + "2\r\n{}\r\n0\r\n\r\n", 411},
		{"length before path", bare("POST", "/"+strings.Repeat("x", maxPath)), 411},

		{"long path", post(long+"x", "{}"), 414},
		{"very long path", post("/"+strings.Repeat("x", 50_000), "{}"), 414},
		{"path before body", post(long+"x", strings.Repeat("x", 9999)), 414},

		{"large body", bare("POST", generic, fmt.Sprint("Content-Length: ", maxBody+1)), 413},
		{"huge body", bare("POST", generic, "Content-Length: 9223372036854775807"), 413},
		{"body before namespace", bare("POST", "/submit/nobody/a/1/"+id, "Content-Length: 99999"), 413},

		{"unknown namespace", post("/submit/nobody/cart/1/"+id, "{}"), 404},
		{"unknown namespace, by case", post("/submit/Shop/cart/1/"+id, "{}"), 404},
		{"namespace before the rest", post("/submit/nobody/what", "{}"), 404},
		{"POST to the root", post("/", "{}"), 404},
		{"POST to status", post("/status", "{}"), 404},
		{"POST to no namespace", post("/submit/", "{}"), 404},
		{"POST to submit", post("/submit", "{}"), 404},

		{"space in the path", post("/submit/shop/ca rt/1/"+id, "{}"), 400},
		{"control character", post("/submit/shop/ca\x01rt/1/"+id, "{}"), 400},
		{"broken escape", post("/submit/shop/ca%zzrt/1/"+id, "{}"), 400},
		{"slash in a segment", post("/submit/shop/ca%2Frt/1/"+id, "{}"), 400},
		{"NUL in a segment", post("/submit/shop/ca%00rt/1/"+id, "{}"), 400},
		{"dots", post("/submit/shop/../1/"+id, "{}"), 400},
		{"only a namespace", post("/submit/shop", "{}"), 400},
		{"too few parts", post("/submit/shop/cart/1", "{}"), 400},
		{"too many parts", post(generic+"/x", "{}"), 400},
		{"two slashes at the end", post(generic+"//", "{}"), 400},
		{"empty part", post("/submit/shop//1/"+id, "{}"), 400},
		{"version in words", post("/submit/shop/cart/one/"+id, "{}"), 400},
		{"no UUID", post("/submit/shop/cart/1/12345", "{}"), 400},
		{"telemetry without v", post(telemetry, "{}"), 400},
		{"telemetry with v=3", post(telemetry+"?v=3", "{}"), 400},
		{"telemetry cut short", post("/submit/telemetry/"+id+"/main?v=4", "{}"), 400},
		{"no HTTP", "hello\r\n\r\n", 400},
		{"two lengths", post(generic, "{}", "Content-Length: 3"), 400},
		{"negative length", bare("POST", generic, "Content-Length: -1"), 400},
		{"no Host", strings.Replace(post(generic, "{}"), "Host: edge\r\n", "", 1), 400},
		{"body cut short", bare("POST", generic, "Content-Length: 10") + "{}", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			raw := &fakeRaw{}
			addr := serve(t, ServerOptions{MaxPath: maxPath, Handler: testDoor(t, Options{Raw: raw, MaxPath: maxPath, MaxBody: maxBody})})
			c := dial(t, addr)
			method, _, _ := strings.Cut(tt.request, " ")
			if _, err := io.WriteString(c, tt.request); err != nil {
				t.Fatal(err)
			}
			if tt.name == "body cut short" {
				if err := c.CloseWrite(); err != nil {
					t.Fatal(err)
				}
			}
			resp, text := answerOf(t, c, method)
			if resp.StatusCode != tt.code {
				t.Errorf("status %d, want %d: %q", resp.StatusCode, tt.code, text)
			}
			stored := 0
			if tt.code == 200 && method != "GET" && method != "HEAD" {
				stored = 1
			}
			if n := len(raw.all()); n != stored && tt.code != 100 {
				t.Errorf("%d messages are stored, want %d", n, stored)
			}
			if tt.code == 200 && method != "HEAD" && text != "OK" {
				t.Errorf("the answer is %q", text)
			}
			if method == "HEAD" && text != "" {
				t.Errorf("HEAD is answered with a body: %q", text)
			}
			if ct := resp.Header.Get("Content-Type"); tt.code != 100 && !strings.HasPrefix(ct, "text/plain") {
				t.Errorf("the answer is %q", ct)
			}
			if allow := resp.Header.Get("Allow"); (tt.code == 405) != (allow != "") {
				t.Errorf("Allow is %q", allow)
			}
		})
	}
}

func TestStorageTroubles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		err   error
		code  int
		later bool
		log   string
	}{
		{"full", fmt.Errorf("appending: %w", stream.ErrFull), 500, true, "no room for stream raw"},
		{"too large", fmt.Errorf("appending: %w", stream.ErrTooLarge), 413, false, ""},
		{"closed", stream.ErrClosed, 500, false, "could not be stored"},
		{"other", errors.New("input/output error"), 500, false, "could not be stored"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var log logBuffer
			now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
			clock := make(chan time.Time, 1)
			clock <- now
			read := func() time.Time { v := <-clock; clock <- v; return v }
			raw := &fakeRaw{answer: func(context.Context, [][]byte) error { return tt.err }}
			d := testDoor(t, Options{Raw: raw, Logger: slog.New(slog.NewTextHandler(&log, nil)), Now: read})
			addr := serve(t, ServerOptions{Handler: noDeadlines(d)})
			for range 5 {
				resp, text := ask(t, dial(t, addr), "POST", post(generic, "{}"))
				if resp.StatusCode != tt.code || (resp.Header.Get("Retry-After") != "") != tt.later {
					t.Errorf("status %d, Retry-After %q: %s", resp.StatusCode, resp.Header.Get("Retry-After"), text)
				}
				if tt.err != nil && strings.Contains(text, tt.err.Error()) {
					t.Errorf("the cause is told to strangers: %q", text)
				}
			}
			lines := 0
			if tt.log != "" {
				lines = 1
			}
			if n := strings.Count(log.String(), "\n"); n != lines || !strings.Contains(log.String(), tt.log) {
				t.Errorf("5 failures in a row are logged so:\n%s", log.String())
			}
			<-clock
			clock <- now.Add(quiet)
			ask(t, dial(t, addr), "POST", post(generic, "{}"))
			if n := strings.Count(log.String(), "also_since_last_time=4"); n != lines {
				t.Errorf("after %v the log does not say how many there were:\n%s", quiet, log.String())
			}
			if got := d.Stats().Answers[tt.code]; got != 6 {
				t.Errorf("%d answers of %d are counted", got, tt.code)
			}
		})
	}
}

// noDeadlines hides the connection's deadlines, for doors whose clock is not the real one.
func noDeadlines(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(struct{ http.ResponseWriter }{w}, r) })
}

func TestUnhealthy(t *testing.T) {
	t.Parallel()
	var log logBuffer
	d := testDoor(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), Healthy: func() error { return errors.New("raw is stuck") }})
	c := dial(t, serve(t, ServerOptions{Handler: d}))
	resp, text := ask(t, c, "GET", bare("GET", "/status"))
	if resp.StatusCode != 500 || strings.Contains(text, "stuck") {
		t.Errorf("status %d, %q", resp.StatusCode, text)
	}
	if resp, _ := ask(t, c, "HEAD", bare("HEAD", "/status")); resp.StatusCode != 500 {
		t.Errorf("HEAD: status %d", resp.StatusCode)
	}
	if !strings.Contains(log.String(), "raw is stuck") {
		t.Errorf("log: %s", log.String())
	}
}

func TestStats(t *testing.T) {
	t.Parallel()
	d := testDoor(t, Options{})
	addr := serve(t, ServerOptions{Handler: d})
	for _, request := range []string{post(generic, "12345"), post(generic, "1234567"), post("/submit/nobody/a/1/"+id, ""), bare("POST", generic), bare("DELETE", "/")} {
		method, _, _ := strings.Cut(request, " ")
		ask(t, dial(t, addr), method, request)
	}
	st := d.Stats()
	if st.Took.Count != 4 || st.Took.Sum <= 0 || st.Took.Below[10] != 4 || st.Took.Below[.001] > st.Took.Below[.05] {
		t.Errorf("what four submissions took: %+v", st.Took)
	}
	st.Took = Took{}
	maps.DeleteFunc(st.Answers, func(_ int, n int64) bool { return n == 0 })
	if diff := cmp.Diff(Stats{Answers: map[int]int64{200: 2, 404: 1, 405: 1, 411: 1}, Bytes: 12}, st); diff != "" {
		t.Error(diff)
	}
}

func TestBeside(t *testing.T) {
	t.Parallel()
	rest := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) })
	addr := serve(t, ServerOptions{Handler: testDoor(t, Options{}).Beside(rest)})
	for request, code := range map[string]int{
		post(generic, "{}"):           200,
		bare("GET", "/status"):        200,
		bare("DELETE", "/submit"):     405,
		bare("GET", "/submit/x"):      404,
		post("/submit//a", "{}"):      400,
		bare("GET", "/"):              418,
		bare("GET", "/statuses"):      418,
		bare("GET", "/status/"):       418,
		bare("POST", "/api/v1/x"):     418,
		bare("GET", "/submitted"):     418,
		bare("GET", "//submit/shop"):  418,
		bare("GET", "/x/../status"):   418,
		bare("DELETE", "/submission"): 418,
	} {
		method, _, _ := strings.Cut(request, " ")
		if resp, _ := ask(t, dial(t, addr), method, request); resp.StatusCode != code {
			t.Errorf("%q: status %d, want %d", request, resp.StatusCode, code)
		}
	}
}

func TestNewRefusesOptions(t *testing.T) {
	t.Parallel()
	good := testDoor(t, Options{}).opts
	for name, spoil := range map[string]func(*Options){
		"no stream":           func(o *Options) { o.Raw = nil },
		"no namespaces":       func(o *Options) { o.KnownNamespace = nil },
		"no clock":            func(o *Options) { o.Now = nil },
		"no log":              func(o *Options) { o.Logger = nil },
		"negative":            func(o *Options) { o.MaxBody = -1 },
		"no memory for a one": func(o *Options) { o.MaxInFlight = 10 << 20 },
	} {
		o := good
		spoil(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
