// Package feed sends submissions to an edge over HTTP: a tree of ping files once (Sender), or an endless
// stream of invented ones that looks like a small company's day (Generator, for the demo).
//
// It knows the edge only by its address and its URIs: nothing of streams, plugins or the host it talks to.
package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Submission is one request to the edge.
type Submission struct {
	At     time.Duration // when it is due, from the start of its script; zero for a file
	Kind   string        // "main.4", for people and counts
	Fault  Fault         // what is wrong with it on purpose
	URI    string        // path and arguments
	Header http.Header
	Body   []byte
}

// poster sends submissions to one edge.
type poster struct {
	base   string // scheme://host[:port], no slash at the end
	client *http.Client
}

// newPoster checks the address. A nil client becomes one that keeps a connection open per worker.
func newPoster(edge string, client *http.Client, workers int) (*poster, error) {
	u, err := url.Parse(edge)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("edge address %q is not a URL like http://127.0.0.1:8080", edge)
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("edge address %q has arguments; give it without the part from '?' or '#' on", edge)
	}
	if client == nil {
		client = &http.Client{
			Timeout: 60 * time.Second,
			// Following one would make a GET of a POST; a redirect is an answer to show.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				Proxy:               http.ProxyFromEnvironment,
				MaxIdleConnsPerHost: workers,
				IdleConnTimeout:     60 * time.Second,
				DisableCompression:  true,
				TLSHandshakeTimeout: 10 * time.Second,
			},
		}
	}
	return &poster{base: strings.TrimRight(edge, "/"), client: client}, nil
}

func (p *poster) close() { p.client.CloseIdleConnections() }

// maxAnswer bounds what is read of an answer: the edge's are one line.
const maxAnswer = 4 << 10

// post sends s once. It returns the status, the answer's text and how long the edge asks to wait.
func (p *poster) post(ctx context.Context, s *Submission) (status int, text string, wait time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base+s.URI, bytes.NewReader(s.Body))
	if err != nil {
		return 0, "", 0, fmt.Errorf("making the request for %s: %w", s.URI, err)
	}
	if s.Header != nil {
		req.Header = s.Header.Clone()
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, "", 0, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, "", 0, fmt.Errorf("reading the answer to %s: %w", s.URI, err)
	}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		wait = time.Duration(min(seconds, 60)) * time.Second
	}
	return resp.StatusCode, strings.TrimSpace(string(answer)), wait, nil
}

// pause waits for d, or until the context ends.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// longestPause is where doubling pauses end.
const longestPause = 5 * time.Second

// nextPause doubles a pause, and takes the edge's own wish when that is longer.
func nextPause(last, first, wished time.Duration) time.Duration {
	return max(min(max(2*last, first), longestPause), wished)
}

// ended reports whether err only says that somebody asked to stop.
func ended(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}
