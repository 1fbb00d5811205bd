package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sandbar/host/catalog"
	"sandbar/host/runner"
	"sandbar/sandbox"
)

// ErrNoShadow says that nothing runs in the shadow of a plugin.
var ErrNoShadow = errors.New("nothing runs in the shadow of this plugin")

// shadowed makes of a submission for a shadow what is deployed: it may replace the shadow that there is, and there has to be a plugin to
// run beside.
func (m *Manager) shadowed(ctx context.Context, s *Submission) error {
	if _, err := Validate(m.parse, *s); err != nil {
		return err
	}
	of := string(s.Kind) + "." + s.Name
	if _, err := m.catalog.Get(ctx, of); err != nil {
		return fmt.Errorf("run in the shadow of %s: %w", of, err)
	}
	s.Replace, s.Version, s.Expected = true, 0, time.Time{} // they are those of the plugin itself
	if s.WithState {
		s.stateFrom = of
	}
	return nil
}

// Promotion makes what runs in the shadow of a plugin its next version.
type Promotion struct {
	Name      string // of the plugin, with its kind
	Present   int    // the version that is to be replaced, and no other; 0: any
	WithState bool   // it goes on with the state and the position of the shadow, not with its own
	By        Actor
	Note      string
}

// Promote deploys the shadow in place of its plugin, and ends the shadow.
func (m *Manager) Promote(ctx context.Context, p Promotion) (runner.Status, error) {
	shadow, err := m.catalog.Get(ctx, sandbox.ShadowOf(p.Name))
	if errors.Is(err, catalog.ErrNotFound) {
		err = fmt.Errorf("%w: %s", ErrNoShadow, p.Name)
	}
	if err != nil {
		return runner.Status{}, err
	}
	s := Submission{Kind: shadow.Kind, Name: strings.TrimPrefix(p.Name, string(shadow.Kind)+"."), Config: shadow.Config, Source: shadow.Source, Replace: true, Version: p.Present, By: p.By, Note: cmp.Or(p.Note, shadow.Note)}
	note := "what ran in its shadow"
	if p.WithState {
		s.stateFrom = shadow.Name
		note += ", with its state"
	}
	if p.Note != "" {
		note += ": " + p.Note
	}
	st, err := m.deploy(ctx, s, catalog.Event{What: Promoted, Note: note})
	if err != nil {
		return st, err
	}
	return st, m.remove(ctx, p.By, shadow.Name)
}

// Fork is a copy of a plugin under another name.
type Fork struct {
	Name      string // of the plugin, with its kind
	To        string // without the kind
	WithState bool   // it begins with the state and the position that the plugin has now
	By        Actor
	Note      string
}

// Fork runs a plugin a second time, under another name.
func (m *Manager) Fork(ctx context.Context, f Fork) (runner.Status, error) {
	p, err := m.catalog.Get(ctx, f.Name)
	if err != nil {
		return runner.Status{}, err
	}
	s := Submission{Kind: p.Kind, Name: f.To, Config: p.Config, Source: p.Source, By: f.By, Note: f.Note}
	note := fmt.Sprintf("of version %d of %s", p.Version, p.Name)
	if f.WithState {
		s.stateFrom = p.Name
		note += ", with its state"
	}
	if f.Note != "" {
		note += ": " + f.Note
	}
	return m.deploy(ctx, s, catalog.Event{What: Forked, Note: note})
}
