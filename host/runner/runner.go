// Package runner moves messages from the streams through the plugins and commits what they make of them.
//
// Each stream is read once by a feed, which shows every message only to the plugins that want it. Each
// plugin has a goroutine of its own; one that is slow leaves the feed and catches up from the log. A
// committer gathers how far each plugin is, its state and what it made into one stream.Commit.
//
// It knows nothing of how a plugin is executed (a Loader is handed in), stored or shown.
package runner

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"sandbar/host/stream"
	"sandbar/sandbox"
)

// Options of a Runner. All but Lake, OnEnd, AtWork, Interval and CloseTime are required.
type Options struct {
	Store stream.Store
	Load  Loader
	Env   func(*sandbox.Config) sandbox.Env // what a plugin may reach, but for Emit, Log and Lake
	Lake  func(logger string) LakeWriter    // one for each output plugin
	OnEnd func(*sandbox.Error)              // a plugin ended by itself; called once, not under a lock
	// AtWork is told which plugins have been in one piece of work for longer than a second, whenever that changes, so
	// that it can be known which ones were when the process dies.
	AtWork    func(names []string)
	Interval  time.Duration // between commits; 200 ms when 0
	CloseTime time.Duration // that Close waits for plugins; 4 s when 0
	Now       func() time.Time
	Log       *slog.Logger
}

// From says where a plugin begins that has no committed position yet.
type From int

const (
	Oldest From = iota // with everything that is kept
	Newest             // with what comes from now on
)

var errClosing = errors.New("the host is shutting down")

// Runner runs plugins over a store.
type Runner struct {
	opt       Options
	log       *slog.Logger
	feeds     map[string]*feed
	committer *committer
	claims    atomic.Pointer[[]claim] // of every decoder that is known, running or not

	mu      sync.Mutex
	plugins map[string]*entry
	loading map[string]bool  // names that Start is loading
	held    map[string]claim // decoders that do not run, by name
	hidden  *live            // takes what no decoder wants
	begun   bool
	closed  bool

	loads   chan struct{} // one entry for each plugin that is being loaded or checked
	watch   *watch
	cancel  context.CancelFunc
	reading sync.WaitGroup // feeds
	running sync.WaitGroup // plugins
	endSync chan struct{}
	synced  chan error
}

// entry is a plugin that was started once.
type entry struct {
	live   *live
	status Status
	logs   *logRing
}

// New makes a runner that runs nothing yet. Start the plugins that were there before, then Begin.
func New(opt Options) *Runner {
	if opt.Interval == 0 {
		opt.Interval = 200 * time.Millisecond
	}
	if opt.CloseTime == 0 {
		opt.CloseTime = 4 * time.Second
	}
	if opt.OnEnd == nil {
		opt.OnEnd = func(*sandbox.Error) {}
	}
	r := &Runner{opt: opt, log: opt.Log, feeds: map[string]*feed{}, plugins: map[string]*entry{}, loading: map[string]bool{}, held: map[string]claim{},
		loads: make(chan struct{}, maxLoads), watch: newWatch(opt.AtWork), endSync: make(chan struct{}), synced: make(chan error, 1)}
	for _, s := range stream.Names() {
		r.feeds[s] = &feed{name: s, log: opt.Store.Log(s), logger: opt.Log}
	}
	r.claims.Store(&[]claim{})
	r.committer = newCommitter(opt.Store, opt.Interval, opt.Log, r.lives)
	return r
}

// Begin commits where every plugin begins, then starts reading. It is called once.
func (r *Runner) Begin() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begun || r.closed {
		return errors.New("runner: Begin comes once, and before Close")
	}
	if err := r.addUnclaimed(); err != nil {
		return err
	}
	lives := r.sorted()
	for _, l := range lives {
		l.inbox.resting(func(pos map[string]stream.Position) { r.committer.add(part{reader: l.name, positions: pos}) })
	}
	if err := r.committer.commit(); err != nil {
		return fmt.Errorf("commit where plugins begin: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.begun, r.cancel = true, cancel
	for _, f := range r.feeds {
		f.begin(lives)
		r.reading.Go(func() {
			if err := f.run(ctx); err != nil && ctx.Err() == nil {
				r.log.Error("reading a stream ended; its plugins stand still until a restart", "stream", f.name, "error", err)
			}
		})
	}
	go func() { r.synced <- r.committer.run(r.endSync) }()
	for _, l := range lives {
		r.running.Go(l.run)
	}
	return nil
}

// streamsOf lists what a plugin reads.
func streamsOf(cfg *sandbox.Config) []string {
	switch {
	case cfg.Kind == sandbox.Decoder:
		return []string{stream.Raw}
	case cfg.Kind == sandbox.Analysis || cfg.ReadQueue == sandbox.ReadInput:
		return []string{stream.Valid, stream.Errors}
	case cfg.ReadQueue == sandbox.ReadAnalysis:
		return []string{stream.Derived}
	}
	return []string{stream.Valid, stream.Errors, stream.Derived}
}

// spread turns a name into a number, so that the timers of many plugins do not all fire at once.
func spread(name string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(name))
	return h.Sum32()
}

// lives lists what is running now.
func (r *Runner) lives() []*live {
	var running []*live
	for _, l := range r.all() {
		select {
		case <-l.done:
		default:
			running = append(running, l)
		}
	}
	return running
}

// all lists every plugin that was started, in the order data flows.
func (r *Runner) all() []*live {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sorted()
}

// sorted is all with mu held.
func (r *Runner) sorted() []*live {
	var ls []*live
	if r.hidden != nil {
		ls = append(ls, r.hidden)
	}
	for _, e := range r.plugins {
		ls = append(ls, e.live)
	}
	floor := map[sandbox.Kind]int{sandbox.Decoder: 0, sandbox.Analysis: 1, sandbox.Output: 2}
	sort.Slice(ls, func(i, j int) bool {
		a, b := ls[i], ls[j]
		if fa, fb := floor[a.kind], floor[b.kind]; fa != fb {
			return fa < fb
		}
		return a.name < b.name
	})
	return ls
}
