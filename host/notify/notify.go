// Package notify tells people of alerts. It follows stream derived, gathers alerts into groups, makes notices of these and delivers them; what
// cannot be delivered is tried again, for a day.
//
// How far it has read, its groups and its deliveries are one commit, made before anything is sent: after a crash nothing is told anew, and a delivery that may have
// arrived is made again under the same ID.
//
// It knows alerts and when somebody wants to hear of them; it must not know mail or HTTP, which are a Way.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"sandbar/host/alert"
	"sandbar/host/stream"
	"sandbar/host/view"
	"sandbar/sandbox/message"
)

// Reader is the name under which positions and state are committed.
const (
	Reader    = "notify"
	stateName = "notify"
)

// Target is where a notice goes.
type Target struct {
	Way      string `json:"way"`     // "mail", "webhook", "slack", ...
	Address  string `json:"address"` // of the way: a mailbox, a URL
	Secret   string `json:"secret,omitempty"`
	Template string `json:"template,omitempty"` // of a webhook
}

// Route says who hears of which alerts, and how often.
type Route struct {
	Name      string
	Match     func(v *message.View) bool // of the alert's message
	Targets   []Target
	GroupBy   []string      // labels: a group for each of their values
	BySubject bool          // a group for each subject; else one for each plugin
	Wait      time.Duration // after the first alert, so that those that come with it are told together
	Interval  time.Duration // between two notices of a group that has news
	Repeat    time.Duration // between two notices of a group without news; 0: it is not repeated
	Resolved  bool          // it is also told when an incident is over

	Unless   func(v *message.View) bool // while an alert that it likes fires, others are not told; nil: they are
	Quiet    func(t time.Time) bool     // nothing is told at such times, but what is waits until then; nil: there are none
	Escalate *Escalation                // nil: nobody else is told
}

// Escalation is who else is told of an incident that goes on.
type Escalation struct {
	After   time.Duration // since it was told, while nobody has acknowledged it
	Targets []Target
}

// Way delivers notices.
type Way interface {
	// Send delivers one notice. It comes back before ctx ends. An error that is Permanent is not tried again.
	Send(ctx context.Context, n *Notice, to Target) error
}

// ErrPermanent says that trying again would not help.
var ErrPermanent = errors.New("it was refused for good")

// Store is where the state is committed; a stream.Store has the promises.
type Store interface {
	Commit(ctx context.Context, c *stream.Commit) error
	Readers() map[string]map[string]stream.Position
	State(ctx context.Context, name string) ([]byte, error)
	Log(name string) stream.Log
}

// Options of a Router. All are required but Quiet, Ends, Seen, Owner, Picture and Report.
type Options struct {
	Store      Store
	Streams    []string // derived, and those elsewhere
	Routes     func() []Route
	Ways       map[string]Way
	Quiet      func(plugin, subject string, at time.Time) bool              // a silence covers it
	Ends       func(plugin, subject string, at time.Time) (time.Time, bool) // when the silences that cover it end; nil: that is told nobody
	Seen       func(plugin, subject string, began time.Time) bool           // somebody looks after the incident
	Owner      func(plugin string) []Target                                 // who is told of alerts that no route wants and that name nobody; nil: nobody
	Link       func(key string) string                                      // to an alert's page
	Picture    func(ctx context.Context, plugin, subject string) []byte     // the graph of a subject as SVG; nil: there is none
	Budget     int                                                          // incidents of a plugin an hour, above which it becomes a digest; 0: any number
	CommitTime time.Duration
	Now        func() time.Time
	Logger     *slog.Logger
	// Report is told how a way fares, nil when a delivery was made; the way is empty when it is about all.
	Report func(way string, err error)
}

// Router is at work in Run.
type Router struct {
	opt     Options
	from    []stream.Position
	version view.Version
	wake    chan struct{} // capacity 1: there may be something to deliver

	mu    sync.Mutex
	state state
	busy  map[string]bool // deliveries under way, by ID
}

// Open restores what was committed. A router that never was begins with what comes now.
func Open(ctx context.Context, o Options) (*Router, error) {
	if o.Quiet == nil {
		o.Quiet = func(string, string, time.Time) bool { return false }
	}
	if o.Ends == nil {
		o.Ends = func(string, string, time.Time) (time.Time, bool) { return time.Time{}, false }
	}
	if o.Seen == nil {
		o.Seen = func(string, string, time.Time) bool { return false }
	}
	if o.Owner == nil {
		o.Owner = func(string) []Target { return nil }
	}
	if o.Picture == nil {
		o.Picture = func(context.Context, string, string) []byte { return nil }
	}
	if o.Report == nil {
		o.Report = func(string, error) {}
	}
	r := &Router{opt: o, wake: make(chan struct{}, 1), busy: map[string]bool{}}
	text, err := o.Store.State(ctx, stateName)
	if err != nil {
		return nil, fmt.Errorf("read what is to be told of alerts: %w", err)
	}
	if r.state, err = decodeState(text); err != nil {
		return nil, fmt.Errorf("read what is to be told of alerts: %w", err)
	}
	at := o.Store.Readers()[Reader]
	for _, name := range o.Streams {
		p, ok := at[name]
		if !ok {
			p = o.Store.Log(name).End()
		}
		r.from = append(r.from, p)
	}
	for _, j := range r.state.Jobs {
		j.committed = true
	}
	return r, r.save(r.from)
}

// tickEvery is how often groups and deliveries are looked at.
const tickEvery = time.Second

// Run reads, gathers and delivers until ctx ends.
func (r *Router) Run(ctx context.Context) error {
	logs := make([]stream.Log, len(r.opt.Streams))
	for i, name := range r.opt.Streams {
		logs[i] = r.opt.Store.Log(name)
	}
	f := view.Follower{Name: Reader, Logs: logs, From: r.from, Now: r.opt.Now, Logger: r.opt.Logger,
		Take: r.take, Save: r.save, Version: &r.version, Every: time.Second}
	var others sync.WaitGroup
	working, stop := context.WithCancel(ctx)
	others.Go(func() { r.ticking(working) })
	others.Go(func() { r.delivering(working) })
	err := f.Run(ctx)
	stop()
	others.Wait()
	return err
}

func (r *Router) ticking(ctx context.Context) {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.tick(r.opt.Now())
		}
	}
}

func (r *Router) take(_ int, b *stream.Batch) {
	var v message.View
	routes := r.opt.Routes()
	for _, msg := range b.Messages {
		if v.Parse(msg) != nil {
			continue
		}
		a, ok := alert.Decode(&v)
		if !ok {
			continue
		}
		r.mu.Lock()
		if a.Over {
			r.over(&a)
		} else {
			r.add(&a, &v, routes)
		}
		r.mu.Unlock()
	}
}

// save commits positions and state as one. What it holds may be sent from then on.
func (r *Router) save(at []stream.Position) error {
	r.mu.Lock()
	text := r.state.encode()
	jobs := make([]*Job, len(r.state.Jobs))
	copy(jobs, r.state.Jobs)
	r.mu.Unlock()
	positions := map[string]stream.Position{}
	for i, name := range r.opt.Streams {
		positions[name] = at[i]
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.opt.CommitTime)
	defer cancel()
	err := r.opt.Store.Commit(ctx, &stream.Commit{Positions: map[string]map[string]stream.Position{Reader: positions}, States: map[string][]byte{stateName: text}})
	if err != nil {
		return fmt.Errorf("commit what is to be told of alerts: %w", err)
	}
	r.mu.Lock()
	for _, j := range jobs {
		j.committed = true
	}
	r.mu.Unlock()
	r.kick()
	return nil
}

func (r *Router) kick() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}
