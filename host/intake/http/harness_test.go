package httpdoor

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sandbar/host/stream"
	heka "sandbar/sandbox/message"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeRaw keeps what is appended, or answers what answer says.
type fakeRaw struct {
	answer func(ctx context.Context, msgs [][]byte) error // nil: taken

	mu   sync.Mutex
	msgs [][]byte
}

func (f *fakeRaw) Append(ctx context.Context, msgs ...[]byte) (stream.Position, error) {
	if f.answer != nil {
		if err := f.answer(ctx, msgs); err != nil {
			return stream.Position{}, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range msgs {
		f.msgs = append(f.msgs, bytes.Clone(m))
	}
	return stream.Position{}, nil
}

func (f *fakeRaw) all() [][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.msgs)
}

// logBuffer is a log that goroutines may write while a test reads.
type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func knownInTests(ns string) bool { return slices.Contains([]string{"telemetry", "shop", "shöp"}, ns) }

// testDoor makes a door with the options that o leaves open.
func testDoor(t testing.TB, o Options) *Door {
	t.Helper()
	if o.Raw == nil {
		o.Raw = &fakeRaw{}
	}
	if o.KnownNamespace == nil {
		o.KnownNamespace = knownInTests
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Hostname = "edge.example.org"
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// serve starts a real server and returns its address. It ends with the test.
func serve(t testing.TB, o ServerOptions) string {
	t.Helper()
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// dial connects to a server under test.
func dial(t testing.TB, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// ask sends bytes as they are and reads the answer to method.
func ask(t testing.TB, c net.Conn, method, request string) (*http.Response, string) {
	t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	return answerOf(t, c, method)
}

func answerOf(t testing.TB, c net.Conn, method string) (*http.Response, string) {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// fields reads a message's fields in their order, as "name=value".
func fields(t testing.TB, raw []byte) (all []string, content []byte) {
	t.Helper()
	var v heka.View
	if err := v.Parse(raw); err != nil {
		t.Fatalf("the stored message is broken: %v", err)
	}
	for f := range v.Fields() {
		if f.Len() != 1 {
			t.Errorf("field %s has %d values", f.Name(), f.Len())
		}
		value, _ := f.Bytes(0)
		if string(f.Name()) == "content" {
			if f.Type() != heka.Bytes {
				t.Errorf("content is of type %v", f.Type())
			}
			content = value
			all = append(all, "content")
			continue
		}
		if f.Type() != heka.String {
			t.Errorf("field %s is of type %v", f.Name(), f.Type())
		}
		all = append(all, string(f.Name())+"="+string(value))
	}
	return all, content
}
