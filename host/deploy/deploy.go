// Package deploy joins what people decided (the catalog) with what runs (the runner): it seeds the shipped
// plugins, checks and starts submitted ones, and remembers why a plugin does not run.
//
// It knows no HTTP and no page; web and cmd ask it.
package deploy

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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

// ErrNotFound says that there is no plugin of this name, and ErrNoVersion that it has no such version.
var (
	ErrNotFound  = catalog.ErrNotFound
	ErrNoVersion = catalog.ErrNoVersion
)

// Runner is what deploy asks of the runners of a host, as of one.
type Runner interface {
	Start(ctx context.Context, cfg *sandbox.Config, source []byte, from runner.From) error
	Check(ctx context.Context, cfg *sandbox.Config, source []byte) ([]sandbox.Finding, error)
	// TurnTo makes the state of a plugin that does not run the beginning of a version, and keeps what it was.
	TurnTo(ctx context.Context, name string, version, from int) error
	// Adopt makes the present state of another plugin, and its position, the beginning of a version.
	Adopt(ctx context.Context, name string, version int, from string) error
	States(ctx context.Context, name string) ([]int, error) // versions whose state is kept
	Purge(ctx context.Context, names []string) error        // drops all states of plugins that do not run
	Stop(ctx context.Context, name string) error
	Replace(ctx context.Context, name string) error
	Remove(ctx context.Context, name string) error
	Status(name string) (runner.Status, bool)
	Logs(name string) []runner.LogLine
}

// Others knows how plugins fare on other hosts.
type Others interface {
	Status(name string) []OtherStatus
	Logs(name string) []runner.LogLine
}

// OtherStatus is how a plugin fares on another host.
type OtherStatus struct {
	Host string
	runner.Status
}

// Starter is what deploy asks of one runner that has just come.
type Starter interface {
	Hold(cfg *sandbox.Config) error
	Start(ctx context.Context, cfg *sandbox.Config, source []byte, from runner.From) error
	TurnTo(ctx context.Context, name string, version, from int) error
	Adopt(ctx context.Context, name string, version int, from string) error
	// Forget drops state and position of plugins that do not run, and keeps what the states were; Purge drops these too.
	Forget(ctx context.Context, names []string) error
	Purge(ctx context.Context, names []string) error
}

// Journal makes decisions about plugins, one at a time, for all hosts.
type Journal interface {
	// Decide calls f when nobody else decides anything and this host's catalog has all that was decided before. What f returns is
	// then in the catalogs of all hosts, and in this one when Decide returns. When f fails nothing is decided.
	Decide(ctx context.Context, f func() (catalog.Decision, error)) error
}

// ParseConfig evaluates a .cfg; sandbox/lua.ParseConfig is one.
type ParseConfig func(kind sandbox.Kind, name string, src []byte) (*sandbox.Config, error)

// Manager is the one place that starts and stops plugins for people.
type Manager struct {
	catalog *catalog.Catalog
	journal Journal
	runner  Runner
	others  Others
	parse   ParseConfig
	removed func(name string) // views forget what the plugin made
	may     func(by Actor, what, name string) error
	gate    func(ctx context.Context, cfg *sandbox.Config, source []byte) (why []string, err error)
	second  bool
	now     func() time.Time
	log     *slog.Logger

	names names        // one change of a plugin at a time
	come  sync.RWMutex // held while a runner comes, and for reading while a plugin changes
	safe  atomic.Bool  // submitted plugins were not started

	wake chan struct{} // capacity 1: there are changed ones

	mu      sync.Mutex
	changed map[string]bool      // plugins that were decided about elsewhere, or are to be tried again
	started map[string]time.Time // version of each plugin that runs here: when it was submitted
}

// Options of a Manager; all are required but Others, Removed and May.
type Options struct {
	Catalog *catalog.Catalog
	Journal Journal // Own for a host without others
	Runner  Runner
	Others  Others // nil for a host without others
	Parse   ParseConfig
	Removed func(name string)
	// May is the one place that is asked whether somebody may change a plugin: what is Submitted, Replaced and so on. An error, which
	// people are told, says that they may not, and why. nil: everybody who reaches the host may do everything.
	May func(by Actor, what, name string) error
	// Gate says why a submission should not run; nothing when it may. With Second what does not pass waits for a second person; without
	// it is refused. nil: all may run.
	Gate   func(ctx context.Context, cfg *sandbox.Config, source []byte) (why []string, err error)
	Second bool
	Now    func() time.Time
	Log    *slog.Logger
}

