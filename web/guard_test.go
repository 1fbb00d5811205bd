package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// login logs in and returns the cookie as a header.
func login(t *testing.T, h *host) *http.Cookie {
	t.Helper()
	w := h.do(request(http.MethodPost, "/login", "token="+token))
	if w.Code != http.StatusSeeOther || len(w.Result().Cookies()) != 1 {
		t.Fatalf("login answers %d with %v", w.Code, w.Result().Cookies())
	}
	return w.Result().Cookies()[0]
}

func TestWhoMayPass(t *testing.T) {
	t.Parallel()
	h := newHost(t, withToken)
	c := login(t, h)
	good, forged := c.Name+"="+c.Value, c.Name+"=9999999999."+strings.Split(c.Value, ".")[1]
	const stopRate = "/api/v1/plugins/rate/stop"
	for _, tt := range []struct {
		name, method, path string
		headers            []string
		code               int
	}{
		{"api, nothing", "GET", "/api/v1/plugins", nil, 401},
		{"api, token", "GET", "/api/v1/plugins", []string{"Authorization", "Bearer " + token}, 200},
		{"api, token, other case", "GET", "/api/v1/plugins", []string{"Authorization", "bearer " + token}, 200},
		{"api, wrong token", "GET", "/api/v1/plugins", []string{"Authorization", "Bearer " + token + "x"}, 401},
		{"api, empty token", "GET", "/api/v1/plugins", []string{"Authorization", "Bearer "}, 401},
		{"api, other scheme", "GET", "/api/v1/plugins", []string{"Authorization", "Basic " + token}, 401},
		{"api, cookie", "GET", "/api/v1/plugins", []string{"Cookie", good}, 200},
		{"api, forged cookie", "GET", "/api/v1/plugins", []string{"Cookie", forged}, 401},
		{"api, token as cookie", "GET", "/api/v1/plugins", []string{"Cookie", c.Name + "=" + token}, 401},
		{"api, empty cookie", "GET", "/api/v1/plugins", []string{"Cookie", c.Name + "="}, 401},
		{"api, wrong token beside cookie", "GET", "/api/v1/plugins", []string{"Cookie", good, "Authorization", "Bearer x"}, 401},
		{"metrics, nothing", "GET", "/metrics", nil, 401},
		{"metrics, token", "GET", "/metrics", []string{"Authorization", "Bearer " + token}, 200},
		{"page, nothing", "GET", "/alerts", nil, 303},
		{"page, cookie", "GET", "/alerts", []string{"Cookie", good}, 200},
		{"page, token", "GET", "/alerts", []string{"Authorization", "Bearer " + token}, 200},
		{"assets are for all", "GET", "/assets/app.js", nil, 200},
		{"login is for all", "GET", "/login", nil, 200},
		{"login, logged in", "GET", "/login", []string{"Cookie", good}, 303},
		{"change, nothing", "POST", stopRate, nil, 401},
		{"change, cookie", "POST", stopRate, []string{"Cookie", good, "Sec-Fetch-Site", "same-origin"}, 200},
		{"change, cookie, foreign", "POST", stopRate, []string{"Cookie", good, "Sec-Fetch-Site", "cross-site"}, 403},
		{"change, token, foreign", "POST", stopRate, []string{"Authorization", "Bearer " + token, "Sec-Fetch-Site", "cross-site"}, 200},
		{"any host name", "GET", "/api/v1/plugins", []string{"Authorization", "Bearer " + token, "Host", "sandbar.example"}, 200},
	} {
		if w := h.do(request(tt.method, tt.path, "", tt.headers...)); w.Code != tt.code {
			t.Errorf("%s: %d, want %d: %s", tt.name, w.Code, tt.code, w.Body)
		}
	}
	for _, r := range h.routes() { // no route was forgotten
		path := strings.NewReplacer(":name", "rate", ":file", "app.js").Replace(r.path)
		w := h.do(request(r.method, path, ""))
		want := map[door]int{page: 303, api: 401}[r.door]
		if r.door != open && w.Code != want || r.door == open && w.Code == 401 && r.method == http.MethodGet {
			t.Errorf("%s %s without token: %d", r.method, path, w.Code)
		}
	}
}

