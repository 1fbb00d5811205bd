package deploy

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"sandbar/host/catalog"
	"sandbar/host/runner"
	"sandbar/sandbox"
)

// What somebody decides is in the catalog first; then the runners follow it: follow brings a plugin to what the catalog says, on
// this host, and is called for every decision, wherever it was made.

// errNothing says that there is nothing to decide.
var errNothing = errors.New("nothing is to be changed")

// own is the Journal of a host without others.
type own struct {
	catalog *catalog.Catalog
	mu      sync.Mutex
}

// Own makes a journal that decides for one catalog.
func Own(c *catalog.Catalog) Journal { return &own{catalog: c} }

// Decide implements Journal.
func (o *own) Decide(ctx context.Context, f func() (catalog.Decision, error)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	d, err := f()
	if err != nil {
		return err
	}
	return o.catalog.Apply(ctx, d)
}

// take waits for other changes of the plugin, and for a runner that comes. The function that it returns has to be called after the
// change.
func (m *Manager) take(ctx context.Context, name string) (release func(), err error) {
	m.come.RLock()
	done, err := m.names.take(ctx, name)
	if err != nil {
		m.come.RUnlock()
		return nil, err
	}
	return func() { done(); m.come.RUnlock() }, nil
}

// change decides what a plugin is to be, and follows. It is remembered as the event.
func (m *Manager) change(ctx context.Context, name string, event catalog.Event, f func(*catalog.Plugin) error) error {
	if err := m.permit(event.Actor, event.What, name); err != nil {
		return err
	}
	release, err := m.take(ctx, name)
	if err != nil {
		return err
	}
	defer release()
	if err := m.decide(ctx, name, event, f); err != nil {
		return err
	}
	return m.followSoon(ctx, name)
}

// followSoon is follow, which Run tries again when it fails for a reason that may pass.
func (m *Manager) followSoon(ctx context.Context, name string) error {
	err := m.follow(ctx, name)
	var fault *sandbox.Error
	if err != nil && !errors.As(err, &fault) {
		m.Changed(name)
	}
	return err
}

// decide changes a plugin in the catalogs. It is fine when f says that there is nothing to change.
func (m *Manager) decide(ctx context.Context, name string, event catalog.Event, f func(*catalog.Plugin) error) error {
	err := m.journal.Decide(ctx, func() (catalog.Decision, error) {
		p, err := m.catalog.Get(ctx, name)
		if err == nil {
			err = f(&p)
		}
		return catalog.Decision{Put: &p, Event: event}, err
	})
	if errors.Is(err, errNothing) {
		return nil
	}
	return err
}

// runs says whether it is this version of a plugin that was started here.
func (m *Manager) runs(p *catalog.Plugin) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.started[p.Name]
	return ok && at.Equal(p.Updated)
}

func (m *Manager) setStarted(name string, version time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.started[name] = version; version.IsZero() {
		delete(m.started, name)
	}
}

// alsoStarted notes what a runner that comes was started with. Where the others run another version they still are to follow.
func (m *Manager) alsoStarted(p *catalog.Plugin) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.started[p.Name]; !ok {
		m.started[p.Name] = p.Updated
	}
}

// follow brings the runners to what the catalog says of a plugin. Who calls it has taken the name.
func (m *Manager) follow(ctx context.Context, name string) error {
	p, err := m.catalog.Get(ctx, name)
	switch {
	case errors.Is(err, catalog.ErrNotFound):
		m.setStarted(name, time.Time{})
		if err := m.runner.Remove(ctx, name); err != nil {
			return err
		}
		m.removed(name)
		return nil
	case err != nil:
		return err
	case !p.Run:
		m.setStarted(name, time.Time{})
		return m.runner.Stop(ctx, name)
	}
	if st, known := m.runner.Status(name); known {
		if st.State == runner.Running && m.runs(&p) {
			return nil
		}
		if err := m.runner.Replace(ctx, name); err != nil {
			return err
		}
	}
	if err := m.start(ctx, m.runner, &p); err != nil {
		return err
	}
	m.setStarted(name, p.Updated)
	return nil
}

// starter is what a Runner and a Starter have in common.
type starter interface {
	TurnTo(ctx context.Context, name string, version, from int) error
	Adopt(ctx context.Context, name string, version int, from string) error
	Start(ctx context.Context, cfg *sandbox.Config, source []byte, from runner.From) error
}

// turn gives a plugin the state that its version begins with.
func turn(ctx context.Context, r starter, p *catalog.Plugin) error {
	if p.StateFrom != "" {
		return r.Adopt(ctx, p.Name, p.Version, p.StateFrom)
	}
	return r.TurnTo(ctx, p.Name, p.Version, p.StateOf)
}