// New makes a manager. Seed and Come are next, and Run beside them.
func New(o Options) *Manager {
	if o.Others == nil {
		o.Others = alone{}
	}
	if o.Removed == nil {
		o.Removed = func(string) {}
	}
	if o.May == nil {
		o.May = func(Actor, string, string) error { return nil }
	}
	return &Manager{catalog: o.Catalog, journal: o.Journal, changed: map[string]bool{}, wake: make(chan struct{}, 1), started: map[string]time.Time{}, runner: o.Runner, others: o.Others, parse: o.Parse, removed: o.Removed, may: o.May, gate: o.Gate, second: o.Second, now: o.Now, log: o.Log}
}

// Detail is a plugin with what was submitted.
type Detail struct {
	runner.Status
	Config  string
	Source  []byte
	Module  bool      // it is a WASM module
	Updated time.Time // when it was submitted
	Version int
	Author  string
	Note    string
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
	if _, needed, err := m.seeded(ctx, d, hash); !needed || err != nil {
		return err
	}
	err := m.journal.Decide(ctx, func() (catalog.Decision, error) {
		p, needed, err := m.seeded(ctx, d, hash)
		if err == nil && !needed {
			err = errNothing // another host was quicker
		}
		return catalog.Decision{Put: &p, Event: m.event(Host, Shipped)}, err
	})
	if errors.Is(err, errNothing) {
		return nil
	}
	return err
}

// seeded is what a shipped plugin is to be in the catalog, if it is to be changed.
func (m *Manager) seeded(ctx context.Context, d *plugins.Definition, hash string) (p catalog.Plugin, needed bool, err error) {
	p, err = m.catalog.Get(ctx, d.Logger())
	switch {
	case errors.Is(err, catalog.ErrNotFound):
		if gone, err := m.catalog.Removed(ctx, d.Logger()); gone || err != nil {
			return p, false, err
		}
		p = catalog.Plugin{Run: true}
	case err != nil:
		return p, false, err
	case p.Shipped == "" || p.Shipped == hash:
		return p, false, nil
	}
	p.Name, p.Kind, p.Config, p.Source = d.Logger(), d.Kind, string(d.Config), d.Source
	p.Shipped, p.Updated, p.Version, p.Author, p.Note, p.Warning, p.StateOf, p.StateFrom = hash, m.now(), 0, "", "", "", 0, ""
	return p, true, nil
}

