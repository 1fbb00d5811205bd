package feed

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeEdge is an http.RoundTripper that answers what answer says and counts. It works inside a synctest
// bubble, where there is no network.
type fakeEdge struct {
	mu     sync.Mutex
	calls  []time.Time
	uris   map[string]int
	answer func(n int, r *http.Request) (*http.Response, error) // n counts from 1
}

func (f *fakeEdge) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.calls = append(f.calls, time.Now())
	if f.uris == nil {
		f.uris = map[string]int{}
	}
	f.uris[r.URL.RequestURI()]++
	n := len(f.calls)
	f.mu.Unlock()
	return f.answer(n, r)
}

func (f *fakeEdge) within(from, to time.Time) (n int) {
	for _, at := range f.calls {
		if !at.Before(from) && at.Before(to) {
			n++
		}
	}
	return n
}

func answer(code int, headers ...string) (*http.Response, error) {
	h := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader("text"))}, nil
}

func generator(t *testing.T, edge *fakeEdge, log io.Writer, o ScriptOptions) *Generator {
	t.Helper()
	g, err := NewGenerator(GeneratorOptions{
		URL: "http://edge.invalid", Now: time.Now, Logger: slog.New(slog.NewTextHandler(log, nil)), Client: &http.Client{Transport: edge}, Script: o,
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGeneratorPacing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		edge := &fakeEdge{answer: func(int, *http.Request) (*http.Response, error) { return answer(200) }}
		var log bytes.Buffer
		o := ScriptOptions{Seed: 1, Rate: 100, Day: 2 * time.Second, AnomalyAfter: 4 * time.Second, AnomalyFor: 2 * time.Second, AnomalyEvery: 8 * time.Second}
		g := generator(t, edge, &log, o)
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		if err := g.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != 8*time.Second {
			t.Errorf("Run ended after %v", took)
		}
		for second := range 8 {
			from := begin.Add(time.Duration(second) * time.Second)
			n := edge.within(from, from.Add(time.Second))
			if n < 50 || n > 150 {
				t.Errorf("%d submissions in second %d at a rate of 100", n, second)
			}
		}
		st := g.Stats()
		if st.Sent != int64(len(edge.calls)) || st.Status[200] != st.Sent || st.Failed != 0 || st.Bytes == 0 {
			t.Errorf("stats are %+v after %d requests", st, len(edge.calls))
		}
		if !strings.Contains(log.String(), "goes wrong") || !strings.Contains(log.String(), "back to normal") {
			t.Errorf("the anomaly is not told in the log: %s", log.String())
		}
	})
}

func TestGeneratorBacksOff(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() (*http.Response, error){
		"no connection": func() (*http.Response, error) { return nil, errors.New("connection refused") },
		"500":           func() (*http.Response, error) { return answer(500) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				repaired := begin.Add(20 * time.Second)
				edge := &fakeEdge{answer: func(int, *http.Request) (*http.Response, error) {
					if time.Now().Before(repaired) {
						return fail()
					}
					return answer(200)
				}}
				var log bytes.Buffer
				g := generator(t, edge, &log, ScriptOptions{Seed: 1, Rate: 100, AnomalyAfter: -1})
				ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
				defer cancel()
				if err := g.Run(ctx); err != nil {
					t.Fatal(err)
				}
				// Eight workers that wait 0.1, 0.2, ... 3.2, 5, 5, 5 s.
				if n := edge.within(begin, repaired); n > 8*9 {
					t.Errorf("%d requests to an edge that is down for 20 s", n)
				}
				for second := 30; second < 60; second++ {
					from := begin.Add(time.Duration(second) * time.Second)
					if n := edge.within(from, from.Add(time.Second)); n < 50 || n > 160 {
						t.Errorf("%d submissions in second %d at a rate of 100, after a pause", n, second)
					}
				}
				if n := strings.Count(log.String(), "does not take"); n != 1 {
					t.Errorf("the outage is logged %d times", n)
				}
				if n := strings.Count(log.String(), "answers again"); n != 1 {
					t.Errorf("the end of the outage is logged %d times", n)
				}
			})
		})
	}
}

func TestGeneratorRefusesOptions(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "127.0.0.1:8080", "ftp://x", "http://", "http://h?x", "http://h#x", "http://[::1"} {
		if _, err := NewGenerator(GeneratorOptions{URL: url, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}); err == nil {
			t.Errorf("URL %q is taken", url)
		}
	}
	if _, err := NewGenerator(GeneratorOptions{URL: "http://h", Script: ScriptOptions{Rate: -1}}); err == nil {
		t.Error("a negative rate is taken")
	}
}