func TestHostNames(t *testing.T) {
	t.Parallel()
	loop := newHost(t, func(o *Options) { o.Listen = "127.0.0.5:8080" })
	named := newHost(t, func(o *Options) { o.Listen = "[::1]:8080" })
	anywhere := newHost(t, func(o *Options) { o.Listen = ":8080" })
	for _, tt := range []struct {
		site *host
		name string
		code int
	}{
		{loop, "127.0.0.1:8080", 200}, {loop, "127.0.0.1", 200}, {loop, "127.0.0.5:8080", 200}, {loop, "localhost:9999", 200},
		{loop, "LocalHost", 200}, {loop, "[::1]:8080", 200}, {loop, "[::1]", 200},
		{loop, "evil.example:8080", 403}, {loop, "localhost.evil.example", 403}, {loop, "127.0.0.1.evil.example", 403},
		{loop, "evil.example:127.0.0.1", 403}, {loop, "10.0.0.1:8080", 403}, {loop, "", 403}, {loop, "localhost@evil.example", 403},
		{named, "localhost:8080", 200}, {named, "evil.example", 403},
		{anywhere, "sandbar.example:8080", 200}, // whoever configures this trusts who can reach it
	} {
		for _, path := range []string{"/", "/api/v1/plugins", "/nowhere"} {
			code := tt.code
			if path == "/nowhere" && code == 200 {
				code = 404
			}
			if w := tt.site.get(path, "Host", tt.name); w.Code != code {
				t.Errorf("%s listening on %s for host %q: %d, want %d", path, tt.site.opt.Listen, tt.name, w.Code, code)
			}
		}
	}
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	const own, other = "http://127.0.0.1:8080", "http://evil.example"
	for _, tt := range []struct {
		name    string
		headers []string
		change  int // of a POST to the API
		read    int // of a GET of the API
	}{
		{"no browser", nil, 200, 200},
		{"same origin", []string{"Sec-Fetch-Site", "same-origin", "Origin", own}, 200, 200},
		{"typed", []string{"Sec-Fetch-Site", "none"}, 200, 200},
		{"cross site", []string{"Sec-Fetch-Site", "cross-site", "Origin", other}, 403, 403},
		{"same site, other port", []string{"Sec-Fetch-Site", "same-site", "Origin", "http://127.0.0.1:3000"}, 403, 403},
		{"old browser, own", []string{"Origin", own}, 200, 200},
		{"old browser, foreign", []string{"Origin", other}, 403, 200}, // it could not read the answer
		{"sandboxed frame", []string{"Origin", "null"}, 403, 200},
		{"no token configured, some token", []string{"Authorization", "Bearer x", "Sec-Fetch-Site", "cross-site"}, 403, 403},
	} {
		h := newHost(t, nil)
		if w := h.do(request(http.MethodPost, "/api/v1/plugins/rate/stop", "", tt.headers...)); w.Code != tt.change {
			t.Errorf("%s: a change answers %d, want %d", tt.name, w.Code, tt.change)
		}
		if w := h.do(request(http.MethodDelete, "/api/v1/plugins/rate", "", tt.headers...)); w.Code != tt.change && tt.change != 200 {
			t.Errorf("%s: a removal answers %d, want %d", tt.name, w.Code, tt.change)
		}
		if w := h.get("/api/v1/plugins", tt.headers...); w.Code != tt.read {
			t.Errorf("%s: reading answers %d, want %d", tt.name, w.Code, tt.read)
		}
		if w := h.get("/alerts", tt.headers...); w.Code != 200 {
			t.Errorf("%s: a page answers %d; it may be linked to", tt.name, w.Code)
		}
	}
	h := newHost(t, withToken)
	if w := h.do(request(http.MethodPost, "/login", "token="+token, "Sec-Fetch-Site", "cross-site")); w.Code != 403 {
		t.Errorf("a login from elsewhere answers %d", w.Code)
	}
}

func TestSession(t *testing.T) {
	t.Parallel()
	h := newHost(t, withToken)
	c := login(t, h)
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || strings.Contains(c.Value, token) {
		t.Errorf("the cookie is %v", c)
	}
	cookie := c.Name + "=" + c.Value
	if w := newHost(t, withToken).get("/api/v1/series", "Cookie", cookie); w.Code != 200 {
		t.Errorf("after a restart: %d", w.Code)
	}
	if w := newHost(t, func(o *Options) { o.Token = token + "2" }).get("/api/v1/series", "Cookie", cookie); w.Code != 401 {
		t.Errorf("with another token: %d", w.Code)
	}
	h.clock.pass(sessionTime - time.Second)
	if w := h.get("/api/v1/series", "Cookie", cookie); w.Code != 200 {
		t.Errorf("before its end: %d", w.Code)
	}
	h.clock.pass(time.Second)
	if w := h.get("/api/v1/series", "Cookie", cookie); w.Code != 401 {
		t.Errorf("after its end: %d", w.Code)
	}
	h = newHost(t, withToken)
	first, second := login(t, h), login(t, h)
	h.do(request(http.MethodPost, "/logout", "", "Cookie", first.String()))
	if w := h.get("/api/v1/series", "Cookie", first.String()); w.Code != 401 {
		t.Errorf("after logging out its cookie answers %d", w.Code)
	}
	if w := h.get("/api/v1/series", "Cookie", second.String()); w.Code != 200 {
		t.Errorf("another session after that: %d", w.Code)
	}
	out := h.do(request(http.MethodPost, "/logout", ""))
	if gone := out.Result().Cookies(); out.Code != 303 || len(gone) != 1 || gone[0].MaxAge >= 0 || gone[0].Value != "" {
		t.Errorf("logout answers %d with %v", out.Code, gone)
	}
	secure := request(http.MethodPost, "https://127.0.0.1:8080/login", "token="+token)
	if w := h.do(secure); !w.Result().Cookies()[0].Secure {
		t.Error("over TLS the cookie is not Secure")
	}
}

