package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sandbar/host/catalog"
	"sandbar/host/runner"
)

// Actor is who does something, as far as that is known: a name that people give themselves, and the address they come from.
type Actor string

// Host is the host itself.
const Host Actor = "host"

// What is done about plugins, as events have it.
const (
	Submitted   = "submit"
	Replaced    = "replace"
	RolledBack  = "roll back"
	Restored    = "restore"
	Started     = "start"
	Stopped     = "stop"
	Removed     = "remove"
	Shipped     = "ship" // the host came with it, or with a newer version
	Ended       = "end"  // by itself
	Quarantined = "quarantine"
	Shadowed    = "shadow"
	Proposed    = "propose"
	Approved    = "approve"
	Promoted    = "promote"
	Forked      = "fork"
	TakenBack   = "take back" // a version that could not be started although it could be loaded
)

// ErrForbidden says that an actor may not do something.
var ErrForbidden = errors.New("not allowed")

// permit asks whether an actor may do something. The host itself may.
func (m *Manager) permit(by, what, name string) error {
	if Actor(by) == Host {
		return nil
	}
	if err := m.may(Actor(by), what, name); err != nil {
		return fmt.Errorf("%w: %s may not %s %s: %w", ErrForbidden, cmp.Or(by, "somebody without a name"), what, name, err)
	}
	return nil
}

func (m *Manager) event(by Actor, what string) catalog.Event {
	return catalog.Event{At: m.now(), Actor: string(by), What: what}
}

// Events are the newest n things that were done before event number older, 0 for the very newest, about one plugin or all when the name is
// empty; the newest first.
func (m *Manager) Events(ctx context.Context, name string, n int, older int64) ([]catalog.Event, error) {
	return m.catalog.Events(ctx, name, n, older)
}

// Versions are those of a plugin that are kept, the newest first, without their sources; also of one that was removed. None is
// ErrNotFound.
func (m *Manager) Versions(ctx context.Context, name string) ([]catalog.Version, error) {
	all, err := m.catalog.Versions(ctx, name)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	return all, err
}

// newest is the highest number of versions, 0 when there are none.
func newest(versions []catalog.Version) int {
	if len(versions) == 0 {
		return 0
	}
	return versions[0].N
}

// Version is one of them with its source.
func (m *Manager) Version(ctx context.Context, name string, n int) (catalog.Version, error) {
	return m.catalog.Version(ctx, name, n)
}

// Back is a version to go back to.
type Back struct {
	Name    string // of the plugin, with its kind
	Version int    // whose config and source are wanted; 0: the newest, of a plugin that was removed
	Present int    // the version that is to be replaced, and no other; 0: any
	// Then says that it begins with the state that Version had at its end, not with the one that there is.
	Then bool
	By   Actor
	Note string
}

// ErrNoState says that the state which a version had at its end is not kept any more.
var ErrNoState = errors.New("the state that this version had at its end is not kept")

// States are the versions of a plugin whose state at their end is kept on this host.
func (m *Manager) States(ctx context.Context, name string) ([]int, error) {
	return m.runner.States(ctx, name)
}

// GoBack submits an older version again, as a new one. A plugin that was removed is restored by it.
func (m *Manager) GoBack(ctx context.Context, b Back) (runner.Status, error) {
	what := RolledBack
	_, err := m.catalog.Get(ctx, b.Name)
	switch {
	case errors.Is(err, catalog.ErrNotFound):
		what = Restored
		if b.Version == 0 {
			all, err := m.Versions(ctx, b.Name)
			if err != nil {
				return runner.Status{}, err
			}
			b.Version = all[0].N
		}
	case err != nil:
		return runner.Status{}, err
	}
	v, err := m.catalog.Version(ctx, b.Name, b.Version)
	if err != nil {
		return runner.Status{}, err
	}
	to, stateOf := fmt.Sprintf("to version %d", b.Version), 0
	if b.Then {
		kept, err := m.runner.States(ctx, b.Name)
		if err == nil && !slices.Contains(kept, b.Version) {
			err = fmt.Errorf("%w: version %d of %s", ErrNoState, b.Version, b.Name)
		}
		if err != nil {
			return runner.Status{}, err
		}
		to, stateOf = to+" with its state", b.Version
	}
	if b.Note != "" {
		to += ": " + b.Note
	}
	return m.deploy(ctx, Submission{Kind: v.Kind, Name: strings.TrimPrefix(v.Plugin, string(v.Kind)+"."), Config: v.Config, Source: v.Source, Replace: what == RolledBack,
		Version: b.Present, By: b.By, Note: b.Note, stateOf: stateOf}, catalog.Event{What: what, Note: to})
}
