package web

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/host/view"
)

const (
	pulseTime    = time.Second      // between two looks at what changed
	aliveTime    = 15 * time.Second // a listener that hears nothing hears that
	listenTime   = 10 * time.Minute // then a listener has to come again, with a session that still holds
	sendTime     = 10 * time.Second // for one event; a listener that takes longer is let go
	maxListeners = 64
)

// versions tell what changed. Each is only to be compared with itself.
type versions struct {
	Started int64  `json:"started"` // Unix milliseconds; versions of another start say nothing
	Plugins uint64 `json:"plugins"`
	Series  uint64 `json:"series"`
	Alerts  uint64 `json:"alerts"`
	Errors  uint64 `json:"errors"`
	Saved   uint64 `json:"saved"`
	Calling int    `json:"calling"` // incidents that nobody has seen or silenced
	Ended   int    `json:"ended"`   // plugins that have ended by themselves, or could not be loaded

	Troubles asJSON `json:"troubles"` // what is wrong with the host, not with a plugin
}

// asJSON is a value as text, so that it can be compared.
type asJSON string

// MarshalJSON implements json.Marshaler.
func (a asJSON) MarshalJSON() ([]byte, error) { return []byte(a), nil }

// pulse looks once a second at what changed, however many listen, and wakes them.
type pulse struct {
	opt       Options
	attention *attention
	changed   view.Version
	listeners chan struct{}   // one place each
	ending    context.Context // ends when run returns
	end       context.CancelFunc

	mu      sync.Mutex
	now     versions
	plugins uint64 // sum of what the version of plugins is about
	rate    map[string]*rate
}

func newPulse(o Options, a *attention) *pulse {
	p := &pulse{opt: o, attention: a, listeners: make(chan struct{}, maxListeners), rate: map[string]*rate{}}
	p.ending, p.end = context.WithCancel(context.Background())
	p.now.Started = o.Now().UnixMilli()
	for _, name := range stream.Names() {
		p.rate[name] = &rate{}
	}
	p.look(context.Background())
	return p
}

func (p *pulse) run(ctx context.Context) error {
	defer p.end()
	tick := time.NewTicker(pulseTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			p.look(ctx)
		}
	}
}

// look takes the rates and the versions.
func (p *pulse) look(ctx context.Context) {
	list, err := p.opt.Plugins.List(ctx)
	sum, ended := pluginSum(list)
	if err != nil {
		p.opt.Logger.Debug("looking for changed plugins failed", "error", err)
	}
	at := p.opt.Now()
	if err == nil {
		p.opt.Vitals.Note(at, list)
	}
	incidents, unheard := p.attention.about(ctx, at, p.opt.Alerts.Firing()...)
	if unheard != nil {
		p.opt.Logger.Debug("looking for what is saved about alerts failed", "error", unheard)
	}
	troubled, _ := json.Marshal(troubles(p.opt.Health, p.opt.Hosts.Others())) // texts and times
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, r := range p.rate {
		r.add(at, p.opt.Streams[name].Stats())
	}
	v := p.now
	if err == nil && sum != p.plugins {
		p.plugins = sum
		v.Plugins++
	}
	if err == nil {
		v.Ended = ended
	}
	if unheard == nil {
		v.Calling = calling(incidents)
	}
	v.Troubles, v.Saved = asJSON(troubled), p.opt.Saved.Version()
	v.Series, v.Alerts, v.Errors = p.opt.Series.Version(), p.opt.Alerts.Version(), p.opt.Failures.Version()
	if v != p.now {
		p.now = v
		p.changed.Bump()
	}
}

// pluginSum changes when a plugin comes, goes, or enters another state. ended is how many have ended by themselves.
func pluginSum(list []runner.Status) (sum uint64, ended int) {
	h := fnv.New64a()
	for _, s := range list {
		fmt.Fprintf(h, "%q %q %d\n", s.Name, s.State, s.Since.UnixNano())
		if s.State == runner.Terminated || s.State == runner.Failed {
			ended++
		}
	}
	return h.Sum64(), ended
}

func (p *pulse) rates(name string) (messages, bytes float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rate[name].perSecond()
}

// newest are the versions and the number of the change that made them so.
func (p *pulse) newest() (versions, uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now, p.changed.Now()
}

// events tells a listener of changes until it goes, the host ends or its time is over.
func (s *Site) events(c echo.Context) error {
	p := s.pulse
	select {
	case p.listeners <- struct{}{}:
		defer func() { <-p.listeners }()
	default:
		c.Response().Header().Set("Retry-After", "30")
		return refuse(http.StatusServiceUnavailable, "%d pages listen already; close some, or poll", maxListeners)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), listenTime)
	defer cancel()
	defer context.AfterFunc(p.ending, cancel)()
	c.Response().Header().Set("Content-Type", "text/event-stream")
	c.Response().WriteHeader(http.StatusOK)
	for ctx.Err() == nil {
		now, seen := p.newest()
		data, err := json.Marshal(now)
		if err != nil {
			return err
		}
		if s.send(c, fmt.Sprintf("event: change\nid: %d\ndata: %s\n\n", seen, data)) != nil {
			return nil // the listener is gone
		}
		for !p.await(ctx, seen) && ctx.Err() == nil {
			if s.send(c, ": nothing changed\n\n") != nil {
				return nil
			}
		}
	}
	return nil
}

// await reports whether something changed before it is time to say that nothing did.
func (p *pulse) await(ctx context.Context, seen uint64) bool {
	ctx, cancel := context.WithTimeout(ctx, aliveTime)
	defer cancel()
	_, err := p.changed.Wait(ctx, seen)
	return err == nil
}

// send writes an event through to the listener.
func (s *Site) send(c echo.Context, text string) error {
	w := http.NewResponseController(c.Response().Writer)
	_ = w.SetWriteDeadline(s.opt.Now().Add(sendTime)) // not supported only where no connection is
	_, err := c.Response().Write([]byte(text))
	if err == nil {
		err = w.Flush()
	}
	_ = w.SetWriteDeadline(time.Time{}) // the next request on this connection may be another's
	return err
}
