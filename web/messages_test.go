package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sandbar/host/tap"
)

func TestMessages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path string
		code int
		want string
	}{
		{"messages", 200, `"list":[{"position":"0:1`},
		{"messages?n=1&matcher=Fields[n]+%3D%3D+1", 200, `"matched":1`},
		{"messages?n=0", 200, `"list":[]`},
		{"messages?n=501", 400, "n is"},
		{"messages?stream=none", 400, "there is no stream"},
		{"messages?matcher=Type+%3D+1", 422, `"column":6,"field":"matcher"`},
		{"messages?matcher=" + strings.Repeat("x", 20_000), 422, `"field":"matcher"`},
		{"messages/valid/0:0", 200, `"value":[0]`},
		{"messages/valid/0%3A0", 200, `"value":[0]`},
		{"messages/valid/7:0", 404, "no message here"},
		{"messages/valid/x", 400, "SEGMENT:OFFSET"},
		{"messages/none/0:0", 400, "there is no stream"},
		{"fields?matcher=Fields[n]+%3E+0", 200, `{"name":"Fields[n]","types":["integer"],"representation":"count","present":2,"values":2,"bytes":2,"largest":1,"distinct":2,"top":[{"value":"1","count":1},{"value":"2","count":1}],"lowest":1,"highest":2,"example":"0:`},
		{"fields", 200, `"personal":true`},
		{"fields?n=0", 400, "n is"},
		{"fields?matcher=x", 422, "matcher"},
		{"messages/live?rate=51", 400, "rate is"},
		{"schemas", 200, `{"schemas":[{"namespace":"lab","doc_type":"reading","version":"1"}],"problems":[{"path":"lab/odd/odd.1.schema.json"`},
		{"schemas/lab/reading/1", 200, `"fields":[{"path":"who","types":["string"],"personal":true}]`},
		{"schemas/lab/reading/2", 404, "no such schema"},
		{"schemas/..%2F../x/1", 404, ""},
		{"messages/live?matcher=x", 422, "matcher"},
		{"messages/live?stream=none", 400, "there is no stream"},
	} {
		h := newHost(t, nil)
		if w := h.get("/api/v1/" + tt.path); w.Code != tt.code || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%.60s: %d %.500s\nwant %d with %s", tt.path, w.Code, w.Body, tt.code, tt.want)
		}
	}
}

// busyTap has no place left.
type busyTap struct{ Messages }

func (busyTap) Newest(context.Context, tap.Query, int) ([]tap.Message, tap.Seen, error) {
	return nil, tap.Seen{}, tap.ErrBusy
}
func (busyTap) Follow(context.Context, tap.Query, int, func(tap.Event) error) error {
	return tap.ErrBusy
}
func (busyTap) Fields(context.Context, tap.Query, int) ([]*tap.Field, tap.Seen, error) {
	return nil, tap.Seen{}, errors.New("a secret of the disk")
}

func TestBusyMessages(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(o *Options) { o.Messages = busyTap{} })
	for path, want := range map[string]int{"messages": 503, "messages/live": 503, "fields": 500} {
		if w := h.get("/api/v1/" + path); w.Code != want || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// TestLiveMessages: a listener hears of what comes, until its time is over.
func TestLiveMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, func(o *Options) { o.Now = time.Now; o.Messages = newTap() })
		l := &listener{head: http.Header{}, events: make(chan string, 10_000)}
		answered := make(chan struct{})
		go func() {
			h.ServeHTTP(l, request(http.MethodGet, "/api/v1/messages/live?rate=1", ""))
			close(answered)
		}()
		synctest.Wait()
		if e := l.next(); !strings.HasPrefix(e, "event: messages\ndata: {\"messages\":0,") || !strings.HasSuffix(e, "\n\n") || l.head.Get("Content-Type") != "text/event-stream" {
			t.Errorf("at first: %q, %v", e, l.head)
		}
		time.Sleep(listenTime)
		synctest.Wait()
		select {
		case <-answered:
		default:
			t.Error("the answer has no end")
		}
	})
}

// TestUnmatched: a check tells when the matcher takes nothing of what came lately.
func TestUnmatched(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ kind, matcher, want string }{
		{"analysis", "Type == 'telemtry'", "; config line 1: its message_matcher takes none of the newest 3 messages of valid, errors, back to 2024-05-01 12:00:00"},
		{"output", "Type == 'telemtry'", "none of the newest 3 messages of valid, errors, derived"},
		{"analysis", "FALSE", ""},
		{"analysis", "Fields[n] == 1", ""},
		{"analysis", "Type =", ""},
		{"decoder", "Type == 'x'", ""}, // nothing came
	} {
		h := newHost(t, nil)
		w := h.do(request(http.MethodPost, "/api/v1/check", submit(map[string]any{"kind": tt.kind, "config": "message_matcher = \"" + tt.matcher + "\""})))
		if got := w.Body.String(); w.Code != 200 || strings.Contains(got, "none of the newest") != (tt.want != "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s, %s: %d %s", tt.kind, tt.matcher, w.Code, got)
		}
		if w := h.do(request(http.MethodPost, "/api/v1/check?streams=false", submit(map[string]any{"kind": tt.kind, "config": "message_matcher = \"" + tt.matcher + "\""}))); strings.Contains(w.Body.String(), "none of the newest") {
			t.Errorf("not asked for: %s", w.Body)
		}
	}
}