// Quarantine lets suspects, in whose work the host has died, not run until somebody starts them.
func (m *Manager) Quarantine(ctx context.Context, suspects []string) error {
	for _, name := range suspects {
		reason := "the host died several times in a row while this plugin was at work; start it when the cause is known"
		err := m.decide(ctx, name, m.event(Host, Quarantined), func(p *catalog.Plugin) error {
			p.Run, p.Outcome, p.Reason, p.Line = false, sandbox.Quarantined.String(), reason, 0
			return nil
		})
		switch {
		case errors.Is(err, catalog.ErrNotFound):
		case err != nil:
			return err
		default:
			m.log.Error("plugin is quarantined", "plugin", name, "reason", reason)
		}
	}
	return nil
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
// newest messages on. Nothing changes when it fails; errors are *Fault or *sandbox.Error where the submission is at fault,
// or ErrNameTaken or ErrChanged.
func (m *Manager) Deploy(ctx context.Context, s Submission) (runner.Status, error) {
	if s.Shadow {
		if err := m.shadowed(ctx, &s); err != nil {
			return runner.Status{}, err
		}
		return m.deploy(ctx, s, catalog.Event{What: Shadowed, Note: s.Note})
	}
	return m.deploy(ctx, s, catalog.Event{Note: s.Note})
}

// deploy remembers what it does as the event, or by a word of its own.
func (m *Manager) deploy(ctx context.Context, s Submission, event catalog.Event) (runner.Status, error) {
	return m.deployAs(ctx, s, event, s.By)
}

// deployAs is deploy by somebody else than the author.
func (m *Manager) deployAs(ctx context.Context, s Submission, event catalog.Event, by Actor) (runner.Status, error) {
	cfg, err := Validate(m.parse, s)
	if err != nil {
		return runner.Status{}, err
	}
	why, err := m.judge(ctx, cfg, &s, event.What)
	if err != nil {
		return runner.Status{}, err
	}
	release, err := m.take(ctx, cfg.Logger())
	if err != nil {
		return runner.Status{}, err
	}
	defer release()
	p := catalog.Plugin{Name: cfg.Logger(), Kind: s.Kind, Config: s.Config, Source: s.Source, Run: true, Updated: m.now(), Author: string(s.By), Note: s.Note, StateOf: s.stateOf, StateFrom: s.stateFrom}
	old, err := m.admit(ctx, &s, p.Name) // before it is loaded, which is dear
	if err != nil {
		return runner.Status{}, err
	}
	event.At, event.Actor = p.Updated, string(by)
	what := cmp.Or(event.What, Replaced)
	if event.What == "" && old == nil {
		what = Submitted
	}
	if err := m.permit(event.Actor, what, p.Name); err != nil {
		return runner.Status{}, err
	}
	found, err := m.runner.Check(ctx, cfg, p.Source)
	if err != nil {
		return runner.Status{}, err
	}
	sandbox.Locate(found, s.Config)
	p.Warning = sandbox.JoinFindings(found)
	if len(why) > 0 {
		return runner.Status{}, m.refuse(ctx, by, p, why)
	}
	if old == nil {
		err = m.deployNew(ctx, cfg, &s, &p, event)
	} else {
		err = m.replace(ctx, &s, &p, event)
	}
	if err != nil {
		return runner.Status{}, err
	}
	return m.status(&p), nil
}

// deployNew runs a plugin here, and then decides that it is to run everywhere.
func (m *Manager) deployNew(ctx context.Context, cfg *sandbox.Config, s *Submission, p *catalog.Plugin, event catalog.Event) error {
	versions, err := m.catalog.Versions(ctx, p.Name)
	if err != nil {
		return err
	}
	p.Version = newest(versions) + 1 // behind those of one that was removed
	if err := turn(ctx, m.runner, p); err != nil {
		return err
	}
	if err := m.runner.Start(ctx, cfg, p.Source, runner.Newest); err != nil {
		return err
	}
	m.setStarted(p.Name, p.Updated)
	event.What = cmp.Or(event.What, Submitted)
	err = m.journal.Decide(ctx, func() (catalog.Decision, error) {
		_, err := m.admit(ctx, s, p.Name) // another host may have been quicker
		if now, verr := m.catalog.Versions(ctx, p.Name); err == nil && (verr != nil || newest(now) != newest(versions)) {
			err = errors.Join(verr, fmt.Errorf("%w: %s", ErrChanged, p.Name))
		}
		return catalog.Decision{Put: p, Event: event}, err
	})
	if err != nil {
		return errors.Join(err, m.follow(context.WithoutCancel(ctx), p.Name))
	}
	return nil
}

// replace decides that a new version, which can be loaded, is to run in place of the old one; should it fail even so, the old one runs
// again.
func (m *Manager) replace(ctx context.Context, s *Submission, p *catalog.Plugin, event catalog.Event) error {
	event.What = cmp.Or(event.What, Replaced)
	var before *catalog.Plugin
	err := m.journal.Decide(ctx, func() (catalog.Decision, error) {
		var err error
		before, err = m.admit(ctx, s, p.Name)
		return catalog.Decision{Put: p, Event: event}, err
	})
	if err != nil {
		return err
	}
	if err := m.follow(ctx, p.Name); err != nil {
		m.takeBack(ctx, p, before)
		return err
	}
	return nil
}

// admit refuses a submission whose name is taken, or that was made for another version than the present one, which it returns.
func (m *Manager) admit(ctx context.Context, s *Submission, name string) (*catalog.Plugin, error) {
	old, err := m.catalog.Get(ctx, name)
	switch {
	case errors.Is(err, catalog.ErrNotFound):
		if s.Version > 0 {
			return nil, fmt.Errorf("%w: %s is not there", ErrChanged, name)
		}
		return nil, nil
	case err != nil:
		return nil, err
	case !s.Replace:
		return nil, fmt.Errorf("%w: %s; choose another name or replace it", ErrNameTaken, name)
	case !s.Expected.IsZero() && !s.Expected.Equal(old.Updated) || s.Version > 0 && s.Version != old.Version:
		by := ""
		if old.Author != "" {
			by = " by " + old.Author
		}
		return nil, fmt.Errorf("%w: version %d of %s was submitted%s at %s", ErrChanged, old.Version, name, by, old.Updated.UTC().Format(time.DateTime+" UTC"))
	}
	return &old, nil
}

// takeBack decides for the version before, nil for none, when one could not be started although it could be loaded.
func (m *Manager) takeBack(ctx context.Context, p, before *catalog.Plugin) {
	ctx = context.WithoutCancel(ctx)
	err := m.journal.Decide(ctx, func() (catalog.Decision, error) {
		now, err := m.catalog.Get(ctx, p.Name)
		if err == nil && !now.Updated.Equal(p.Updated) {
			err = errNothing // somebody has decided otherwise
		}
		event := catalog.Event{At: m.now(), Actor: string(Host), What: TakenBack, Note: fmt.Sprintf("version %d could not be started", p.Version)}
		if before != nil {
			before.StateOf, before.StateFrom = before.Version, ""
		}
		return catalog.Decision{Put: before, Remove: p.Name, At: event.At, Event: event}, err
	})
	if err == nil {
		err = m.follow(ctx, p.Name)
	}
	if err != nil && !errors.Is(err, errNothing) {
		m.log.Error("what was before a submission cannot be had again", "plugin", p.Name, "error", err)
	}
}

// Stop ends a plugin until somebody starts it again; its state is kept.
func (m *Manager) Stop(ctx context.Context, by Actor, name string) error {
	return m.change(ctx, name, m.event(by, Stopped), func(p *catalog.Plugin) error {
		p.Run = false
		p.Outcome, p.Reason, p.Line, p.Message = "", "", 0, ""
		return nil
	})
}

// Start runs a plugin that was stopped or has ended, from the newest messages on.
func (m *Manager) Start(ctx context.Context, by Actor, name string) error {
	if _, ok := sandbox.CutProposal(name); ok {
		return fmt.Errorf("%w: it waits for a second person to approve it", ErrForbidden)
	}
	return m.change(ctx, name, m.event(by, Started), func(p *catalog.Plugin) error {
		if p.Run && p.Outcome == "" {
			return errNothing
		}
		p.Run = true
		p.Outcome, p.Reason, p.Line, p.Message = "", "", 0, ""
		return nil
	})
}

// Remove ends a plugin, and its shadow. Its versions are kept, and for some days its state, so that GoBack can restore it.
func (m *Manager) Remove(ctx context.Context, by Actor, name string) error {
	if err := m.permit(string(by), Removed, name); err != nil {
		return err
	}
	if err := m.remove(ctx, by, name); err != nil {
		return err
	}
	if err := m.remove(ctx, by, sandbox.ShadowOf(name)); err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return err
	}
	return nil
}

