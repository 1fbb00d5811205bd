package feed

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	httpdoor "sandbar/host/intake/http"
	"sandbar/host/stream"
	"sandbar/sandbox/message"
)

// collector is a stream raw that remembers, and says when it has enough.
type collector struct {
	mu     sync.Mutex
	msgs   [][]byte
	want   int
	enough chan struct{}
}

func (c *collector) Append(_ context.Context, msgs ...[]byte) (stream.Position, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range msgs {
		c.msgs = append(c.msgs, bytes.Clone(m))
		if len(c.msgs) == c.want {
			close(c.enough)
		}
	}
	return stream.Position{}, nil
}

func (c *collector) all() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.msgs)
}

// edge starts a real one. It answers 404 for namespaces beside those given.
func edge(t *testing.T, raw httpdoor.Appender, namespaces ...string) (url string) {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	door, err := httpdoor.New(httpdoor.Options{
		Raw: raw, Now: time.Now, Logger: logger, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		KnownNamespace: func(ns string) bool { return strings.Contains(" "+strings.Join(namespaces, " ")+" ", " "+ns+" ") },
	})
	if err != nil {
		t.Fatal(err)
	}
	server, err := httpdoor.NewServer(httpdoor.ServerOptions{Handler: door, Now: time.Now, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		if err := server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

func field(t *testing.T, msg []byte, name string) string {
	t.Helper()
	var v message.View
	if err := v.Parse(msg); err != nil {
		t.Fatal(err)
	}
	f, ok := v.Field(name, 0)
	if !ok {
		return ""
	}
	value, _ := f.Bytes(0)
	return string(value)
}

// Real pings, of which many share a document id, all get through and stay apart.
func TestSendRealPings(t *testing.T) {
	t.Parallel()
	const dir = "../../../shared/data/mozilla/pings"
	files, err := fs.Glob(os.DirFS(dir), "*/*.json")
	if err != nil || len(files) == 0 {
		t.Skipf("no ping files in %s (%v)", dir, err)
	}
	raw := &collector{}
	s, err := NewSender(SenderOptions{URL: edge(t, raw, "telemetry", "eng-workflow", "firefox-accounts")})
	if err != nil {
		t.Fatal(err)
	}
	sum, err := s.Send(t.Context(), dir)
	if err != nil || sum.Status[200] != len(files) || len(sum.Failed) != 0 {
		t.Fatalf("%d files: %+v, %v", len(files), sum, err)
	}
	uris := map[string]bool{}
	for _, m := range raw.all() {
		uris[field(t, m, "uri")] = true
	}
	if len(uris) != len(files) {
		t.Errorf("%d files were sent to %d URIs", len(files), len(uris))
	}
}

// What the generator makes is what an edge takes, also the faulty part, and comes from many addresses.
func TestGeneratorAgainstEdge(t *testing.T) {
	t.Parallel()
	raw := &collector{want: 1000, enough: make(chan struct{})}
	g, err := NewGenerator(GeneratorOptions{
		URL: edge(t, raw, "telemetry", "shop", "sensors"), Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		Script: ScriptOptions{Seed: 4, Rate: 5000, Invalid: 0.3},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	select {
	case <-raw.enough:
	case err := <-ended:
		t.Fatalf("the generator ended: %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	st := g.Stats()
	if st.Sent != st.Status[200] || st.Failed != 0 {
		t.Errorf("stats are %+v", st)
	}
	from := map[string]bool{}
	for _, m := range raw.all() {
		from[field(t, m, "remote_addr")] = true
	}
	if len(from) < 100 || from["127.0.0.1"] {
		t.Errorf("submissions came from %d addresses, from loopback: %v", len(from), from["127.0.0.1"])
	}
}
