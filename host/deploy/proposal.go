package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sandbar/host/catalog"
	"sandbar/host/runner"
	"sandbar/sandbox"
)

// What does not pass the gate may wait for a second person: as a plugin of its own name in the catalog, which never runs.

// Refusal says why a submission did not pass the gate of the host.
type Refusal struct {
	Why      []string
	Proposal string // under which it waits for a second person; "" when it does not
}

func (r *Refusal) Error() string {
	text := "it does not pass this host's gate: " + strings.Join(r.Why, "; ")
	if r.Proposal != "" {
		text += "; it waits for a second person to approve it"
	}
	return text
}

var (
	// ErrNoProposal says that nothing waits for a plugin.
	ErrNoProposal = errors.New("nothing is proposed for this plugin")
	// ErrSamePerson says that who proposed something cannot approve it.
	ErrSamePerson = errors.New("who proposed it cannot approve it; a second person has to")
)

// judge tries a submission where the host wants that, and says why it should not run. Nothing is taken meanwhile: a trial lasts.
func (m *Manager) judge(ctx context.Context, cfg *sandbox.Config, s *Submission, what string) (why []string, err error) {
	if m.gate == nil || s.approved || s.Shadow || s.By == Host || what != "" && what != Promoted {
		return nil, nil
	}
	return m.gate(ctx, cfg, s.Source)
}

// refuse is a Refusal, of what waits for a second person where the host wants that.
func (m *Manager) refuse(ctx context.Context, by Actor, p catalog.Plugin, why []string) error {
	refusal := &Refusal{Why: why}
	if !m.second {
		return refusal
	}
	refusal.Proposal = sandbox.ProposalOf(p.Name)
	p.Name, p.Run, p.Reason, p.StateOf, p.StateFrom = refusal.Proposal, false, strings.Join(why, "; "), 0, ""
	event := m.event(by, Proposed)
	event.Note = p.Note
	err := m.journal.Decide(ctx, func() (catalog.Decision, error) { return catalog.Decision{Put: &p, Event: event}, nil })
	if err != nil {
		return err
	}
	return refusal
}

// Approve deploys what is proposed for a plugin; present is the version that is to be replaced, and no other, 0 for any. Somebody else has
// to do it than who proposed it, as far as names and addresses tell.
func (m *Manager) Approve(ctx context.Context, by Actor, name string, present int, note string) (runner.Status, error) {
	p, err := m.catalog.Get(ctx, sandbox.ProposalOf(name))
	if errors.Is(err, catalog.ErrNotFound) {
		err = fmt.Errorf("%w: %s", ErrNoProposal, name)
	}
	if err != nil {
		return runner.Status{}, err
	}
	if samePerson(p.Author, string(by)) {
		return runner.Status{}, fmt.Errorf("%w: %s", ErrSamePerson, p.Author)
	}
	s := Submission{Kind: p.Kind, Name: strings.TrimPrefix(name, string(p.Kind)+"."), Config: p.Config, Source: p.Source, Replace: true, Version: present, By: Actor(p.Author), Note: p.Note, approved: true}
	event := catalog.Event{What: Approved, Note: fmt.Sprintf("what %s proposed", p.Author)}
	if note != "" {
		event.Note += ": " + note
	}
	st, err := m.deployAs(ctx, s, event, by)
	if err != nil {
		return st, err
	}
	return st, m.remove(ctx, by, p.Name)
}

// samePerson compares the names that two give themselves, or where one gives none the addresses.
func samePerson(a, b string) bool {
	nameA, addrA := person(a)
	nameB, addrB := person(b)
	if nameA != "" && nameB != "" {
		return nameA == nameB
	}
	return addrA == addrB
}

// person splits "name (address)" or "address".
func person(actor string) (name, addr string) {
	if i := strings.LastIndex(actor, " ("); i >= 0 && strings.HasSuffix(actor, ")") {
		return actor[:i], actor[i+2 : len(actor)-1]
	}
	return "", actor
}
