// Package httpdoor is the edge: submissions that come in over HTTP become messages on stream raw.
//
// It reads the URI, the headers and nothing else. It knows no schema, decoder or plugin, never looks into a
// body and never inflates one; all it can do is append and learn when that is durable. (The folder is named
// http, the package is not, to spare its readers two packages of one name.)
package httpdoor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"sandbar/host/stream"
)

// Appender is stream raw as a door sees it.
type Appender interface {
	// Append returns nil when the messages are durable. It keeps nothing of them after that.
	Append(ctx context.Context, msgs ...[]byte) (stream.Position, error)
}

// Options of a Door. Those without a default are required.
type Options struct {
	Raw            Appender
	KnownNamespace func(namespace string) bool // asked by many goroutines at once
	Healthy        func() error                // nil: always; asked for each GET /status
	Hostname       string                      // goes into each message
	Now            func() time.Time
	Logger         *slog.Logger

	MaxPath        int            // bytes of path and arguments together; default 4 KiB
	MaxBody        int            // bytes of a body; default 10 MiB
	MaxInFlight    int64          // bytes of all submissions being read or written; default 256 MiB
	BodyTimeout    time.Duration  // for sending a body, and a second more for each 32 KiB; default 30 s
	StoreTime      time.Duration  // that the store may take for a submission; default 30 s
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
}

// Door is an http.Handler for /submit/... and /status.
type Door struct {
	opts     Options
	pool     sync.Pool // of *message
	inFlight *inFlight
	counts   counts
	log      throttledLog
}

// New makes a door.
func New(o Options) (*Door, error) {
	if o.Raw == nil || o.KnownNamespace == nil || o.Now == nil || o.Logger == nil {
		return nil, errors.New("http door: Raw, KnownNamespace, Now and Logger are required")
	}
	if o.Healthy == nil {
		o.Healthy = func() error { return nil }
	}
	if o.MaxPath == 0 {
		o.MaxPath = 4 << 10
	}
	if o.MaxBody == 0 {
		o.MaxBody = 10 << 20
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = 256 << 20
	}
	if o.BodyTimeout == 0 {
		o.BodyTimeout = 30 * time.Second
	}
	if o.StoreTime == 0 {
		o.StoreTime = 30 * time.Second
	}
	if o.MaxPath < 0 || o.MaxBody < 0 || o.BodyTimeout < 0 {
		return nil, errors.New("http door: limits must be positive")
	}
	if largest := int64(o.MaxBody + overhead(o.MaxPath)); o.MaxInFlight < largest {
		return nil, fmt.Errorf("http door: MaxInFlight is %d, but one submission of the largest size takes %d; raise it or lower MaxBody", o.MaxInFlight, largest)
	}
	d := &Door{opts: o, inFlight: newInFlight(o.MaxInFlight, int64(o.MaxBody+overhead(o.MaxPath))), log: throttledLog{logger: o.Logger, now: o.Now}}
	d.pool.New = func() any { return &message{buf: make([]byte, 0, smallRoom)} }
	return d, nil
}

// ServeHTTP answers one request.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		d.setDeadline(w, r.ContentLength)
	}
	switch r.Method {
	case http.MethodPost, http.MethodPut:
		begun := d.opts.Now()
		d.answer(w, d.submit(w, r))
		d.counts.answered(d.opts.Now().Sub(begun))
	case http.MethodGet, http.MethodHead:
		d.answer(w, d.status(r))
	default:
		d.answer(w, badMethod)
	}
}

// Beside serves the door's paths, and everything else from rest: for a host that shows its pages at the same
// address. It compares paths as they came; nothing is redirected.
func (d *Door) Beside(rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, _ := target(r)
		if path == "/status" || path == "/submit" || strings.HasPrefix(path, submitPrefix) {
			d.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

func (d *Door) status(r *http.Request) reply {
	if path, _ := target(r); path != "/status" {
		return notHere
	}
	if err := d.opts.Healthy(); err != nil {
		d.log.error("the edge reports itself unhealthy", err)
		return unhealthy
	}
	return accepted
}

// submit checks in the order of the specification, reads the body and appends.
func (d *Door) submit(w http.ResponseWriter, r *http.Request) reply {
	if _, ok := r.Header["Content-Length"]; !ok || r.ContentLength < 0 {
		return noLength
	}
	if len(r.RequestURI) > d.opts.MaxPath {
		return longPath
	}
	if r.ContentLength > int64(d.opts.MaxBody) {
		return largeBody
	}
	path, args := target(r)
	s, err := parseURI(path, args)
	switch {
	case errors.Is(err, errElsewhere), s.namespace != "" && !d.opts.KnownNamespace(s.namespace):
		return unknownNamespace
	case err != nil:
		return malformed(err)
	}
	return d.store(w, r, path, args)
}

// store reads the body into a message and makes that durable.
func (d *Door) store(w http.ResponseWriter, r *http.Request, path, args string) reply {
	m := d.pool.Get().(*message)
	defer d.release(m)
	m.begin(d, r, path, args)
	if no := d.readBody(w, r, m); no.code != 0 {
		return no
	}
	m.list[0] = m.buf
	// Not the request's context: a submission that is here whole is stored, whether its sender still listens or not.
	ctx, cancel := context.WithTimeout(context.Background(), d.opts.StoreTime)
	defer cancel()
	_, err := d.opts.Raw.Append(ctx, m.list[:]...)
	switch {
	case err == nil:
		d.counts.bytes.Add(r.ContentLength)
		return accepted
	case errors.Is(err, stream.ErrTooLarge):
		return largeBody
	case errors.Is(err, stream.ErrFull):
		d.log.error("submissions are refused: the disk has no room for stream raw", err)
		return full
	default:
		m.lent = true // the append may still be under way
		d.log.error("a submission could not be stored on stream raw", err)
		return broken
	}
}
