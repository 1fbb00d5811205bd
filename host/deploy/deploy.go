// Package deploy joins what people decided (the catalog) with what runs (the runner): it seeds the shipped
// plugins, checks and starts submitted ones, and remembers why a plugin does not run.
//
// It knows no HTTP and no page; web and cmd ask it.
package deploy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sandbar/host/catalog"
	"sandbar/host/runner"
	"sandbar/plugins"
	"sandbar/sandbox"
)

// ErrNameTaken says that a plugin of this name exists and the submission did not ask to replace it.
var ErrNameTaken = errors.New("a plugin of this name exists")

// ErrChanged says that somebody has changed a plugin meanwhile.
var ErrChanged = errors.New("somebody has changed this plugin meanwhile")

// ErrNotFound says that there is no plugin of this name.
var ErrNotFound = catalog.ErrNotFound

// Runner is what deploy asks of the runners of a host, as of one.
type Runner interface {
	Starter
	Check(ctx context.Context, cfg *sandbox.Config, source []byte) (warning string, err error)
	Stop(ctx context.Context, name string) error
	Replace(ctx context.Context, name string) error
	Remove(ctx context.Context, name string) error
	Status(name string) (runner.Status, bool)
	Logs(name string) []runner.LogLine
}

// Starter is what deploy asks of one runner that has just come.
type Starter interface {
	Hold(cfg *sandbox.Config) error
	Start(ctx context.Context, cfg *sandbox.Config, source []byte, from runner.From) error
}

// ParseConfig evaluates a .cfg; sandbox/lua.ParseConfig is one.
type ParseConfig func(kind sandbox.Kind, name string, src []byte) (*sandbox.Config, error)

// Manager is the one place that starts and stops plugins for people.
type Manager struct {
	catalog *catalog.Catalog
	runner  Runner
	parse   ParseConfig
	removed func(name string) // views forget what the plugin made
	now     func() time.Time
	log     *slog.Logger

	names names        // one change of a plugin at a time
	come  sync.RWMutex // held while a runner comes, and for reading while a plugin changes
	safe  atomic.Bool  // submitted plugins were not started
}

// Options of a Manager; all are required but Removed.
type Options struct {
	Catalog *catalog.Catalog
	Runner  Runner
	Parse   ParseConfig
	Removed func(name string)
	Now     func() time.Time
	Log     *slog.Logger
}

// New makes a manager. Seed and StartAll come next.
func New(o Options) *Manager {
	if o.Removed == nil {
		o.Removed = func(string) {}
	}
	return &Manager{catalog: o.Catalog, runner: o.Runner, parse: o.Parse, removed: o.Removed, now: o.Now, log: o.Log}
}

// Submission is a plugin that somebody wants to run.
type Submission struct {
	Kind    sandbox.Kind
	Name    string // without the kind
	Config  string
	Source  []byte // Lua, or a WASM module where the config's filename says so
	Replace bool   // a plugin of this name may be replaced
	// Expected is when the version was submitted that is to be replaced; another one is not. Zero replaces any.
	Expected time.Time
	By       string // who submits it, as far as that is known
}

// Detail is a plugin with what was submitted.
type Detail struct {
	runner.Status
	Config  string
	Source  []byte
	Module  bool      // it is a WASM module
	Updated time.Time // when it was submitted
	// Message is the one that ended the plugin, encoded; nil when none did, or it was too large to be kept.
	Message []byte
}

// Seed puts shipped plugins into the catalog: new ones that nobody has removed, and newer versions of those
// nobody has changed.
func (m *Manager) Seed(ctx context.Context, defs []plugins.Definition) error {
	for i := range defs {
		if err := m.seed(ctx, &defs[i]); err != nil {
			return err
		}
	}
	return nil
}

