// Package control shares what people decide about plugins among hosts: each decision is an entry of one topic, in one order for all,
// and every host's catalog follows it.
//
// It must not know how a plugin runs.
package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"sandbar/host/catalog"
	"sandbar/host/stream/kafka"
	"sandbar/plugins"
	"sandbar/sandbox"
)

// Table is the topic; *kafka.Table is one and has the promises.
type Table interface {
	Follow(ctx context.Context, apply func(e kafka.Entry) error) error
	Ready(ctx context.Context) error
	Change(ctx context.Context, f func() (kafka.Entry, error)) error
}

// Options of a Control; all are required.
type Options struct {
	Table   Table
	Catalog *catalog.Catalog
	Report  func(err error) // that decisions of other hosts are not heard of; nil when they are
	Timeout time.Duration   // of a decision
	Log     *slog.Logger
}

// Control implements deploy.Journal for many hosts.
type Control struct {
	opt    Options
	cancel context.CancelFunc
	ended  chan struct{}

	mu    sync.Mutex
	seen  map[string]bool // names of which the topic has an entry
	tell  func(name string)
	wrote kafka.Entry // the newest decision made here
}

// Open brings the catalog to what the topic says, and the topic to what only the catalog has: a host that had no others before brings
// its plugins along.
func Open(ctx context.Context, opt Options) (*Control, error) {
	c := &Control{opt: opt, seen: map[string]bool{}, ended: make(chan struct{})}
	following, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel = cancel
	go c.follow(following)
	err := c.catchUp(ctx)
	if err == nil {
		err = c.bring(ctx)
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("follow what other hosts decide: %w", err)
	}
	return c, nil
}

// Close ends following.
func (c *Control) Close() error {
	c.cancel()
	<-c.ended
	return nil
}

const followAgain = time.Second

// follow applies entries until the end.
func (c *Control) follow(ctx context.Context) {
	defer close(c.ended)
	for ctx.Err() == nil {
		err := c.opt.Table.Follow(ctx, func(e kafka.Entry) error { return c.apply(ctx, e) })
		if ctx.Err() != nil {
			return
		}
		c.opt.Report(fmt.Errorf("what other hosts decide is not heard of: %w", err))
		pause, cancel := context.WithTimeout(ctx, followAgain)
		<-pause.Done()
		cancel()
	}
}

func (c *Control) catchUp(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, c.opt.Timeout)
	defer cancel()
	return c.opt.Table.Ready(waiting)
}

// Tell sets who is told when something was decided elsewhere about a plugin, and is in the catalog. It must not wait.
func (c *Control) Tell(changed func(name string)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tell = changed
}

// errKnown says that another host has brought a plugin.
var errKnown = errors.New("the topic has it")

// bring decides what only this host's catalog has.
func (c *Control) bring(ctx context.Context) error {
	plugins, err := c.opt.Catalog.List(ctx)
	if err != nil {
		return err
	}
	removed, err := c.opt.Catalog.RemovedNames(ctx)
	if err != nil {
		return err
	}
	var all []catalog.Decision
	for i := range plugins {
		all = append(all, catalog.Decision{Put: &plugins[i]})
	}
	for _, name := range removed {
		all = append(all, catalog.Decision{Remove: name})
	}
	for _, d := range all {
		if c.knows(d.Name()) {
			continue
		}
		err := c.Decide(ctx, func() (catalog.Decision, error) {
			if c.knows(d.Name()) {
				return d, errKnown
			}
			return d, nil
		})
		if err != nil && !errors.Is(err, errKnown) {
			return err
		}
	}
	return nil
}

func (c *Control) knows(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[name]
}

// Decide implements deploy.Journal.
func (c *Control) Decide(ctx context.Context, f func() (catalog.Decision, error)) error {
	ctx, cancel := context.WithTimeout(ctx, c.opt.Timeout)
	defer cancel()
	return c.opt.Table.Change(ctx, func() (kafka.Entry, error) {
		d, err := f()
		if err != nil {
			return kafka.Entry{}, err
		}
		e, err := encode(d)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.wrote = e
		return e, err
	})
}

// apply makes the catalog follow an entry. One that cannot be read is left out, so that it does not keep the others away.
func (c *Control) apply(ctx context.Context, e kafka.Entry) error {
	d, err := decode(e)
	if err != nil {
		c.opt.Log.Error("a decision cannot be read and is left out", "key", e.Key, "error", err)
		return nil
	}
	if err := c.opt.Catalog.Apply(ctx, d); err != nil {
		return err
	}
	c.mu.Lock()
	c.seen[d.Name()] = true
	tell := c.tell
	if e.Key == c.wrote.Key && bytes.Equal(e.Value, c.wrote.Value) {
		tell = nil
	}
	c.mu.Unlock()
	c.opt.Report(nil)
	if tell != nil {
		tell(d.Name())
	}
	return nil
}

// keyPrefix is that of decisions about plugins.
const keyPrefix = "plugin/"

// record is a decision as it is in the topic; docs/format/control.md has it.
type record struct {
	Removed bool      `json:"removed,omitempty"`
	Kind    string    `json:"kind,omitempty"`
	Config  string    `json:"config,omitempty"`
	Source  []byte    `json:"source,omitempty"`
	Shipped string    `json:"shipped,omitempty"`
	Run     bool      `json:"run,omitempty"`
	Updated time.Time `json:"updated,omitzero"`
	Author  string    `json:"author,omitempty"`
	Outcome string    `json:"outcome,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Line    int       `json:"line,omitempty"`
	Message []byte    `json:"message,omitempty"`
}

func encode(d catalog.Decision) (kafka.Entry, error) {
	r := record{Removed: true}
	if p := d.Put; p != nil {
		r = record{Kind: string(p.Kind), Config: p.Config, Source: p.Source, Shipped: p.Shipped, Run: p.Run, Updated: p.Updated.UTC(), Author: p.Author,
			Outcome: p.Outcome, Reason: p.Reason, Line: p.Line, Message: []byte(p.Message)}
	}
	value, err := json.Marshal(r)
	return kafka.Entry{Key: keyPrefix + d.Name(), Value: value}, err
}

func decode(e kafka.Entry) (d catalog.Decision, err error) {
	name, ok := strings.CutPrefix(e.Key, keyPrefix)
	kind, short, _ := strings.Cut(name, ".")
	if !ok || !slices.Contains([]sandbox.Kind{sandbox.Decoder, sandbox.Analysis, sandbox.Output}, sandbox.Kind(kind)) {
		return d, errors.New("its key is none of a plugin")
	}
	if err := plugins.CheckName(short); err != nil {
		return d, err
	}
	var r record
	if err := json.Unmarshal(e.Value, &r); err != nil {
		return d, err
	}
	if r.Updated.UTC().Year() > 9999 { // it could not be written again
		return d, fmt.Errorf("it was submitted in the year %d", r.Updated.UTC().Year())
	}
	if r.Removed {
		return catalog.Decision{Remove: name}, nil
	}
	if r.Kind != kind {
		return d, fmt.Errorf("plugin %.80q is of kind %.40q", name, r.Kind)
	}
	return catalog.Decision{Put: &catalog.Plugin{Name: name, Kind: sandbox.Kind(r.Kind), Config: r.Config, Source: r.Source, Shipped: r.Shipped, Run: r.Run, Updated: r.Updated,
		Author: r.Author, Outcome: r.Outcome, Reason: r.Reason, Line: r.Line, Message: string(r.Message)}}, nil
}