func TestWrongTokensAreBounded(t *testing.T) {
	t.Parallel()
	h := newHost(t, withToken)
	cookie := login(t, h)
	try := func(addr, given string) int {
		r := request(http.MethodPost, "/login", "token="+given)
		r.RemoteAddr = addr
		return h.do(r).Code
	}
	for i := range maxAttempts {
		addr := "[2001:db8::" + string(rune('1'+i%9)) + "]:1000" // one network
		if code := try(addr, "wrong"); code != 401 {
			t.Fatalf("attempt %d: %d", i, code)
		}
	}
	r := request(http.MethodGet, "/api/v1/series", "", "Authorization", "Bearer "+token)
	r.RemoteAddr = "[2001:db8::ff]:2"
	if code := try("[2001:db8::ff]:1", "wrong again"); code != 429 {
		t.Errorf("a wrong token after too many wrong ones: %d", code)
	}
	if code := try("[2001:db8::ff]:1", token); code != 303 {
		t.Errorf("the right token, whoever else guesses: %d", code)
	}
	if w := h.do(r); w.Code != 200 {
		t.Errorf("the right token to the API: %d", w.Code)
	}
	if code := try("192.0.2.9:1", token); code != 303 {
		t.Errorf("from another address: %d", code)
	}
	r = request(http.MethodGet, "/api/v1/series", "", "Cookie", cookie.String())
	r.RemoteAddr = "[2001:db8::1]:3"
	if w := h.do(r); w.Code != 200 {
		t.Errorf("a session from there: %d", w.Code)
	}
	h.clock.pass(attemptTime)
	if code := try("[2001:db8::1]:1", token); code != 303 {
		t.Errorf("a minute later: %d", code)
	}
}

func TestAttemptsAreBoundedInMemory(t *testing.T) {
	t.Parallel()
	a := newAttempts(start)
	wrong := func() bool { return false }
	for i := range maxAddresses + 500 {
		a.try(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255), wrong)
	}
	if len(a.wrong) != maxAddresses+1 {
		t.Errorf("%d addresses are kept", len(a.wrong))
	}
	if _, ok := a.try("192.0.2.1:1", wrong); ok {
		t.Error("those beyond the bound are not counted")
	}
}

func TestNextIsLocal(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/alerts?n=3": "/alerts?n=3", "/plugins/a.b": "/plugins/a.b", "": "/", "alerts": "/", "//evil.example": "/", "/\\evil.example": "/",
		"https://evil.example/": "/", "javascript:alert(1)": "/", "/a\r\nSet-Cookie: x": "/", "/\t/evil.example": "/", "/" + strings.Repeat("a", 2000): "/",
	} {
		h := newHost(t, withToken)
		w := h.do(request(http.MethodPost, "/login", url.Values{"token": {token}, "next": {path}}.Encode()))
		if got := w.Header().Get("Location"); w.Code != 303 || got != want {
			t.Errorf("next %q leads to %q, want %q", path, got, want)
		}
	}
	w := newHost(t, withToken).get("/plugins/analysis.rate?x=1")
	if got := w.Header().Get("Location"); got != "/login?next=%2Fplugins%2Fanalysis.rate%3Fx%3D1" {
		t.Errorf("a page leads to %q", got)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	for _, path := range []string{"/", "/api/v1/plugins", "/nowhere", "/assets/app.js", "/login"} {
		head := h.get(path).Header()
		for name, want := range map[string]string{"Content-Security-Policy": "default-src 'self'", "X-Content-Type-Options": "nosniff",
			"Referrer-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin"} {
			if !strings.HasPrefix(head.Get(name), want) {
				t.Errorf("%s: %s is %q", path, name, head.Get(name))
			}
		}
		if csp := head.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if cors := head.Get("Access-Control-Allow-Origin"); cors != "" {
			t.Errorf("%s: others may read: %q", path, cors)
		}
	}
}
