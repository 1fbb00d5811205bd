// Package control shares what people decide about plugins, and save beside them, among hosts: each decision is an entry of one topic, in one order for all,
// and every host's catalog follows it.
//
// It must not know how a plugin runs.
package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"sandbar/host/catalog"
	"sandbar/host/stream/kafka"
)

// Table is the topic; *kafka.Table is one and has the promises.
type Table interface {
	Follow(ctx context.Context, apply func(e kafka.Entry) error) error
	Ready(ctx context.Context) error
	Change(ctx context.Context, f func() ([]kafka.Entry, error)) error
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
	removed, err := c.opt.Catalog.RemovedNames(ctx, time.Time{})
	if err != nil {
		return err
	}
	items, err := c.opt.Catalog.Items(ctx, "")
	if err != nil {
		return err
	}
	var all []catalog.Decision
	for i := range items {
		all = append(all, catalog.Decision{Item: &items[i]})
	}
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
		err := c.decide(ctx, func() (catalog.Decision, []catalog.Version, error) {
			if c.knows(d.Name()) {
				return d, nil, errKnown
			}
			versions, err := c.versions(ctx, d.Name())
			return d, versions, err
		})
		if err != nil && !errors.Is(err, errKnown) {
			return err
		}
	}
	return nil
}

// versions are all of a plugin that the catalog has, with their sources, the oldest first.
func (c *Control) versions(ctx context.Context, name string) (all []catalog.Version, err error) {
	list, err := c.opt.Catalog.Versions(ctx, name)
	if err != nil {
		return nil, err
	}
	for _, v := range slices.Backward(list) {
		whole, err := c.opt.Catalog.Version(ctx, name, v.N)
		if err != nil {
			return nil, err
		}
		all = append(all, whole)
	}
	return all, nil
}

func (c *Control) knows(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[name]
}

// Decide implements deploy.Journal.
func (c *Control) Decide(ctx context.Context, f func() (catalog.Decision, error)) error {
	return c.decide(ctx, func() (catalog.Decision, []catalog.Version, error) {
		d, err := f()
		if err != nil {
			return d, nil, err
		}
		if err := c.opt.Catalog.Number(ctx, &d); err != nil || d.Put == nil {
			return d, nil, err
		}
		_, err = c.opt.Catalog.Version(ctx, d.Name(), d.Put.Version)
		if errors.Is(err, catalog.ErrNoVersion) {
			return d, []catalog.Version{catalog.VersionOf(d.Put)}, nil
		}
		return d, nil, err
	})
}

// decide writes a decision, and the versions that are new with it.
func (c *Control) decide(ctx context.Context, f func() (catalog.Decision, []catalog.Version, error)) error {
	ctx, cancel := context.WithTimeout(ctx, c.opt.Timeout)
	defer cancel()
	return c.opt.Table.Change(ctx, func() ([]kafka.Entry, error) {
		d, versions, err := f()
		if err != nil {
			return nil, err
		}
		var entries []kafka.Entry
		for i := range versions {
			e, err := encodeVersion(&versions[i])
			if err != nil {
				return nil, err
			}
			entries = append(entries, e)
		}
		if d.Event.What != "" {
			e, err := encodeEvent(&d.Event)
			if err != nil {
				return nil, err
			}
			entries = append(entries, e)
		}
		e, err := encode(d) // the last: what is told of it is there then
		c.mu.Lock()
		defer c.mu.Unlock()
		c.wrote = e
		return append(entries, e), err
	})
}

// apply makes the catalog follow an entry. One that cannot be read is left out, so that it does not keep the others away.
func (c *Control) apply(ctx context.Context, e kafka.Entry) error {
	var err error
	switch {
	case strings.HasPrefix(e.Key, versionPrefix):
		var v catalog.Version
		if v, err = decodeVersion(e); err == nil {
			return c.opt.Catalog.PutVersion(ctx, v)
		}
	case strings.HasPrefix(e.Key, eventPrefix):
		var ev catalog.Event
		if ev, err = decodeEvent(e); err == nil {
			return c.opt.Catalog.PutEvent(ctx, ev)
		}
	case strings.HasPrefix(e.Key, itemPrefix):
		var i catalog.Item
		if i, err = decodeItem(e); err == nil {
			return c.applyItem(ctx, i)
		}
	default:
		var d catalog.Decision
		if d, err = decode(e); err == nil {
			return c.applyDecision(ctx, e, d)
		}
	}
	c.opt.Log.Error("a decision cannot be read and is left out", "key", e.Key, "error", err)
	return nil
}

func (c *Control) applyItem(ctx context.Context, i catalog.Item) error {
	d := catalog.Decision{Item: &i}
	if err := c.opt.Catalog.Apply(ctx, d); err != nil {
		return err
	}
	c.mu.Lock()
	c.seen[d.Name()] = true
	c.mu.Unlock()
	c.opt.Report(nil)
	return nil
}

func (c *Control) applyDecision(ctx context.Context, e kafka.Entry, d catalog.Decision) error {
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
