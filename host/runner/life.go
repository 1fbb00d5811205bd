package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"sandbar/host/stream"
	"sandbar/sandbox"
)

// maxLoads is how many plugins are loaded or checked at a time; others wait.
const maxLoads = 2

// stopGrace is how long a plugin that is to stop may go on with the call it is in; then the call is ended from outside.
const stopGrace = 500 * time.Millisecond

// Start loads a plugin and runs it: from its committed position and state, or else from where from says.
// It fails when one of that name runs; errors are *sandbox.Error where the plugin is at fault. Nothing is locked while it loads.
func (r *Runner) Start(ctx context.Context, cfg *sandbox.Config, source []byte, from From) error {
	name := cfg.Logger()
	logs, err := r.claimName(name)
	if err != nil {
		return err
	}
	l, err := r.load(ctx, cfg, source, from, logs)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.loading, name)
	if err != nil {
		return err
	}
	if r.closed {
		l.task.Close()
		return errClosing
	}
	r.plugins[name] = &entry{live: l, logs: logs,
		status: Status{Name: name, Kind: cfg.Kind, State: Running, Since: r.opt.Now(), Matcher: cfg.Matcher, Ticker: cfg.TickerInterval, Limits: cfg.Limits}}
	delete(r.held, name)
	r.knowDecoders()
	if r.begun {
		r.running.Go(l.run)
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
	case old != nil && !old.live.hasEnded():
		return nil, fmt.Errorf("plugin %s runs already; stop it first", name)
	}
	r.loading[name] = true
	if old != nil {
		return old.logs, nil
	}
	return newLogRing(), nil
}

func (r *Runner) load(ctx context.Context, cfg *sandbox.Config, source []byte, from From, logs *logRing) (*live, error) {
	if err := r.settle(ctx, cfg.Logger()); err != nil {
		return nil, fmt.Errorf("start plugin %s: commit what it did before: %w", cfg.Logger(), err)
	}
	if err := r.takeLoad(ctx); err != nil {
		return nil, fmt.Errorf("start plugin %s: %w", cfg.Logger(), err)
	}
	defer func() { <-r.loads }()
	return r.newLive(cfg, source, from, logs)
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
	return r.committer.flush(ctx)
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
	l.quota = newQuota(cfg.Limits.Hourly, r.opt.Now())
	l.reload = func(state []byte) (*Task, error) { return NewTask(r.opt.Load, cfg, source, env, state) }
	l.work = r.watch.add(name)
	l.work.begin()
	task, err := l.reload(state)
	l.work.end()
	if err != nil {
		r.watch.remove(l.work)
		return nil, err
	}
	l.setTask(task)
	l.matcher = task.Matcher
	if now := r.opt.Now().Unix(); cfg.TickerInterval > 0 {
		task.SetTicker(now + 1 + int64(spread(name)%uint32(min(cfg.TickerInterval, 60))))
	}
	if !cfg.PreserveData && state != nil { // perhaps of a version that did; a later one must not find it
		if task.kept, err = task.plugin.Snapshot(); err != nil {
			return nil, fmt.Errorf("start plugin %s: %w", name, err)
		}
		if !bytes.Equal(task.kept, state) {
			r.committer.add(part{reader: name, states: map[string][]byte{name: task.kept}})
		}
	}
	return l, nil
}

// Check loads a plugin with the state that its predecessor of this name has committed, and closes it again. The warning
// is for people who come from Hindsight.
func (r *Runner) Check(ctx context.Context, cfg *sandbox.Config, source []byte) (warning string, err error) {
	name := cfg.Logger()
	state, err := r.opt.Store.State(name)
	if err != nil {
		return "", fmt.Errorf("check plugin %s: read its state: %w", name, err)
	}
	if err := r.takeLoad(ctx); err != nil {
		return "", fmt.Errorf("check plugin %s: %w", name, err)
	}
	defer func() { <-r.loads }()
	env := r.opt.Env(cfg)
	env.Log = func(string) {}
	if cfg.Kind == sandbox.Output && r.opt.Lake != nil {
		env.Lake = noLake{}
	}
	work := r.watch.add(name)
	defer r.watch.remove(work)
	work.begin()
	task, err := NewTask(r.opt.Load, cfg, source, env, state)
	if err != nil {
		return "", err
	}
	if why, differs := task.Matcher.HindsightDiffers(); differs {
		warning = "Hindsight reads this message_matcher differently: " + why
	}
	return warning, task.Close()
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
	e.live.askToStop(forget && e.status.Kind != sandbox.Decoder)
	if err := e.live.awaitEnd(ctx, stopGrace); err != nil {
		return fmt.Errorf("stop plugin %s: it is in a call that has not ended yet, and stops after it: %w", name, err)
	}
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

// ended notes how a plugin ended. Nothing of it is running or uncommitted any more but its last part.
func (r *Runner) ended(l *live) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.plugins[l.name]
	if e == nil || e.live != l {
		return
	}
	s := &e.status
	s.State, s.Since = StoppedBy, r.opt.Now()
	if l.ended == nil {
		return
	}
	if l.itself { // what happens while it is stopped ends it only for now
		s.State, s.Outcome, s.Reason, s.Line = Terminated, l.ended.Outcome.String(), l.ended.Text, l.ended.Line
	}
	e.logs.add(s.Since, l.ended.Error())
	if l.ended.Trace != "" {
		e.logs.add(s.Since, l.ended.Trace)
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
	begun, lives := r.begun, r.sorted()
	r.mu.Unlock()
	defer r.watch.close()
	if !begun {
		for _, l := range lives {
			l.task.Close()
		}
		return nil
	}
	r.cancel()
	r.reading.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), r.opt.CloseTime)
	defer cancel()
	for len(lives) > 0 { // those of one kind at once
		n := 1
		for n < len(lives) && lives[n].kind == lives[0].kind {
			n++
		}
		for _, l := range lives[:n] {
			l.askToStop(false)
		}
		for _, l := range lives[:n] {
			if err := l.awaitEnd(ctx, r.opt.CloseTime/4); err != nil {
				r.log.Error("a plugin does not end; the host ends without it", "plugin", l.name, "error", err)
			}
		}
		lives = lives[n:]
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
