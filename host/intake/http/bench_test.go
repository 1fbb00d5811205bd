package httpdoor

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sandbar/host/stream"
	"sandbar/host/stream/disk"
)

// body2k is what a submission of the goal weighs.
func body2k() []byte { return bytes.Repeat([]byte("0123456789abcdef"), 125) }

// nowhere takes everything at once.
type nowhere struct{}

func (nowhere) Append(context.Context, ...[]byte) (stream.Position, error) {
	return stream.Position{}, nil
}

// discard is the least of a ResponseWriter.
type discard struct{ h http.Header }

func (w discard) Header() http.Header         { return w.h }
func (w discard) Write(p []byte) (int, error) { return len(p), nil }

func (w discard) WriteString(s string) (int, error) { return len(s), nil }
func (w discard) WriteHeader(int)                   {}

func (w discard) SetReadDeadline(time.Time) error { return nil }

// BenchmarkHandler is the door's own work for a submission of 2 kB, without net/http's and the stream's.
func BenchmarkHandler(b *testing.B) {
	d := testDoor(b, Options{Raw: nowhere{}})
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("POST " + generic + " HTTP/1.1\r\nHost: edge\r\nContent-Length: 2000\r\n" +
		"User-Agent: Mozilla/5.0\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nDate: Mon, 23 Nov 2026 21:59:59 GMT\r\n\r\n")))
	if err != nil {
		b.Fatal(err)
	}
	r.RemoteAddr = "203.0.113.7:4711"
	body := bytes.NewReader(body2k())
	r.Body = io.NopCloser(body)
	w := discard{http.Header{}}
	b.SetBytes(2000)
	b.ReportAllocs()
	for b.Loop() {
		body.Seek(0, io.SeekStart)
		d.ServeHTTP(w, r)
	}
	if n := d.Stats().Answers[200]; n < int64(b.N) {
		b.Fatalf("%d of %d were taken", n, b.N)
	}
}

// groupCommit acts like a disk: all that come while a sync runs wait for the next one together.
type groupCommit struct {
	sync time.Duration

	mu      sync.Mutex
	running bool
	next    chan struct{} // closed when the sync is done that covers who waits now
}

func (g *groupCommit) Append(context.Context, ...[]byte) (stream.Position, error) {
	g.mu.Lock()
	if g.next == nil {
		g.next = make(chan struct{})
	}
	done := g.next
	if !g.running {
		g.running = true
		go g.run()
	}
	g.mu.Unlock()
	<-done
	return stream.Position{}, nil
}

func (g *groupCommit) run() {
	for {
		g.mu.Lock()
		done := g.next
		g.next = nil
		if done == nil {
			g.running = false
			g.mu.Unlock()
			return
		}
		g.mu.Unlock()
		time.Sleep(g.sync)
		close(done)
	}
}

// BenchmarkEdgeLoopback is a whole edge under load: kept connections that each post 2 kB and wait for the
// answer, a real server, and a stream whose sync takes as long as an ordinary SSD's. Both ends share the cores.
func BenchmarkEdgeLoopback(b *testing.B) {
	for _, conns := range []int{32, 128} {
		b.Run(fmt.Sprint("connections=", conns), func(b *testing.B) { loopback(b, conns, &groupCommit{sync: 2 * time.Millisecond}) })
	}
}

// BenchmarkEdgeLoopbackDisk is the same over the real stream on this machine's disk.
func BenchmarkEdgeLoopbackDisk(b *testing.B) {
	store, err := disk.Open(b.TempDir(), disk.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	log := store.Log(stream.Raw)
	loopback(b, 128, log)
	b.ReportMetric(float64(log.Stats().Messages)/float64(max(log.Stats().Syncs, 1)), "messages/sync")
}

func loopback(b *testing.B, conns int, raw Appender) {
	d := testDoor(b, Options{Raw: raw})
	addr := serve(b, ServerOptions{Handler: d})
	clients := make([]*loadClient, conns)
	for i := range clients {
		clients[i] = newLoadClient(b, addr, i)
	}
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for i, c := range clients {
		share := (b.N + i) / conns // adds up to b.N
		wg.Go(func() {
			for range share {
				if err := c.submit(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "submissions/s")
	if n := d.Stats().Answers[200]; !b.Failed() && n != int64(b.N+conns) {
		b.Errorf("%d of %d were taken", n, b.N+conns)
	}
}

// loadClient posts over one connection with as little work as possible: the request is made once and only its
// docId changes; all answers are as long as the first.
type loadClient struct {
	conn    net.Conn
	request []byte
	serial  []byte // where in request the count stands
	n       int
	answer  []byte
}

func newLoadClient(b *testing.B, addr string, number int) *loadClient {
	c := &loadClient{conn: dial(b, addr)}
	if err := c.conn.SetDeadline(time.Time{}); err != nil {
		b.Fatal(err)
	}
	docID := fmt.Sprintf("%08x-0000-4000-8000-000000000000", number)
	c.request = []byte(post("/submit/shop/cart/1/"+docID, string(body2k()), "User-Agent: load", "Content-Type: application/json"))
	at := bytes.Index(c.request, []byte(docID)) + len(docID)
	c.serial = c.request[at-12 : at]
	if _, err := c.conn.Write(c.request); err != nil {
		b.Fatal(err)
	}
	c.answer = make([]byte, 4<<10)
	n, err := c.conn.Read(c.answer)
	if err != nil || !bytes.HasPrefix(c.answer, []byte("HTTP/1.1 200 ")) || !bytes.HasSuffix(c.answer[:n], []byte("OK")) {
		b.Fatalf("the first answer is %q, %v", c.answer[:n], err)
	}
	c.answer = c.answer[:n]
	return c
}

func (c *loadClient) submit() error {
	c.n++
	digits := strconv.AppendInt(c.serial[:0:0], int64(1_000_000_000_000+c.n), 10)
	copy(c.serial, digits[1:])
	if _, err := c.conn.Write(c.request); err != nil {
		return err
	}
	if _, err := io.ReadFull(c.conn, c.answer); err != nil {
		return err
	}
	if !bytes.HasPrefix(c.answer, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("answered %q", c.answer)
	}
	return nil
}
