package httpdoor

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sandbar/host/stream"
)

type nothing struct{}

func (nothing) Append(context.Context, ...[]byte) (stream.Position, error) {
	return stream.Position{}, nil
}

// listen serves a door and returns its address.
func listen(t *testing.T, o Options, s ServerOptions) string {
	t.Helper()
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Handler = d
	return serve(t, s)
}

// TestHoldersKeepNobodyOut: a thousand clients that hold memory with bodies that do not end, from one address or from many,
// do not keep a submission of another out.
func TestHoldersKeepNobodyOut(t *testing.T) {
	t.Parallel()
	for name, addresses := range map[string]int{"one address": 1, "many addresses": 500} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := Options{Raw: nothing{}, KnownNamespace: func(string) bool { return true }, Now: time.Now, Logger: slog.New(slog.DiscardHandler), MaxBody: 1 << 20, MaxInFlight: 8 << 20}
			o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} // so that X-Forwarded-For says who a client is
			addr := listen(t, o, ServerOptions{MaxConnections: 5000, PerAddress: 5000})
			for i := range 1000 {
				conn, err := net.Dial("tcp", addr)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { conn.Close() })
				fmt.Fprintf(conn, "POST /submit/ns/doc/1/00000000-0000-4000-8000-%012x HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 10.0.%d.%d\r\nContent-Length: 60000\r\n\r\n%s",
					i, i%addresses/250, i%addresses%250, strings.Repeat("x", 59_000))
			}
			deadline := time.Now().Add(30 * time.Second)
			taken := 0
			for i := 0; taken < 20; i++ {
				req, _ := http.NewRequest(http.MethodPost, fmt.Sprintf("http://%s/submit/ns/doc/1/00000000-0000-4000-9000-%012x", addr, i), strings.NewReader("{}"))
				req.Header.Set("X-Forwarded-For", "192.0.2.1")
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				switch {
				case res.StatusCode == 200:
					taken++
				case time.Now().After(deadline):
					t.Fatalf("after %d honest submissions %d were taken; the last was answered %s", i, taken, res.Status)
				}
			}
		})
	}
}

// TestConnectionsAreBounded: beyond the bound an idle connection goes for a new one, and one address cannot have them all.
func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	o := Options{Raw: nothing{}, KnownNamespace: func(string) bool { return true }, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
	addr := listen(t, o, ServerOptions{MaxConnections: 50, PerAddress: 40})
	for range 1000 {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
	}
	for range 20 {
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get("http://" + addr + "/status")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 200 {
			t.Errorf("beside 1000 idle connections: %s", res.Status)
		}
	}
}
