package httpdoor

import (
	"bytes"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	heka "sandbar/sandbox/message"
)

func TestMessage(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 22, 0, 0, 123456789, time.UTC)
	long := strings.Repeat("é", maxHeader)
	for _, tt := range []struct {
		name    string
		request string
		want    []string
		content string
	}{
		{
			"all there is",
			"PUT " + telemetry + "?v=4&x=%20 HTTP/1.1\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\nhost: edge.example.org:80\r\n" +
				"user-agent: Mozilla/5.0\r\nx-source-tags: automation\r\nx-debug-id: my-tag\r\nx-pingsender-version: 1.0\r\ndnt: 1\r\n" +
				"date: Mon, 23 Nov 2026 21:59:59 GMT\r\nx-forwarded-for: 203.0.113.9\r\ncookie: secret\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x00\xff",
			[]string{
				"remote_addr=127.0.0.1", "uri=" + telemetry, "args=v=4&x=%20", "protocol=HTTP/1.1", "method=PUT",
				"Date=Mon, 23 Nov 2026 21:59:59 GMT", "DNT=1", "X-PingSender-Version=1.0", "X-Debug-ID=my-tag", "X-Source-Tags=automation",
				"User-Agent=Mozilla/5.0", "Host=edge.example.org:80", "Content-Length=4", "Content-Encoding=gzip", "Content-Type=application/json", "content",
			},
			"\x1f\x8b\x00\xff",
		},
		{
			"as little as possible",
			"POST " + generic + " HTTP/1.1\r\nHost: edge\r\nContent-Length: 0\r\n\r\n",
			[]string{"remote_addr=127.0.0.1", "uri=" + generic, "protocol=HTTP/1.1", "method=POST", "Host=edge", "Content-Length=0", "content"},
			"",
		},
		{
			"the path stays as it was sent, but for a slash at the end",
			"POST /submit/sh%c3%B6p/c%20art/1/" + id + "/?a=/ HTTP/1.0\r\nHost: edge\r\nContent-Length: 1\r\n\r\nx",
			[]string{
				"remote_addr=127.0.0.1", "uri=/submit/sh%c3%B6p/c%20art/1/" + id, "args=a=/", "protocol=HTTP/1.0", "method=POST", "Host=edge", "Content-Length=1", "content",
			},
			"x",
		},
		{
			"odd headers",
			"POST " + generic + " HTTP/1.1\r\nHost: edge\r\nContent-Length: 1\r\nX-Debug-ID: " + long + "\r\nX-Source-Tags: a\r\nX-Source-Tags: b\r\n" +
				"User-Agent: caf\xe9\r\nDNT:\r\n\r\nx",
			[]string{
				"remote_addr=127.0.0.1", "uri=" + generic, "protocol=HTTP/1.1", "method=POST",
				"X-Debug-ID=" + long[:maxHeader], "X-Source-Tags=a, b", "User-Agent=caf?", "Host=edge", "Content-Length=1", "content",
			},
			"x",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			raw := &fakeRaw{}
			addr := serve(t, ServerOptions{Handler: noDeadlines(testDoor(t, Options{Raw: raw, Now: func() time.Time { return now }}))})
			if resp, text := ask(t, dial(t, addr), "POST", tt.request); resp.StatusCode != 200 {
				t.Fatalf("status %d: %s", resp.StatusCode, text)
			}
			msg := raw.all()[0]
			got, content := fields(t, msg)
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if string(content) != tt.content {
				t.Errorf("content is %q", content)
			}
			var v heka.View
			if err := v.Parse(msg); err != nil {
				t.Fatal(err)
			}
			if u := v.UUID(); len(u) != 16 || u[6]>>4 != 4 || u[8]>>6 != 2 {
				t.Errorf("uuid is %x", u)
			}
			if v.Timestamp() != now.UnixNano() {
				t.Errorf("timestamp is %d", v.Timestamp())
			}
			for h, want := range map[heka.Header]string{heka.Type: "raw", heka.Logger: "moz_ingest", heka.Hostname: "edge.example.org"} {
				if s, _ := v.Header(h); string(s) != want {
					t.Errorf("%v is %q", h, s)
				}
			}
		})
	}
}

// The content field that the door writes around a body is the one that a Builder would write.
func TestContentTagIsTheBuilders(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.OneOf(rapid.IntRange(0, 300), rapid.IntRange(16_000, 17_000), rapid.IntRange(2_097_000, 2_098_000)).Draw(t, "size")
		body := bytes.Repeat([]byte{'x'}, size)
		var b heka.Builder
		b.Reset()
		b.SetUUID(make([]byte, 16))
		prefix := b.AppendTo(nil)
		b.AddBytes("content", "", body)
		want := b.AppendTo(nil)
		if got := append(appendContentTag(prefix, size), body...); !bytes.Equal(got, want) {
			t.Fatalf("%d bytes: got %x, want %x", size, got[:min(len(got), 60)], want[:min(len(want), 60)])
		}
	})
}

