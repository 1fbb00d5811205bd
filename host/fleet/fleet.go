// Package fleet is what the hosts that share topics tell of themselves: each writes a report every few seconds under its own key, and
// reads those of the others, so that the page of any host shows all.
//
// It must not know what is done with a report. A host that tells nothing any more is taken for dead by the brokers' time, not by this
// host's clock.
package fleet

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"sandbar/host/deploy"
	"sandbar/host/health"
	"sandbar/host/landfill"
	"sandbar/host/partitions"
	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/host/stream/kafka"
)

// Report is what a host tells of itself.
type Report struct {
	Host     string                  `json:"host"` // its name
	Told     time.Time               `json:"told"` // by its clock
	Started  time.Time               `json:"started"`
	Share    partitions.Share        `json:"partitions"`
	Troubles []health.Trouble        `json:"troubles"`
	Streams  map[string]stream.Stats `json:"streams"`
	Edge     Edge                    `json:"edge"`
	Landfill landfill.Stats          `json:"landfill"`
	Plugins  []runner.Status         `json:"plugins"`
	// Logs are the newest lines of each plugin.
	Logs map[string][]runner.LogLine `json:"logs"`
}

// Edge is the numbers of a host's edge; see httpdoor.Stats.
type Edge struct {
	Answers  map[int]int64
	Bytes    int64
	InFlight int64
}

// Other is the newest report of another host.
type Other struct {
	Report
	Rates map[string]Rate // of the streams
}

// Rate is a second's worth of a stream.
type Rate struct{ Messages, Bytes float64 }

// Table is the topic of reports; *kafka.Table is one.
type Table interface {
	Follow(ctx context.Context, apply func(e kafka.Entry) error) error
	Put(ctx context.Context, key string, value []byte) error
}

// Options of a Fleet. Those without a default are required.
type Options struct {
	Table  Table
	ID     string // of this process, another one for each start
	Report func() Report
	Clock  func(err error) // how far this host's clock is from the brokers'; nil while it is not
	Now    func() time.Time
	Log    *slog.Logger
	Every  time.Duration // between reports; 2 s
	Silent time.Duration // after which a host is taken for dead; 10 s
}

// Fleet knows the hosts. Run works beside it.
type Fleet struct {
	opt Options

	mu     sync.Mutex
	told   map[string]*told // by ID
	newest time.Time        // of all reports, by the brokers' clock
	heard  time.Time        // when a report came last, by this host's
}

type told struct {
	Other
	plugins map[string]*runner.Status
	at      time.Time // by the brokers' clock
}

// keyPrefix is that of reports.
const keyPrefix = "host/"

// maxHosts bounds what is remembered.
const maxHosts = 1000

// New makes a fleet that knows nobody yet.
func New(opt Options) *Fleet {
	opt.Every, opt.Silent = cmp.Or(opt.Every, 2*time.Second), cmp.Or(opt.Silent, 10*time.Second)
	return &Fleet{opt: opt, told: map[string]*told{}}
}