// remove is Remove for whoever may.
func (m *Manager) remove(ctx context.Context, by Actor, name string) error {
	release, err := m.take(ctx, name)
	if err != nil {
		return err
	}
	defer release()
	err = m.journal.Decide(ctx, func() (catalog.Decision, error) {
		_, err := m.catalog.Get(ctx, name)
		event := m.event(by, Removed)
		return catalog.Decision{Remove: name, At: event.At, Event: event}, err
	})
	if err != nil {
		return err
	}
	return m.followSoon(ctx, name)
}

// Ended notes in the catalog that a plugin ended by itself. It is the runner's OnEnd.
func (m *Manager) Ended(ctx context.Context, fault *sandbox.Error) {
	event := m.event(Host, Ended)
	event.Note = strings.ToValidUTF8(fault.Text[:min(len(fault.Text), MaxNote)], "")
	err := m.change(ctx, fault.Plugin, event, func(p *catalog.Plugin) error {
		if st, ok := m.runner.Status(p.Name); ok && st.State == runner.Running || !m.runs(p) {
			return errNothing // somebody was quicker and started it again, or another in its place
		}
		p.Run, p.Outcome, p.Reason, p.Line = false, fault.Outcome.String(), fault.Text, fault.Line
		p.Message = string(fault.Message)
		return nil
	})
	if err != nil && !errors.Is(err, catalog.ErrNotFound) { // or removed it
		m.log.Error("the end of a plugin is not noted", "plugin", fault.Plugin, "error", err)
	}
}

