// Package selfreport makes messages of how a host fares, for plugins that watch it: of itself, its edge, its streams and its plugins. They go to stream derived, where an analysis plugin
// with read_queue = "host" reads them.
package selfreport

import (
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/sandbox/message"
)

// Logger of all messages. No plugin that is restricted can have a Logger that begins so.
const Logger = "host.report"

// Types of messages.
const (
	TypeHost   = "host.self"   // Fields memory (bytes), goroutines, uptime (s), troubles, free and room (bytes, of the data's disk)
	TypeEdge   = "host.edge"   // a code of the edge: Fields code, n
	TypeStream = "host.stream" // Fields stream, n, bytes, stored (bytes)
	TypePlugin = "host.plugin" // Fields plugin, state, matched, failed, lag (bytes), memory (bytes), seconds (of work)
)

// MaxPlugins is how many plugins a report has at most: those that failed most, lag most, worked most.
const MaxPlugins = 1000

// Options of a Reporter. What a host does not have may be nil.
type Options struct {
	Hostname string
	Pid      int
	Started  time.Time
	Edge     func() map[int]int64              // answers by code so far
	Streams  func() map[string]stream.Stats    // by name
	Plugins  func() []runner.Status            // all
	Room     func() (free, all int64, ok bool) // of the disk
	Troubles func() int                        // parts that do not do their work
}

// Reporter makes reports: each says what happened since the one before. It is used by one goroutine at a time.
type Reporter struct {
	opt     Options
	edge    map[int]int64
	streams map[string]stream.Stats
	plugins map[string]runner.Stats
	samples []metrics.Sample
	all     [][]byte
}

// New returns a Reporter. What happened until now is in no report.
func New(opt Options) *Reporter {
	r := &Reporter{opt: opt, samples: []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}}
	r.Messages(opt.Started)
	return r
}

// Messages are one report. They are the caller's.
func (r *Reporter) Messages(now time.Time) [][]byte {
	r.all = nil
	r.self(now)
	if r.opt.Edge != nil {
		r.answers(now)
	}
	if r.opt.Streams != nil {
		r.logs(now)
	}
	if r.opt.Plugins != nil {
		r.work(now)
	}
	return r.all
}

// since is what a counter counted since a look before; one that began anew counts from zero.
func since(now, before int64) int64 {
	if now < before {
		return now
	}
	return now - before
}

func (r *Reporter) begin(kind string, now time.Time) *message.Builder {
	var b message.Builder
	id := uuid.New()
	b.SetUUID(id[:])
	b.SetTimestamp(now.UnixNano())
	b.SetHeader(message.Type, kind)
	b.SetHeader(message.Logger, Logger)
	b.SetHeader(message.Hostname, r.opt.Hostname)
	b.SetPid(int32(r.opt.Pid))
	return &b
}

func (r *Reporter) end(b *message.Builder) { r.all = append(r.all, b.AppendTo(nil)) }

func (r *Reporter) self(now time.Time) {
	metrics.Read(r.samples)
	b := r.begin(TypeHost, now)
	b.AddInt("memory", "B", int64(r.samples[0].Value.Uint64()-r.samples[1].Value.Uint64()))
	b.AddInt("goroutines", "", int64(runtime.NumGoroutine()))
	b.AddDouble("uptime", "s", now.Sub(r.opt.Started).Seconds())
	if r.opt.Troubles != nil {
		b.AddInt("troubles", "", int64(r.opt.Troubles()))
	}
	if r.opt.Room != nil {
		if free, all, ok := r.opt.Room(); ok {
			b.AddInt("free", "B", free)
			b.AddInt("room", "B", all)
		}
	}
	r.end(b)
}

func (r *Reporter) answers(now time.Time) {
	counts := r.opt.Edge()
	codes := make([]int, 0, len(counts))
	for code := range counts {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	for _, code := range codes {
		if counts[code] == 0 {
			continue
		}
		b := r.begin(TypeEdge, now)
		b.AddString("code", "", strconv.Itoa(code))
		b.AddInt("n", "", since(counts[code], r.edge[code]))
		r.end(b)
	}
	r.edge = counts
}

func (r *Reporter) logs(now time.Time) {
	all := r.opt.Streams()
	for _, name := range stream.Names() {
		st, ok := all[name]
		if !ok {
			continue
		}
		b := r.begin(TypeStream, now)
		b.AddString("stream", "", name)
		b.AddInt("n", "", since(st.Messages, r.streams[name].Messages))
		b.AddInt("bytes", "B", since(st.Bytes, r.streams[name].Bytes))
		b.AddInt("stored", "B", st.Stored)
		r.end(b)
	}
	r.streams = all
}

func (r *Reporter) work(now time.Time) {
	all := r.opt.Plugins()
	type row struct {
		*runner.Status
		failed int64
	}
	rows := make([]row, 0, len(all))
	before := r.plugins
	r.plugins = make(map[string]runner.Stats, len(all))
	for i := range all {
		p := &all[i]
		r.plugins[p.Name] = p.Stats
		rows = append(rows, row{p, since(p.Stats.Failed, before[p.Name].Failed)})
	}
	if len(rows) > MaxPlugins {
		slices.SortStableFunc(rows, func(a, b row) int {
			for _, d := range [...]int64{b.failed - a.failed, b.LagBytes - a.LagBytes, since(b.Stats.Nanos, before[b.Name].Nanos) - since(a.Stats.Nanos, before[a.Name].Nanos)} {
				if d != 0 {
					return int(max(-1, min(1, d)))
				}
			}
			return 0
		})
		rows = rows[:MaxPlugins]
	}
	for _, p := range rows {
		b := r.begin(TypePlugin, now)
		b.AddString("plugin", "", p.Name)
		b.AddString("state", "", string(p.State))
		b.AddInt("matched", "", since(p.Stats.Matched, before[p.Name].Matched))
		b.AddInt("failed", "", p.failed)
		b.AddInt("lag", "B", p.LagBytes)
		b.AddInt("memory", "B", p.Stats.Memory)
		b.AddDouble("seconds", "s", time.Duration(since(p.Stats.Nanos, before[p.Name].Nanos)).Seconds())
		r.end(b)
	}
}
