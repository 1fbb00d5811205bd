package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"sandbar/host/runner/commit"
	"sandbar/host/stream"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// maxLoads is how many plugins are loaded or checked at a time; others wait.
const maxLoads = 2

// stopGrace is how long a plugin that is to stop may go on with the call it is in; then the call is ended from outside.
const stopGrace = 500 * time.Millisecond

// Start loads a plugin and runs it: from its committed position and state, or else from where from says.
// It fails when one of that name runs; errors are *sandbox.Error where the plugin is at fault. Nothing is locked while it loads.
func (r *Runner) Start(ctx context.Context, cfg *sandbox.Config, source []byte, from From) error {
	name := cfg.Logger()
	if cfg.Global && !r.opt.Partition.hosts(name) { // it may have run here before it was global
		return r.Forget(ctx, []string{name})
	}
	logs, err := r.claimName(name)
	if err != nil {
		return err
	}
	w, err := r.load(ctx, cfg, source, from, logs)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.loading, name)
	if err != nil {
		return err
	}
	if r.closed {
		w.task.Close()
		return errClosing
	}
	r.plugins[name] = &entry{worker: w, logs: logs,
		status: Status{Name: name, Kind: cfg.Kind, State: Running, Since: r.opt.Now(), Matcher: cfg.Matcher, Ticker: cfg.TickerInterval, Limits: cfg.Limits}}
	delete(r.held, name)
	r.knowDecoders()
	if r.begun {
		r.read(w.route.reads, nil)
		r.running.Go(func() { r.work(w) })
	}
	return nil
}

// claimName lets nobody else start a plugin of this name until Start has loaded it.
func (r *Runner) claimName(name string) (*logRing, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.plugins[name]
	switch {
	case r.closed:
		return nil, errClosing
	case r.loading[name]:
		return nil, fmt.Errorf("plugin %s is being loaded", name)
	case old != nil && !old.worker.hasEnded():
		return nil, fmt.Errorf("plugin %s runs already; stop it first", name)
	}
	r.loading[name] = true
	if old != nil {
		return old.logs, nil
	}
	return newLogRing(), nil
}

func (r *Runner) load(ctx context.Context, cfg *sandbox.Config, source []byte, from From, logs *logRing) (*worker, error) {
	if err := r.settle(ctx, cfg.Logger()); err != nil {
		return nil, fmt.Errorf("start plugin %s: commit what it did before: %w", cfg.Logger(), err)
	}
	if err := r.takeLoad(ctx); err != nil {
		return nil, fmt.Errorf("start plugin %s: %w", cfg.Logger(), err)
	}
	defer func() { <-r.loads }()
	return r.prepare(ctx, cfg, source, from, logs)
}

// takeLoad waits until another plugin may be loaded.
func (r *Runner) takeLoad(ctx context.Context) error {
	select {
	case r.loads <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d others are being loaded: %w", maxLoads, ctx.Err())
	}
}

// settle commits the last part of a plugin that ran before, since its successor begins with what is committed.
func (r *Runner) settle(ctx context.Context, name string) error {
	r.mu.Lock()
	known := r.begun && !r.closed && r.plugins[name] != nil
	r.mu.Unlock()
	if !known {
		return nil
	}
	return r.commits.Flush(ctx)
}

// state is what was committed of a plugin, or what it inherits.
func (r *Runner) state(ctx context.Context, cfg *sandbox.Config) ([]byte, error) {
	state, err := r.opt.Store.State(ctx, cfg.Logger())
	if err != nil || len(state) > 0 || r.opt.Inherited == nil {
		return state, err
	}
	return r.opt.Inherited(cfg)
}

// prepare loads the plugin with its committed state and finds where it reads on.
func (r *Runner) prepare(ctx context.Context, cfg *sandbox.Config, source []byte, from From, logs *logRing) (*worker, error) {
	name := cfg.Logger()
	state, err := r.state(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("start plugin %s: read its state: %w", name, err)
	}
	w, err := r.newWorker(name, cfg, from, logs)
	if err != nil {
		return nil, err
	}
	env := r.opt.Env(cfg)
	env.Log = func(text string) { logs.add(r.opt.Now(), text) }
	if cfg.Kind == sandbox.Output && r.opt.Lake != nil {
		lake := r.opt.Lake(name)
		w.sink, env.Lake = lake, lake
	}
	w.quota = newQuota(cfg.Limits.Hourly, r.opt.Now())
	load := r.opt.Load
	if cfg.Workers > 1 {
		load = inLanes(load, cfg.Workers)
		w.chunk = allAtOnce
	}
	w.reload = func(state []byte) (*Task, error) {
		task, err := NewTask(load, cfg, source, env, state)
		if err != nil {
			return nil, err
		}
		task.undecoded = w.warn
		task.at.partition = r.opt.Partition
		if r.opt.Failed != nil {
			task.failed = func(text string, m *message.View) { r.opt.Failed(name, text, m) }
		}
		return task, nil
	}
	w.work = r.watch.add(name)
	w.work.begin()
	task, err := w.reload(state)
	w.work.end()
	if err != nil {
		r.watch.remove(w.work)
		return nil, err
	}
	w.setTask(task)
	w.matcher = task.Matcher
	if now := r.opt.Now().Unix(); cfg.TickerInterval > 0 {
		task.SetTicker(now + 1 + int64(spread(name)%uint32(min(cfg.TickerInterval, 60))))
	}
	if !cfg.PreserveData && state != nil { // perhaps of a version that did; a later one must not find it
		if task.kept, err = task.plugin.Snapshot(); err != nil {
			return nil, fmt.Errorf("start plugin %s: %w", name, err)
		}
		if !bytes.Equal(task.kept, state) {
			r.commits.Submit(commit.Part{Reader: name, States: map[string][]byte{name: task.kept}})
		}
	}
	return w, nil
}