// The largest message that can come of a request is no larger than New reckons with.
func TestOverhead(t *testing.T) {
	t.Parallel()
	const maxPath = 4 << 10
	raw := &fakeRaw{}
	d := testDoor(t, Options{Raw: raw, MaxPath: maxPath})
	var b strings.Builder
	args := strings.Repeat("\xff", maxPath-len(telemetry)-len("?v=4&"))
	fmt.Fprintf(&b, "POST %s?v=4&%s HTTP/1.1\r\nContent-Length: 1\r\n", telemetry, args)
	for _, h := range passed {
		if h.key != "Content-Length" && h.key != "Host" {
			fmt.Fprintf(&b, "%s: %s\r\n", h.key, strings.Repeat("x", 2*maxHeader))
		}
	}
	fmt.Fprintf(&b, "Host: %s\r\n\r\nx", strings.Repeat("x", 2*maxHeader))
	if resp, text := ask(t, dial(t, serve(t, ServerOptions{Handler: d})), "POST", b.String()); resp.StatusCode != 200 {
		t.Fatalf("status %d: %s", resp.StatusCode, text)
	}
	msg := raw.all()[0]
	if len(msg)-1 > overhead(maxPath) {
		t.Errorf("the message is %d larger than its body, not at most %d", len(msg)-1, overhead(maxPath))
	}
	for _, f := range func() []string { all, _ := fields(t, msg); return all }() {
		if name, value, _ := strings.Cut(f, "="); name != "uri" && name != "args" && len(value) > maxHeader {
			t.Errorf("field %s has %d bytes", name, len(value))
		}
	}
}

func TestClientAddress(t *testing.T) {
	t.Parallel()
	d := testDoor(t, Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}})
	for _, tt := range []struct {
		peer      string
		forwarded []string
		want      string
	}{
		{"203.0.113.7:1234", nil, "203.0.113.7"},
		{"203.0.113.7:1234", []string{"198.51.100.1"}, "203.0.113.7"}, // anybody can write that
		{"[2001:db8::1]:1234", []string{"198.51.100.1"}, "2001:db8::1"},
		{"[fe80::1%eth0]:1234", nil, "fe80::1"},
		{"[::ffff:203.0.113.7]:1234", nil, "203.0.113.7"},
		{"[::ffff:127.0.0.1]:1234", []string{"198.51.100.1"}, "198.51.100.1"},
		{"127.0.0.1:1234", nil, "127.0.0.1"},
		{"127.0.0.1:1234", []string{""}, "127.0.0.1"},
		{"127.0.0.1:1234", []string{"198.51.100.1"}, "198.51.100.1"},
		{"127.0.0.1:1234", []string{" 198.51.100.1 "}, "198.51.100.1"},
		{"127.0.0.1:1234", []string{"1.1.1.1, 198.51.100.1"}, "198.51.100.1"},
		{"127.0.0.1:1234", []string{"1.1.1.1, 198.51.100.1,10.1.2.3"}, "198.51.100.1"},
		{"127.0.0.1:1234", []string{"1.1.1.1, 198.51.100.1", "10.1.2.3", "fd00::7"}, "198.51.100.1"},
		{"127.0.0.1:1234", []string{"10.9.9.9, 10.1.2.3"}, "10.9.9.9"}, // a client in our own network
		{"127.0.0.1:1234", []string{"1.1.1.1, unknown"}, "127.0.0.1"},
		{"127.0.0.1:1234", []string{"1.1.1.1, unknown, 10.1.2.3"}, "10.1.2.3"},
		{"127.0.0.1:1234", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"127.0.0.1:1234", []string{"[2001:db8::5]:4711"}, "2001:db8::5"},
		{"127.0.0.1:1234", []string{"2001:db8::5"}, "2001:db8::5"},
		{"127.0.0.1:1234", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"127.0.0.1:1234", []string{strings.Repeat("10.0.0.1,", 1000) + "10.0.0.2"}, "10.0.0.1"}, // all trusted: the left-most
		{"@", []string{"198.51.100.1"}, ""},
	} {
		r := &http.Request{RemoteAddr: tt.peer, Header: http.Header{"X-Forwarded-For": tt.forwarded}}
		if got := d.client(r); got != tt.want {
			t.Errorf("peer %s, X-Forwarded-For %.80q: %s, want %s", tt.peer, tt.forwarded, got, tt.want)
		}
	}
}

func FuzzClientAddress(f *testing.F) {
	d := testDoor(f, Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	f.Add("127.0.0.1:1", "1.2.3.4, 127.0.0.2")
	f.Add("[::1]:1", ",,,")
	f.Fuzz(func(t *testing.T, peer, forwarded string) {
		got := d.client(&http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": {forwarded}}})
		if got == "" {
			return
		}
		if a, err := netip.ParseAddr(got); err != nil || a.Zone() != "" || a.Is4In6() {
			t.Fatalf("peer %q, X-Forwarded-For %q gives %q", peer, forwarded, got)
		}
	})
}