// Run tells and listens until ctx ends, and then tells that this host is gone.
func (f *Fleet) Run(ctx context.Context) error {
	var working sync.WaitGroup
	defer working.Wait()
	working.Go(func() { f.listen(ctx) })
	tick := time.NewTicker(f.opt.Every)
	defer tick.Stop()
	for {
		if err := f.tell(ctx); err != nil && ctx.Err() == nil {
			f.opt.Log.Debug("other hosts are not told of this one", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			f.opt.Table.Put(leaving, keyPrefix+f.opt.ID, nil) // or else it is silent
			return nil
		}
	}
}

func (f *Fleet) tell(ctx context.Context) error {
	r := f.opt.Report()
	r.Told = f.opt.Now()
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return f.opt.Table.Put(ctx, keyPrefix+f.opt.ID, text)
}

func (f *Fleet) listen(ctx context.Context) {
	for ctx.Err() == nil {
		if err := f.opt.Table.Follow(ctx, f.apply); err != nil {
			f.opt.Log.Debug("other hosts are not heard of", "error", err)
		}
		pause, cancel := context.WithTimeout(ctx, f.opt.Every)
		<-pause.Done()
		cancel()
	}
}

// apply takes a report. One that cannot be read is left out.
func (f *Fleet) apply(e kafka.Entry) error {
	id, ok := strings.CutPrefix(e.Key, keyPrefix)
	if !ok {
		return nil
	}
	var r Report
	if e.Value != nil {
		if err := json.Unmarshal(e.Value, &r); err != nil {
			f.opt.Log.Warn("a report of another host cannot be read", "host", id, "error", err)
			return nil
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.Time.After(f.newest) {
		f.newest = e.Time
	}
	f.heard = f.opt.Now()
	if e.Value == nil {
		delete(f.told, id)
		return nil
	}
	f.forgetDead()
	now := &told{Other: Other{Report: r, Rates: map[string]Rate{}}, plugins: map[string]*runner.Status{}, at: e.Time}
	for i := range r.Plugins {
		now.plugins[r.Plugins[i].Name] = &r.Plugins[i]
	}
	if before := f.told[id]; before != nil {
		now.Rates = rates(before, now)
	}
	switch {
	case id == f.opt.ID:
		f.opt.Clock(skew(r.Told, e.Time, f.heard))
	case len(f.told) < maxHosts:
		f.told[id] = now
	}
	return nil
}

// maxSkew is what clocks may differ.
const maxSkew = 30 * time.Second

// skew is an error when the brokers have written a report long before it was told, or long after it was heard again.
func skew(told, written, heard time.Time) error {
	ahead, behind := told.Sub(written), written.Sub(heard)
	switch {
	case ahead > maxSkew:
		return fmt.Errorf("this host's clock is %v ahead of the brokers': set it", ahead.Round(time.Second))
	case behind > maxSkew:
		return fmt.Errorf("this host's clock is %v behind the brokers': set it", behind.Round(time.Second))
	}
	return nil
}

// forgetDead forgets those that have told nothing for long.
func (f *Fleet) forgetDead() {
	for id, t := range f.told {
		if f.newest.Sub(t.at) > f.opt.Silent {
			delete(f.told, id)
		}
	}
}

func rates(before, now *told) map[string]Rate {
	seconds := now.at.Sub(before.at).Seconds()
	out := map[string]Rate{}
	for name, s := range now.Streams {
		if old := before.Streams[name]; seconds > 0 {
			out[name] = Rate{Messages: max(0, float64(s.Messages-old.Messages)/seconds), Bytes: max(0, float64(s.Bytes-old.Bytes)/seconds)}
		}
	}
	return out
}

// Others are the newest reports of the other hosts that live, by name. There are none when nothing is heard any more, also not of this
// host: then the brokers are away.
func (f *Fleet) Others() []Other {
	all := []Other{}
	for _, t := range f.living() {
		all = append(all, t.Other)
	}
	return all
}

// living are the other hosts by name.
func (f *Fleet) living() []*told {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.opt.Now().Sub(f.heard) > f.opt.Silent {
		return nil
	}
	f.forgetDead()
	return slices.SortedFunc(maps.Values(f.told), func(a, b *told) int { return cmp.Or(cmp.Compare(a.Host, b.Host), a.Started.Compare(b.Started)) })
}

// Status is how a plugin fares on the other hosts.
func (f *Fleet) Status(name string) (all []deploy.OtherStatus) {
	for _, t := range f.living() {
		if s := t.plugins[name]; s != nil {
			all = append(all, deploy.OtherStatus{Host: t.Host, Status: *s})
		}
	}
	return all
}

// Logs are what a plugin printed on other hosts, with the host before each line.
func (f *Fleet) Logs(name string) (lines []runner.LogLine) {
	for _, t := range f.living() {
		for _, l := range t.Logs[name] {
			lines = append(lines, runner.LogLine{Time: l.Time, Text: fmt.Sprintf("%s: %s", t.Host, l.Text)})
		}
	}
	return lines
}
