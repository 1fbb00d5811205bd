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

// Options of a Runner. All but Lake, OnEnd and Interval are required.
type Options struct {
	Store    stream.Store
	Load     Loader
	Env      func(*sandbox.Config) sandbox.Env // what a plugin may reach, but for Emit, Log and Lake
	Lake     func(logger string) LakeWriter    // one for each output plugin
	OnEnd    func(*sandbox.Error)              // a plugin ended by itself; called once, not under a lock
	Interval time.Duration                     // between commits; 200 ms when 0
	Now      func() time.Time
	Log      *slog.Logger
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
	held    map[string]claim // decoders that do not run, by name
	hidden  *live            // takes what no decoder wants
	begun   bool
	closed  bool

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
	if opt.OnEnd == nil {
		opt.OnEnd = func(*sandbox.Error) {}
	}
	r := &Runner{opt: opt, log: opt.Log, feeds: map[string]*feed{}, plugins: map[string]*entry{}, held: map[string]claim{},
		endSync: make(chan struct{}), synced: make(chan error, 1)}
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

// Start loads a plugin and runs it: from its committed position and state, or else from where from says.
// It fails when one of that name runs; errors are *sandbox.Error where the plugin is at fault.
func (r *Runner) Start(cfg *sandbox.Config, source []byte, from From) error {
	name := cfg.Logger()
	if err := r.settle(name); err != nil {
		return fmt.Errorf("start plugin %s: commit what it did before: %w", name, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return errClosing
	}
	old := r.plugins[name]
	if old != nil && old.status.State == Running {
		return fmt.Errorf("plugin %s runs already; stop it first", name)
	}
	e := &entry{logs: newLogRing()}
	if old != nil {
		e.logs = old.logs
	}
	l, err := r.newLive(cfg, source, from, e.logs)
	if err != nil {
		return err
	}
	e.live = l
	e.status = Status{Name: name, Kind: cfg.Kind, State: Running, Since: r.opt.Now(), Matcher: cfg.Matcher, Ticker: cfg.TickerInterval, Limits: cfg.Limits}
	r.plugins[name] = e
	delete(r.held, name)
	r.knowDecoders()
	if r.begun {
		r.running.Go(l.run)
	}
	return nil
}

// settle commits the last part of a plugin that ran before, since its successor begins with what is committed.
func (r *Runner) settle(name string) error {
	r.mu.Lock()
	known := r.begun && !r.closed && r.plugins[name] != nil
	r.mu.Unlock()
	if !known {
		return nil
	}
	return r.committer.flush(context.Background())
}

// newLive loads the plugin with its committed state and finds where it reads on.
func (r *Runner) newLive(cfg *sandbox.Config, source []byte, from From, logs *logRing) (*live, error) {
	name := cfg.Logger()
	state, err := r.opt.Store.State(name)
	if err != nil {
		return nil, fmt.Errorf("start plugin %s: read its state: %w", name, err)
	}
	l := &live{r: r, name: name, kind: cfg.Kind, logs: logs, done: make(chan struct{}), own: map[string]*ownReader{}}
	if err := r.place(l, streamsOf(cfg), from); err != nil {
		return nil, err
	}
	env := r.opt.Env(cfg)
	env.Log = func(text string) { logs.add(r.opt.Now(), text) }
	if cfg.Kind == sandbox.Output && r.opt.Lake != nil {
		l.lake = r.opt.Lake(name)
		env.Lake = l.lake
	}
	l.reload = func(state []byte) (*Task, error) { return NewTask(r.opt.Load, cfg, source, env, state) }
	if l.task, err = l.reload(state); err != nil {
		return nil, err
	}
	l.matcher = l.task.Matcher
	if now := r.opt.Now().Unix(); cfg.TickerInterval > 0 {
		l.task.SetTicker(now + 1 + int64(spread(name)%uint32(min(cfg.TickerInterval, 60))))
	}
	if !cfg.PreserveData && state != nil { // of a version that did; a later one must not find it
		r.committer.add(part{reader: name, states: map[string][]byte{name: nil}})
	}
	return l, nil
}

// Check loads a plugin with the state that its predecessor of this name has committed, and closes it again.
func (r *Runner) Check(cfg *sandbox.Config, source []byte) error {
	state, err := r.opt.Store.State(cfg.Logger())
	if err != nil {
		return fmt.Errorf("check plugin %s: read its state: %w", cfg.Logger(), err)
	}
	env := r.opt.Env(cfg)
	env.Log = func(string) {}
	if cfg.Kind == sandbox.Output && r.opt.Lake != nil {
		env.Lake = noLake{}
	}
	task, err := NewTask(r.opt.Load, cfg, source, env, state)
	if err != nil {
		return err
	}
	return task.Close()
}

// noLake is what an output plugin has while it is only checked.
type noLake struct{}

var errOnlyChecked = errors.New("the lake is not there while a plugin is loaded; write to it in process_message")

func (noLake) Heka(string, []byte) error         { return errOnlyChecked }
func (noLake) Parquet(string, sandbox.Row) error { return errOnlyChecked }

// place finds where a plugin begins in each of its streams.
func (r *Runner) place(l *live, streams []string, from From) error {
	committed := r.opt.Store.Readers()[l.name]
	pos := make(map[string]stream.Position, len(streams))
	for _, s := range streams {
		log := r.feeds[s].log
		p, ok := committed[s]
		switch {
		case ok && log.End().Before(p):
			return fmt.Errorf("start plugin %s: stream %s: %w %s, but it had read to %s", l.name, s, stream.ErrAhead, log.End(), p)
		case ok:
		case from == Newest:
			p = log.End()
			if l.kind == sandbox.Decoder {
				l.from = p
			}
		default:
			p = log.First()
		}
		pos[s] = p
	}
	l.inbox = newInbox(pos)
	l.last = l.inbox.peek()
	return nil
}

// spread turns a name into a number, so that the timers of many plugins do not all fire at once.
func spread(name string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(name))
	return h.Sum32()
}

// Stop runs the plugin's last timer event, commits its state and ends it. A decoder's position is kept,
// so that no submission is missed; others begin with the newest messages when they are started again.
func (r *Runner) Stop(ctx context.Context, name string) error { return r.stop(ctx, name, true) }

// Replace stops the plugin without giving up its position, so that its successor misses nothing.
func (r *Runner) Replace(ctx context.Context, name string) error { return r.stop(ctx, name, false) }

func (r *Runner) stop(ctx context.Context, name string, forget bool) error {
	r.mu.Lock()
	e, begun := r.plugins[name], r.begun
	r.mu.Unlock()
	if e == nil {
		return nil
	}
	if !begun {
		return fmt.Errorf("stop plugin %s: the host has not begun yet", name)
	}
	e.live.askToStop(forget && e.status.Kind != sandbox.Decoder)
	<-e.live.done
	r.mu.Lock()
	if e.status.State == Running {
		e.status.State, e.status.Since = StoppedBy, r.opt.Now()
	}
	r.mu.Unlock()
	if err := r.committer.flush(ctx); err != nil {
		return fmt.Errorf("stop plugin %s: commit its state: %w", name, err)
	}
	return nil
}

// Remove stops a plugin and forgets it, with its state and position.
func (r *Runner) Remove(ctx context.Context, name string) error {
	if err := r.Stop(ctx, name); err != nil {
		return err
	}
	r.mu.Lock()
	delete(r.plugins, name)
	delete(r.held, name)
	r.knowDecoders()
	r.mu.Unlock()
	r.committer.add(part{reader: name, forget: true, states: map[string][]byte{name: nil, lakeState + name: nil}})
	return r.committer.flush(ctx)
}

// ended notes that a plugin ended by itself. Nothing of it is running or uncommitted any more but its last part.
func (r *Runner) ended(l *live) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.plugins[l.name]; e != nil && e.live == l {
		s := &e.status
		s.State, s.Since, s.Outcome, s.Reason, s.Line = Terminated, r.opt.Now(), l.ended.Outcome.String(), l.ended.Text, l.ended.Line
		e.logs.add(s.Since, l.ended.Error())
		if l.ended.Trace != "" {
			e.logs.add(s.Since, l.ended.Trace)
		}
	}
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

// Close ends all plugins in the order data flows, each with its last timer event, and commits once more.
func (r *Runner) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	begun, lives := r.begun, r.sorted()
	r.mu.Unlock()
	if !begun {
		for _, l := range lives {
			l.task.Close()
		}
		return nil
	}
	r.cancel()
	r.reading.Wait()
	for len(lives) > 0 { // those of one kind at once
		n := 1
		for n < len(lives) && lives[n].kind == lives[0].kind {
			n++
		}
		for _, l := range lives[:n] {
			l.askToStop(false)
		}
		for _, l := range lives[:n] {
			<-l.done
		}
		lives = lives[n:]
	}
	r.running.Wait()
	close(r.endSync)
	return <-r.synced
}