// start loads and runs a plugin, and notes in the catalog of this host how that went.
func (m *Manager) start(ctx context.Context, r starter, p *catalog.Plugin) error {
	stored := *p
	cfg, err := m.parse(p.Kind, short(p), []byte(p.Config))
	if err == nil {
		if err = turn(ctx, r, p); err != nil {
			return err
		}
		err = r.Start(ctx, cfg, p.Source, begins(p.Kind))
	}
	if cerr := ctx.Err(); cerr != nil && err != nil { // no fault of the plugin
		return err
	}
	p.Outcome, p.Reason, p.Line, p.Message = "", "", 0, ""
	if err != nil {
		p.Outcome, p.Reason = sandbox.LoadError.String(), err.Error()
		var fault *sandbox.Error
		if errors.As(err, &fault) {
			p.Outcome, p.Reason, p.Line = fault.Outcome.String(), fault.Text, fault.Line
		}
	}
	if reflect.DeepEqual(*p, stored) {
		return err
	}
	if perr := m.catalog.Put(ctx, *p); perr != nil && err == nil {
		err = perr
	}
	return err
}

// Come starts on a runner what should run, and then calls join, which makes the runner one of those that the manager's Runner stands
// for. No plugin changes meanwhile. A plugin that cannot be loaded is noted and left out. With safe only shipped plugins run.
// Submissions for decoders that do not run wait for them. What was removed while the runner was away is forgotten.
func (m *Manager) Come(ctx context.Context, r Starter, safe bool, join func() error) error {
	m.come.Lock()
	defer m.come.Unlock()
	all, err := m.catalog.List(ctx)
	if err != nil {
		return err
	}
	m.safe.Store(safe)
	for i := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := &all[i]
		if p.Run && !(safe && p.Shipped == "") {
			err := m.start(ctx, r, p)
			if err == nil {
				m.alsoStarted(p)
				continue
			}
			m.log.Warn("plugin does not start", "plugin", p.Name, "error", err)
		}
		if _, proposed := sandbox.CutProposal(p.Name); p.Kind == sandbox.Decoder && !proposed {
			m.hold(r, p)
		}
	}
	removed, err := m.catalog.RemovedNames(ctx, time.Time{})
	if err == nil {
		err = r.Forget(ctx, removed)
	}
	if err == nil {
		err = m.purge(ctx, r)
	}
	if err != nil {
		return err
	}
	return join()
}

// keepRemoved is how long states and versions of a plugin that was removed are kept.
const keepRemoved = 7 * 24 * time.Hour

// purge drops the states and versions of what was removed long ago.
func (m *Manager) purge(ctx context.Context, r interface {
	Purge(ctx context.Context, names []string) error
}) error {
	names, err := m.catalog.RemovedNames(ctx, m.now().Add(-keepRemoved))
	if err != nil {
		return err
	}
	return errors.Join(r.Purge(ctx, names), m.catalog.DropVersions(ctx, names))
}

func (m *Manager) hold(r Starter, p *catalog.Plugin) {
	cfg, err := m.parse(p.Kind, short(p), []byte(p.Config))
	if err == nil {
		err = r.Hold(cfg)
	}
	if err != nil {
		m.log.Warn("submissions for a decoder go to the errors, since its config cannot be read", "plugin", p.Name, "error", err)
	}
}

// Changed tells that something was decided about a plugin elsewhere, which Run follows.
func (m *Manager) Changed(name string) {
	m.mu.Lock()
	m.changed[name] = true
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// takeChanged returns those that were told of, and forgets them.
func (m *Manager) takeChanged() (names []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	names = slices.Sorted(maps.Keys(m.changed))
	clear(m.changed)
	return names
}

const (
	followAtOnce = 4               // plugins that follow at the same time
	followAgain  = 5 * time.Second // after a failure that is not the plugin's
	purgeEvery   = time.Hour
)

// Run follows what is decided elsewhere until ctx ends.
func (m *Manager) Run(ctx context.Context) error {
	var following sync.WaitGroup
	defer following.Wait()
	room := make(chan struct{}, followAtOnce)
	purging := time.NewTicker(purgeEvery)
	defer purging.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-purging.C:
			if err := m.purge(ctx, m.runner); err != nil && ctx.Err() == nil {
				m.log.Warn("the states of plugins that were removed are not dropped yet", "error", err)
			}
		case <-m.wake:
		}
		for _, name := range m.takeChanged() {
			select {
			case <-ctx.Done():
				return nil
			case room <- struct{}{}:
			}
			following.Go(func() {
				again := m.followElsewhere(ctx, name)
				<-room
				if !again {
					return
				}
				pause, cancel := context.WithTimeout(ctx, followAgain)
				<-pause.Done()
				cancel()
				m.Changed(name)
			})
		}
	}
}

// followElsewhere follows a decision that was made elsewhere, and says whether that is to be tried again.
func (m *Manager) followElsewhere(ctx context.Context, name string) (again bool) {
	if of, ok := sandbox.CutShadow(name); ok && m.followElsewhere(ctx, of) { // it may begin with the state of its shadow, which may go
		return true
	}
	release, err := m.take(ctx, name)
	if err != nil {
		return ctx.Err() == nil
	}
	defer release()
	err = m.follow(ctx, name)
	if err == nil || ctx.Err() != nil {
		return false
	}
	m.log.Warn("a plugin does not follow what was decided", "plugin", name, "error", err)
	var fault *sandbox.Error
	return !errors.As(err, &fault)
}