// newWorker makes a worker without a task, and finds where it begins in each of its streams.
func (r *Runner) newWorker(name string, cfg *sandbox.Config, from From, logs *logRing) (*worker, error) {
	w := &worker{name: name, kind: cfg.Kind, route: routeOf(cfg, r.opt.Partition), logs: logs, chunk: chunk, done: make(chan struct{}), own: map[string]*source{},
		surroundings: surroundings{now: r.opt.Now, log: r.log, report: r.opt.Report, shadow: r.opt.Shadow, commits: r.commits, fanouts: r.fanouts, catchUps: r.reads}}
	w.cutoff, w.cut = context.WithCancel(context.Background())
	if err := r.refresh(w.route.reads); err != nil {
		return nil, fmt.Errorf("start plugin %s: %w", name, err)
	}
	committed := r.opt.Store.Readers()[name]
	pos := make(map[string]stream.Position, len(w.route.reads))
	for _, s := range w.route.reads {
		log := r.fanouts[s].log
		p, ok := committed[s]
		switch {
		case ok && log.End().Before(p):
			return nil, fmt.Errorf("start plugin %s: stream %s: %w %s, but it had read to %s", name, s, stream.ErrAhead, log.End(), p)
		case ok:
		case from == Newest:
			p = log.End()
			if w.kind == sandbox.Decoder {
				w.from = p
			}
		default:
			p = log.First()
		}
		pos[s] = p
	}
	w.subscriber = &subscriber{inbox: newInbox(pos)}
	w.last = w.inbox.peek()
	return w, nil
}

// refreshTime is how long a store may take to tell where streams elsewhere end.
const refreshTime = 5 * time.Second