func (m *Manager) seed(ctx context.Context, d *plugins.Definition) error {
	sum := sha256.Sum256(append(append(append([]byte(nil), d.Config...), 0), d.Source...))
	hash := hex.EncodeToString(sum[:8])
	have, err := m.catalog.Get(ctx, d.Logger())
	switch {
	case errors.Is(err, catalog.ErrNotFound):
		if gone, err := m.catalog.Removed(ctx, d.Logger()); gone || err != nil {
			return err
		}
		have = catalog.Plugin{Run: true}
	case err != nil:
		return err
	case have.Shipped == "" || have.Shipped == hash:
		return nil
	}
	have.Name, have.Kind, have.Config, have.Source = d.Logger(), d.Kind, string(d.Config), d.Source
	have.Shipped, have.Updated = hash, m.now()
	return m.catalog.Put(ctx, have)
}

// Quarantine lets suspects, in whose work the host has died, not run until somebody starts them.
func (m *Manager) Quarantine(ctx context.Context, suspects []string) error {
	for _, name := range suspects {
		p, err := m.catalog.Get(ctx, name)
		if errors.Is(err, catalog.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if err := m.quarantine(ctx, &p); err != nil {
			return err
		}
	}
	return nil
}

// Come starts on a runner what should run, and then calls join, which makes the runner one of those that the manager's Runner stands
// for. No plugin changes meanwhile. A plugin that cannot be loaded is noted and left out. With safe only shipped plugins run.
// Submissions for decoders that do not run wait for them.
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
			err := m.start(ctx, r, p, *p)
			if err == nil {
				continue
			}
			m.log.Warn("plugin does not start", "plugin", p.Name, "error", err)
		}
		if p.Kind == sandbox.Decoder {
			m.hold(r, p)
		}
	}
	return join()
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

func (m *Manager) hold(r Starter, p *catalog.Plugin) {
	cfg, err := m.parse(p.Kind, short(p), []byte(p.Config))
	if err == nil {
		err = r.Hold(cfg)
	}
	if err != nil {
		m.log.Warn("submissions for a decoder go to the errors, since its config cannot be read", "plugin", p.Name, "error", err)
	}
}

func (m *Manager) quarantine(ctx context.Context, p *catalog.Plugin) error {
	p.Run, p.Outcome, p.Line = false, sandbox.Quarantined.String(), 0
	p.Reason = "the host died several times in a row while this plugin was at work; start it when the cause is known"
	m.log.Error("plugin is quarantined", "plugin", p.Name, "reason", p.Reason)
	return m.catalog.Put(ctx, *p)
}