// List returns every plugin, running or not, by name.
func (m *Manager) List(ctx context.Context) ([]runner.Status, error) { return m.list(ctx, m.status) }

// Here is List without what other hosts do.
func (m *Manager) Here(ctx context.Context) ([]runner.Status, error) { return m.list(ctx, m.here) }

func (m *Manager) list(ctx context.Context, status func(*catalog.Plugin) runner.Status) ([]runner.Status, error) {
	all, err := m.catalog.Summaries(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]runner.Status, len(all))
	for i := range all {
		out[i] = status(&all[i])
	}
	return out, nil
}

// Get returns one plugin with its config and source, or ErrNotFound.
func (m *Manager) Get(ctx context.Context, name string) (Detail, error) {
	p, err := m.catalog.Get(ctx, name)
	if err != nil {
		return Detail{}, err
	}
	d := Detail{Status: m.status(&p), Config: p.Config, Source: p.Source, Updated: p.Updated, Version: p.Version, Author: p.Author, Note: p.Note, Message: []byte(p.Message)}
	if cfg, err := m.parse(p.Kind, short(&p), []byte(p.Config)); err == nil {
		d.Module = cfg.IsModule()
	}
	return d, nil
}

// Logs returns what a plugin printed lately, oldest first.
func (m *Manager) Logs(name string) []runner.LogLine {
	lines := append(m.runner.Logs(name), m.others.Logs(name)...)
	slices.SortStableFunc(lines, func(a, b runner.LogLine) int { return a.Time.Compare(b.Time) })
	return lines
}

// alone is Others of a host without others.
type alone struct{}

func (alone) Status(string) []OtherStatus  { return nil }
func (alone) Logs(string) []runner.LogLine { return nil }

// status is how a plugin fares on all hosts. Whether it runs is in the catalog, which all follow; the others tell what it did there,
// and that it could not be loaded.
func (m *Manager) status(p *catalog.Plugin) runner.Status {
	st := m.here(p)
	for _, other := range m.others.Status(p.Name) {
		mine := st
		st = runner.Join(st, other.Status)
		st.State, st.Outcome, st.Reason, st.Line, st.Since = mine.State, mine.Outcome, mine.Reason, mine.Line, mine.Since
		switch {
		case !p.Run || p.Outcome != "":
		case other.State == runner.Failed:
			st.State, st.Outcome, st.Reason, st.Line = other.State, other.Outcome, "on "+other.Host+": "+other.Reason, other.Line
		case other.State == runner.Running && mine.State == runner.StoppedBy: // no partition is here
			st.State, st.Since = other.State, other.Since
		}
	}
	return st
}

// here is the runner's status where it knows the plugin, and the catalog's otherwise.
func (m *Manager) here(p *catalog.Plugin) runner.Status {
	st, ok := m.runner.Status(p.Name)
	if !ok {
		st = runner.Status{Name: p.Name, Kind: p.Kind, State: runner.StoppedBy, Since: p.Updated}
		if cfg, err := m.parse(p.Kind, short(p), []byte(p.Config)); err == nil {
			st.Matcher, st.Ticker, st.Limits = cfg.Matcher, cfg.TickerInterval, cfg.Limits
		}
	}
	st.Shipped = p.Shipped != ""
	st.Author = p.Author
	st.ShadowOf, _ = sandbox.CutShadow(p.Name)
	if of, ok := sandbox.CutProposal(p.Name); ok {
		st.ProposalOf, st.State, st.Reason = of, runner.Proposed, p.Reason
		return st
	}
	if !ok && p.Run && !st.Shipped && m.safe.Load() {
		st.Reason = "not started, since the host runs with --safe; start it, or the host without --safe"
	}
	if st.State == runner.Running || p.Outcome == "" {
		return st
	}
	st.State, st.Outcome, st.Reason, st.Line = runner.Terminated, p.Outcome, p.Reason, p.Line
	if p.Run || p.Outcome == sandbox.LoadError.String() { // it could not be started; what ends by itself is not to run any more
		st.State = runner.Failed
	}
	return st
}