// refresh finds out where streams end that others write to.
func (r *Runner) refresh(names []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), refreshTime)
	defer cancel()
	for _, name := range names {
		log, ok := r.fanouts[name].log.(interface {
			Refresh(ctx context.Context) error
		})
		if _, _, elsewhere := stream.ParseElsewhere(name); !ok || !elsewhere {
			continue
		}
		if err := log.Refresh(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Check loads a plugin with the state that its predecessor of this name has committed, and closes it again; see Task.Warnings.
func (r *Runner) Check(ctx context.Context, cfg *sandbox.Config, source []byte) ([]sandbox.Finding, error) {
	name := cfg.Logger()
	state, err := r.state(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("check plugin %s: read its state: %w", name, err)
	}
	if err := r.takeLoad(ctx); err != nil {
		return nil, fmt.Errorf("check plugin %s: %w", name, err)
	}
	defer func() { <-r.loads }()
	work := r.watch.add(name)
	defer r.watch.remove(work)
	work.begin()
	return Try(r.opt.Load, cfg, source, r.opt.Env(cfg), state)
}

// Try loads a plugin with a state, nil for none, and closes it again; see Task.Warnings.
func Try(load Loader, cfg *sandbox.Config, source []byte, env sandbox.Env, state []byte) ([]sandbox.Finding, error) {
	env.Log = func(string) {}
	if cfg.Kind == sandbox.Output {
		env.Lake = noLake{}
	}
	task, err := NewTask(load, cfg, source, env, state)
	if err != nil {
		return nil, err
	}
	return task.Warnings(source), task.Close()
}

// noLake is what an output plugin has while it is only checked.
type noLake struct{}

var errOnlyChecked = errors.New("the lake is not there while a plugin is loaded; write to it in process_message")

func (noLake) Heka(string, []byte) error         { return errOnlyChecked }
func (noLake) Parquet(string, sandbox.Row) error { return errOnlyChecked }

// Stop runs the plugin's last timer event, commits its state and ends it. A decoder's position is kept,
// so that no submission is missed; others begin with the newest messages when they are started again. A call that
// does not end soon is ended from outside; nothing of it counts. When ctx ends before that, the plugin still stops.
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
	e.worker.askToStop(forget && e.status.Kind != sandbox.Decoder)
	if err := e.worker.awaitEnd(ctx, stopGrace); err != nil {
		return fmt.Errorf("stop plugin %s: it is in a call that has not ended yet, and stops after it: %w", name, err)
	}
	if err := r.commits.Flush(ctx); err != nil {
		return fmt.Errorf("stop plugin %s: commit its state: %w", name, err)
	}
	return nil
}

// Remove stops a plugin and forgets it, with its state and position. What the state was is kept; see TurnTo.
func (r *Runner) Remove(ctx context.Context, name string) error {
	if err := r.Stop(ctx, name); err != nil {
		return err
	}
	if err := r.commits.Published(ctx, name); err != nil { // it is the manifest that says which files these are
		return fmt.Errorf("remove plugin %s: %w", name, err)
	}
	r.mu.Lock()
	delete(r.plugins, name)
	delete(r.held, name)
	r.knowDecoders()
	r.mu.Unlock()
	p, err := r.retire(ctx, name)
	if err != nil {
		return fmt.Errorf("remove plugin %s: %w", name, err)
	}
	r.commits.Submit(p)
	return r.commits.Flush(ctx)
}

// Forget drops state and position of plugins that do not run, and what is known of them. What the states were is kept.
func (r *Runner) Forget(ctx context.Context, names []string) error {
	readers := r.opt.Store.Readers()
	for _, name := range names {
		state, err := r.opt.Store.State(ctx, name)
		if err != nil {
			return fmt.Errorf("forget plugin %s: %w", name, err)
		}
		r.mu.Lock()
		e := r.plugins[name]
		there := e != nil && !e.worker.hasEnded()
		if !there {
			delete(r.plugins, name)
		}
		r.mu.Unlock()
		if there || readers[name] == nil && state == nil {
			continue
		}
		p, err := r.retire(ctx, name)
		if err != nil {
			return fmt.Errorf("forget plugin %s: %w", name, err)
		}
		r.commits.Submit(p)
	}
	return nil
}

// work runs a plugin to its end, and tells of it.
func (r *Runner) work(w *worker) {
	w.run()
	if w.unflushed {
		r.opt.Report(writeFiles+w.name, nil) // whoever writes them next tells again
	}
	r.watch.remove(w.work)
	r.noteEnd(w)
	close(w.done)
	if w.ended != nil {
		r.log.Warn("plugin terminated", "plugin", w.name, "outcome", w.ended.Outcome.String(), "line", w.ended.Line, "error", w.ended.Text)
	}
	if w.itself {
		r.commits.Submit(commit.Part{Appends: map[string][][]byte{stream.Derived: {endAlert(w.ended, w.task.at.here(), r.opt.Now())}}})
		r.opt.OnEnd(w.ended)
	}
}

// noteEnd keeps how a plugin ended. Nothing of it is running or uncommitted any more but its last part.
func (r *Runner) noteEnd(w *worker) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.plugins[w.name]
	if e == nil || e.worker != w {
		return
	}
	s := &e.status
	s.State, s.Since = StoppedBy, r.opt.Now()
	if w.ended == nil {
		return
	}
	if w.itself { // what happens while it is stopped ends it only for now
		s.State, s.Outcome, s.Reason, s.Line = Terminated, w.ended.Outcome.String(), w.ended.Text, w.ended.Line
	}
	e.logs.add(s.Since, w.ended.Error())
	if w.ended.Trace != "" {
		e.logs.add(s.Since, w.ended.Trace)
	}
}

// Close ends all plugins in the order data flows, each with its last timer event, and commits once more. A plugin that
// does not end in time is left behind: what it did since its last part is done again at the next start.
func (r *Runner) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	begun, workers := r.begun, r.sorted()
	r.mu.Unlock()
	defer r.watch.close()
	if !begun {
		for _, w := range workers {
			w.task.Close()
		}
		return nil
	}
	r.cancel()
	r.reading.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), r.opt.CloseTime)
	defer cancel()
	for len(workers) > 0 { // those of one kind at once
		n := 1
		for n < len(workers) && workers[n].kind == workers[0].kind {
			n++
		}
		for _, w := range workers[:n] {
			w.askToStop(false)
		}
		for _, w := range workers[:n] {
			if err := w.awaitEnd(ctx, r.opt.CloseTime/4); err != nil {
				r.log.Error("a plugin does not end; the host ends without it", "plugin", w.name, "error", err)
			}
		}
		workers = workers[n:]
	}
	all := make(chan struct{})
	go func() {
		defer close(all)
		r.running.Wait()
	}()
	select { // the last that a plugin does is to tell why it ended
	case <-all:
	case <-ctx.Done():
	}
	close(r.endSync)
	return <-r.synced
}
