package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sandbar/host/notify"
)

func loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

func notice() *notify.Notice {
	return &notify.Notice{ID: "abc", Plugin: "analysis.a", Firing: []notify.Subject{{ID: "x", Summary: "s\r\nX: y"}}, Picture: []byte("p")}
}

// TestSend: a notice arrives as JSON, signed, with its ID.
func TestSend(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var body []byte
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer s.Close()
	w := New(Options{Networks: loopback(), Version: "v1", Now: func() time.Time { return time.Unix(1000, 0) }})
	if err := w.Send(t.Context(), notice(), notify.Target{Way: "webhook", Address: s.URL + "/hook", Secret: "s3cret"}); err != nil {
		t.Fatal(err)
	}
	var n notify.Notice
	if err := json.Unmarshal(body, &n); err != nil || n.ID != "abc" || n.Firing[0].Summary != "s\r\nX: y" || n.Picture != nil {
		t.Errorf("%s %v", body, err)
	}
	if got.Method != "POST" || got.URL.Path != "/hook" || got.Header.Get(IDHeader) != "abc" || got.Header.Get("Content-Type") != "application/json" || got.Header.Get("User-Agent") != "Sandbar/v1" ||
		got.Header.Get(TimeHeader) != "1000" || got.Header.Get(SignHeader) != Sign("s3cret", "1000", body) || !strings.HasPrefix(got.Header.Get(SignHeader), "sha256=") {
		t.Errorf("%v", got.Header)
	}
	if Sign("other", "1000", body) == Sign("s3cret", "1000", body) || Sign("s3cret", "1001", body) == Sign("s3cret", "1000", body) {
		t.Error("the signature does not depend on the secret and the time")
	}
	if err := w.Send(t.Context(), notice(), notify.Target{Address: s.URL}); err != nil || got.Header.Get(SignHeader) != "" {
		t.Errorf("without a secret: %v %q", err, got.Header.Get(SignHeader))
	}
}

// TestAnswers: what is answered decides whether it is tried again; nobody is led elsewhere.
func TestAnswers(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was led elsewhere") }))
	defer elsewhere.Close()
	for status, last := range map[int]bool{200: false, 204: false, 302: true, 307: true, 400: true, 404: true, 408: false, 429: false, 500: false, 503: false} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(status)
			io.WriteString(w, strings.Repeat("x", min(status, 304)/2)) // no body with 304 and 204
		}))
		err := New(Options{Networks: loopback(), Now: time.Now}).Send(t.Context(), notice(), notify.Target{Address: s.URL})
		if (err == nil) != (status/100 == 2) || errors.Is(err, notify.ErrPermanent) != last {
			t.Errorf("%d: %v", status, err)
		}
		s.Close()
	}
}

// TestHangs: one that does not answer, or answers without an end, holds nobody up.
func TestHangs(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
	}))
	defer endless.Close()
	w := New(Options{Networks: loopback(), Now: time.Now})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := w.Send(ctx, notice(), notify.Target{Address: "http://" + l.Addr().String()}); err == nil || errors.Is(err, notify.ErrPermanent) {
		t.Errorf("one that says nothing: %v", err)
	}
	if err := w.Send(t.Context(), notice(), notify.Target{Address: endless.URL}); err != nil {
		t.Errorf("one that answers 200 without an end: %v", err)
	}
}

// TestOwnNetworks: the host does not post to itself and its neighbours, by whatever name, unless its operator allows it.
func TestOwnNetworks(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was reached") }))
	defer s.Close()
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	w := New(Options{Now: time.Now})
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "0x7f.1", "2130706433"} {
		err := w.Send(t.Context(), notice(), notify.Target{Address: "http://" + host + ":" + port})
		if err == nil {
			t.Errorf("%s was posted to", host)
		}
	}
	for address, want := range map[string]bool{"10.0.0.1:80": false, "172.16.3.4:80": false, "192.168.1.1:443": false, "169.254.169.254:80": false, "100.64.0.1:80": false, "[fd00::1]:80": false, "[fe80::1%eth0]:80": false,
		"224.0.0.1:80": false, "255.255.255.255:80": false, "0.1.2.3:80": false, "93.184.216.34:443": true, "[2606:2800:220:1::1]:443": true} {
		if err := w.allowed(address); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
	allowing := New(Options{Networks: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}, Now: time.Now})
	if allowing.allowed("10.1.2.3:80") != nil || allowing.allowed("10.2.0.1:80") == nil {
		t.Error("what the operator allows is not what is allowed")
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{"https://example.com/hook?x=y": true, "http://10.0.0.1:8080": true, "ftp://x": false, "file:///etc/passwd": false, "https://": false, "https://user:pw@example.com": false, "": false, "x\x00": false} {
		if err := Check(address); (err == nil) != want {
			t.Errorf("%q: %v", address, err)
		}
	}
}
