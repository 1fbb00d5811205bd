package web

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sandbar/host/runner"
)

// listener is a connection that keeps what it is sent.
type listener struct {
	head   http.Header
	events chan string
}

func (l *listener) Header() http.Header { return l.head }
func (l *listener) WriteHeader(int)     {}
func (l *listener) Flush()              {}
func (l *listener) Write(b []byte) (int, error) {
	select {
	case l.events <- string(b):
		return len(b), nil
	default:
		return 0, errors.New("nobody takes it")
	}
}

// next is the newest event, or "" when there is none.
func (l *listener) next() string {
	select {
	case e := <-l.events:
		return e
	default:
		return ""
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, func(o *Options) { o.Now = time.Now })
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- h.Run(ctx) }()
		l := &listener{head: http.Header{}, events: make(chan string, 100)}
		answered := make(chan struct{})
		go func() {
			h.ServeHTTP(l, request(http.MethodGet, "/api/v1/events", ""))
			close(answered)
		}()
		synctest.Wait()
		if e := l.next(); !strings.HasPrefix(e, "event: change\nid: ") || !strings.Contains(e, `"plugins":1,"series":0,"alerts":2,"errors":2,"saved":0,"calling":2,"ended":0,"troubles":[]}`) || !strings.HasSuffix(e, "\n\n") {
			t.Errorf("at first: %q", e)
		}
		for range 500 { // a burst is told as one
			h.series.version.Bump()
		}
		time.Sleep(pulseTime + time.Millisecond)
		if e := l.next(); !strings.Contains(e, `"series":500`) {
			t.Errorf("after a burst: %q", e)
		}
		if err := h.plugins.set("analysis.rate", runner.Terminated); err != nil {
			t.Fatal(err)
		}
		time.Sleep(pulseTime)
		if e := l.next(); !strings.Contains(e, `"plugins":2`) {
			t.Errorf("after a plugin ended: %q", e)
		}
		time.Sleep(aliveTime + pulseTime)
		if e := l.next(); !strings.HasPrefix(e, ": ") {
			t.Errorf("after a quiet time: %q", e)
		}
		if e := l.next(); e != "" {
			t.Errorf("unasked: %q", e)
		}
		cancel()
		<-answered // by the end of Run alone
		if err := <-ran; !errors.Is(err, context.Canceled) {
			t.Errorf("Run returns %v", err)
		}
	})
}

func TestEventsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, func(o *Options) { o.Now = time.Now })
		begun := time.Now()
		h.ServeHTTP(&listener{head: http.Header{}, events: make(chan string, 1000)}, request(http.MethodGet, "/api/v1/events", ""))
		if d := time.Since(begun); d != listenTime {
			t.Errorf("a listener stays for %v", d)
		}
		h.ServeHTTP(&listener{head: http.Header{}, events: make(chan string, 1)}, request(http.MethodGet, "/api/v1/events", ""))
		if d := time.Since(begun) - listenTime; d != aliveTime {
			t.Errorf("a listener that takes nothing stays for %v", d)
		}
		if n := len(h.pulse.listeners); n != 0 {
			t.Errorf("%d places are taken", n)
		}
	})
}

func TestListenersAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, func(o *Options) { o.Now = time.Now })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		for range maxListeners {
			go func() {
				h.ServeHTTP(&listener{head: http.Header{}, events: make(chan string, 9)}, request(http.MethodGet, "/api/v1/events", "").WithContext(ctx))
				done <- struct{}{}
			}()
		}
		synctest.Wait()
		if w := h.get("/api/v1/events"); w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Errorf("one too many: %d", w.Code)
		}
		cancel()
		for range maxListeners {
			<-done
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, request(http.MethodGet, "/api/v1/events", "").WithContext(ctx)); w.Code != 200 {
			t.Errorf("when places are free again: %d", w.Code)
		}
	})
}

// TestShutdown ends a real server with listeners on real connections. That no goroutine is left is checked
// at the end of all tests.
func TestShutdown(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(o *Options) { o.Now = time.Now })
	srv := httptest.NewServer(h)
	defer srv.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- h.Run(ctx) }()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	var readers []*bufio.Reader
	for range 3 {
		res, err := client.Get(srv.URL + "/api/v1/events")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		r := bufio.NewReader(res.Body)
		if line, err := r.ReadString('\n'); err != nil || line != "event: change\n" || res.Header.Get("Content-Type") != "text/event-stream" {
			t.Fatalf("first line %q, %v, %v", line, err, res.Header)
		}
		readers = append(readers, r)
	}
	cancel()
	<-ran
	for _, r := range readers {
		if _, err := io.ReadAll(r); err != nil {
			t.Errorf("the answer does not end as it should: %v", err)
		}
	}
	quiet, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	if err := srv.Config.Shutdown(quiet); err != nil {
		t.Errorf("the server does not stop: %v", err)
	}
}