// start loads and runs a plugin, and notes in the catalog, which has it as stored, how that went.
func (m *Manager) start(ctx context.Context, r Starter, p *catalog.Plugin, stored catalog.Plugin) error {
	cfg, err := m.parse(p.Kind, short(p), []byte(p.Config))
	if err == nil {
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

// begins is where a plugin of the catalog starts that has no position: a decoder with the submissions that
// waited for it, the others with what comes from now on.
func begins(kind sandbox.Kind) runner.From {
	if kind == sandbox.Decoder {
		return runner.Oldest
	}
	return runner.Newest
}

// short is the name without the kind.
func short(p *catalog.Plugin) string { return strings.TrimPrefix(p.Name, string(p.Kind)+".") }

// Deploy checks a submission, loads it and runs it: from where the version before it was, or else from the
// newest messages on. Nothing changes when it fails; errors are *sandbox.Error where the plugin is at fault,
// or ErrNameTaken.
func (m *Manager) Deploy(ctx context.Context, s Submission) (runner.Status, error) {
	cfg, err := m.check(s)
	if err != nil {
		return runner.Status{}, err
	}
	release, err := m.take(ctx, cfg.Logger())
	if err != nil {
		return runner.Status{}, err
	}
	defer release()
	p := catalog.Plugin{Name: cfg.Logger(), Kind: s.Kind, Config: s.Config, Source: s.Source, Run: true, Updated: m.now(), Author: s.By}
	old, err := m.catalog.Get(ctx, p.Name)
	switch {
	case errors.Is(err, catalog.ErrNotFound):
		err = m.deployNew(ctx, cfg, &p)
	case err != nil:
	case !s.Replace:
		err = fmt.Errorf("%w: %s; choose another name or replace it", ErrNameTaken, p.Name)
	case !s.Expected.IsZero() && !s.Expected.Equal(old.Updated):
		by := ""
		if old.Author != "" {
			by = " by " + old.Author
		}
		err = fmt.Errorf("%w: %s was submitted%s at %s", ErrChanged, p.Name, by, old.Updated.UTC().Format(time.DateTime+" UTC"))
	default:
		err = m.replace(ctx, cfg, &p, &old)
	}
	if err != nil {
		return runner.Status{}, err
	}
	return m.status(&p), nil
}

// check says what is wrong with a submission that can be seen without running it.
func (m *Manager) check(s Submission) (*sandbox.Config, error) {
	switch s.Kind {
	case sandbox.Decoder, sandbox.Analysis, sandbox.Output:
	default:
		return nil, fmt.Errorf("kind %q is not decoder, analysis or output", s.Kind)
	}
	if err := plugins.CheckName(s.Name); err != nil {
		return nil, err
	}
	if len(s.Config) > plugins.MaxConfig {
		return nil, fmt.Errorf("the config has %d bytes; it may have %d", len(s.Config), plugins.MaxConfig)
	}
	cfg, err := m.parse(s.Kind, s.Name, []byte(s.Config))
	if err != nil {
		return nil, err
	}
	if most := plugins.MaxSource(cfg.Filename); len(s.Source) > most {
		return nil, fmt.Errorf("the source has %d bytes; it may have %d", len(s.Source), most)
	}
	return cfg, nil
}

// Check loads a plugin as Deploy would, and closes it again. Errors are *sandbox.Error where the plugin is at fault.
func (m *Manager) Check(ctx context.Context, s Submission) (warning string, err error) {
	cfg, err := m.check(s)
	if err != nil {
		return "", err
	}
	return m.runner.Check(ctx, cfg, s.Source)
}

func (m *Manager) deployNew(ctx context.Context, cfg *sandbox.Config, p *catalog.Plugin) error {
	if err := m.runner.Start(ctx, cfg, p.Source, runner.Newest); err != nil {
		return err
	}
	if err := m.catalog.Put(ctx, *p); err != nil {
		return errors.Join(err, m.runner.Remove(ctx, p.Name))
	}
	return nil
}

// replace runs the new version in place of the old. It is loaded once before the old one is touched; should
// it fail even so, the old one runs again.
func (m *Manager) replace(ctx context.Context, cfg *sandbox.Config, p, old *catalog.Plugin) error {
	if _, err := m.runner.Check(ctx, cfg, p.Source); err != nil {
		return err
	}
	st, known := m.runner.Status(p.Name)
	ran := known && st.State == runner.Running
	if err := m.catalog.Put(ctx, *p); err != nil {
		return err
	}
	err := m.runner.Replace(ctx, p.Name)
	if err == nil {
		err = m.runner.Start(ctx, cfg, p.Source, begins(p.Kind))
	}
	if err == nil {
		return nil
	}
	if perr := m.catalog.Put(ctx, *old); perr != nil {
		err = errors.Join(err, perr)
	}
	if ran {
		if rerr := m.start(ctx, m.runner, old, catalog.Plugin{}); rerr != nil {
			m.log.Error("the version before cannot be started again", "plugin", old.Name, "error", rerr)
		}
	}
	return err
}

// Stop ends a plugin until somebody starts it again; its state is kept.
func (m *Manager) Stop(ctx context.Context, name string) error {
	return m.change(ctx, name, func(p *catalog.Plugin) error {
		p.Run = false
		p.Outcome, p.Reason, p.Line, p.Message = "", "", 0, ""
		return errors.Join(m.catalog.Put(ctx, *p), m.runner.Stop(ctx, name))
	})
}

// Start runs a plugin that was stopped or has ended, from the newest messages on.
func (m *Manager) Start(ctx context.Context, name string) error {
	return m.change(ctx, name, func(p *catalog.Plugin) error {
		if st, ok := m.runner.Status(name); ok && st.State == runner.Running {
			return nil
		}
		stored := *p
		p.Run = true
		return m.start(ctx, m.runner, p, stored)
	})
}

// Remove ends a plugin and forgets it with its state.
func (m *Manager) Remove(ctx context.Context, name string) error {
	return m.change(ctx, name, func(*catalog.Plugin) error {
		if err := m.runner.Remove(ctx, name); err != nil {
			return err
		}
		m.removed(name)
		return m.catalog.Remove(ctx, name)
	})
}

func (m *Manager) change(ctx context.Context, name string, f func(*catalog.Plugin) error) error {
	release, err := m.take(ctx, name)
	if err != nil {
		return err
	}
	defer release()
	p, err := m.catalog.Get(ctx, name)
	if err != nil {
		return err
	}
	return f(&p)
}

// Ended notes in the catalog that a plugin ended by itself. It is the runner's OnEnd.
func (m *Manager) Ended(ctx context.Context, fault *sandbox.Error) {
	release, err := m.take(ctx, fault.Plugin)
	if err != nil {
		m.log.Error("the end of a plugin is not noted", "plugin", fault.Plugin, "error", err)
		return
	}
	defer release()
	if st, ok := m.runner.Status(fault.Plugin); ok && st.State == runner.Running {
		return // somebody was quicker and started it again, or another in its place
	}
	p, err := m.catalog.Get(ctx, fault.Plugin)
	if errors.Is(err, catalog.ErrNotFound) {
		return // or removed it
	}
	if err == nil {
		p.Run, p.Outcome, p.Reason, p.Line = false, fault.Outcome.String(), fault.Text, fault.Line
		p.Message = string(fault.Message)
		err = errors.Join(m.catalog.Put(ctx, p), m.runner.Stop(ctx, p.Name)) // where it still runs
	}
	if err != nil {
		m.log.Error("the end of a plugin is not noted", "plugin", fault.Plugin, "error", err)
	}
}

// List returns every plugin, running or not, by name.
func (m *Manager) List(ctx context.Context) ([]runner.Status, error) {
	all, err := m.catalog.Summaries(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]runner.Status, len(all))
	for i := range all {
		out[i] = m.status(&all[i])
	}
	return out, nil
}

// Get returns one plugin with its config and source, or ErrNotFound.
func (m *Manager) Get(ctx context.Context, name string) (Detail, error) {
	p, err := m.catalog.Get(ctx, name)
	if err != nil {
		return Detail{}, err
	}
	d := Detail{Status: m.status(&p), Config: p.Config, Source: p.Source, Updated: p.Updated, Message: []byte(p.Message)}
	if cfg, err := m.parse(p.Kind, short(&p), []byte(p.Config)); err == nil {
		d.Module = cfg.IsModule()
	}
	return d, nil
}

// Logs returns what a plugin printed lately, oldest first.
func (m *Manager) Logs(name string) []runner.LogLine { return m.runner.Logs(name) }

// status is the runner's where it knows the plugin, and the catalog's otherwise.
func (m *Manager) status(p *catalog.Plugin) runner.Status {
	st, ok := m.runner.Status(p.Name)
	if !ok {
		st = runner.Status{Name: p.Name, Kind: p.Kind, State: runner.StoppedBy, Since: p.Updated}
		if cfg, err := m.parse(p.Kind, short(p), []byte(p.Config)); err == nil {
			st.Matcher, st.Ticker, st.Limits = cfg.Matcher, cfg.TickerInterval, cfg.Limits
		}
	}
	st.Shipped = p.Shipped != ""
	if !ok && p.Run && !st.Shipped && m.safe.Load() {
		st.Reason = "not started, since the host runs with --safe; start it, or the host without --safe"
	}
	if st.State == runner.Running || p.Outcome == "" {
		return st
	}
	st.State, st.Outcome, st.Reason, st.Line = runner.Terminated, p.Outcome, p.Reason, p.Line
	if p.Outcome == sandbox.LoadError.String() {
		st.State = runner.Failed
	}
	return st
}
