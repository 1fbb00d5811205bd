package deploy_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"sandbar/host/deploy"
	"sandbar/host/runner"
	"sandbar/sandbox"
)

// dear is a gate that "dear" sources do not pass.
func dear(_ context.Context, _ *sandbox.Config, source []byte) ([]string, error) {
	switch {
	case strings.HasPrefix(string(source), "dear"):
		return []string{"it is dear", "and loud"}, nil
	case string(source) == "unknown":
		return nil, errors.New("no trial can be had")
	}
	return nil, nil
}

// TestGate: what does not pass is refused, or waits for a second person, who is another than the first. Going back, shadows and forks need none.
func TestGate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir, definition(sandbox.Analysis, "shipped", "FALSE", "dear, and shipped"))
	h.gate = dear
	ctx := t.Context()
	submit := func(name, source, by string) error {
		_, err := h.m.Deploy(ctx, deploy.Submission{Kind: sandbox.Analysis, Name: name, Config: "TRUE", Source: []byte(source), Replace: true, By: deploy.Actor(by), Note: "why " + source})
		return err
	}
	h.must(submit("p", "one", "ann (10.0.0.1)"))
	var refusal *deploy.Refusal
	if err := submit("p", "dear", "ann (10.0.0.1)"); !errors.As(err, &refusal) || refusal.Proposal != "" || !slices.Equal(refusal.Why, []string{"it is dear", "and loud"}) {
		t.Errorf("refused: %v", err)
	}
	if err := submit("p", "unknown", "ann (10.0.0.1)"); err == nil || errors.As(err, &refusal) {
		t.Errorf("without a trial: %v", err)
	}
	if d := h.get("analysis.p"); d.Version != 1 || d.State != runner.Running {
		t.Errorf("after it was refused: %+v", d)
	}
	h.shut()

	h = open(t, dir)
	h.gate, h.second = dear, true
	h.reopen()
	for _, source := range []string{"dear1", "dear2"} { // the newer one waits
		if err := submit("p", source, "ann (10.0.0.1)"); !errors.As(err, &refusal) || refusal.Proposal != "analysis.p~proposed" {
			t.Fatalf("proposed: %v", err)
		}
	}
	d := h.get("analysis.p~proposed")
	if d.State != runner.Proposed || d.ProposalOf != "analysis.p" || d.Reason != "it is dear; and loud" || string(d.Source) != "dear2" || d.Author != "ann (10.0.0.1)" {
		t.Errorf("what is proposed: %+v", d)
	}
	if err := h.m.Start(ctx, "bob", "analysis.p~proposed"); !errors.Is(err, deploy.ErrForbidden) {
		t.Errorf("started: %v", err)
	}
	for by, want := range map[deploy.Actor]error{"ann (10.0.0.1)": deploy.ErrSamePerson, "ann (10.0.0.9)": deploy.ErrSamePerson, "10.0.0.1": deploy.ErrSamePerson} {
		if _, err := h.m.Approve(ctx, by, "analysis.p", 0, ""); !errors.Is(err, want) {
			t.Errorf("approved by %s: %v", by, err)
		}
	}
	if _, err := h.m.Approve(ctx, "bob (10.0.0.1)", "analysis.p", 9, ""); !errors.Is(err, deploy.ErrChanged) {
		t.Errorf("approved over another version: %v", err)
	}
	if _, err := h.m.Approve(ctx, "bob (10.0.0.1)", "analysis.none", 0, ""); !errors.Is(err, deploy.ErrNoProposal) {
		t.Errorf("approved nothing: %v", err)
	}
	if _, err := h.m.Approve(ctx, "bob (10.0.0.1)", "analysis.p", 1, "seen"); err != nil {
		t.Fatal(err)
	}
	h.feed()
	h.made("dear21")
	if d := h.get("analysis.p"); d.Version != 2 || d.Author != "ann (10.0.0.1)" || d.Note != "why dear2" {
		t.Errorf("approved: %+v", d)
	}
	if _, err := h.m.Get(ctx, "analysis.p~proposed"); !errors.Is(err, deploy.ErrNotFound) {
		t.Errorf("what was approved still waits: %v", err)
	}
	events, err := h.m.Events(ctx, "analysis.p", 1, 0)
	h.must(err)
	if e := events[0]; e.What != "approve" || e.Actor != "bob (10.0.0.1)" || e.Note != "what ann (10.0.0.1) proposed: seen" {
		t.Errorf("event: %+v", e)
	}

	// One for a plugin that there is not yet, and one that is not wanted.
	if err := submit("new", "dear", "ann (10.0.0.1)"); !errors.As(err, &refusal) {
		t.Fatal(err)
	}
	if _, err := h.m.Approve(ctx, "bob (10.0.0.2)", "analysis.new", 0, ""); err != nil {
		t.Fatal(err)
	}
	if err := submit("p", "dear3", "ann (10.0.0.1)"); !errors.As(err, &refusal) {
		t.Fatal(err)
	}
	h.must(h.m.Remove(ctx, "bob", "analysis.p~proposed"))
	if d := h.get("analysis.p"); d.Version != 2 || d.State != runner.Running {
		t.Errorf("after a proposal was removed: %+v", d)
	}

	// What needs no gate.
	h.must(submit("p", "two", "ann (10.0.0.1)"))
	_, err = h.m.GoBack(ctx, deploy.Back{Name: "analysis.p", Version: 2, By: "ann"})
	h.must(err)
	_, err = h.m.Fork(ctx, deploy.Fork{Name: "analysis.p", To: "copy", By: "ann"})
	h.must(err)
	_, err = h.m.Deploy(ctx, deploy.Submission{Kind: sandbox.Analysis, Name: "p", Config: "TRUE", Source: []byte("dear4"), Shadow: true, By: "ann"})
	h.must(err)
	if _, err := h.m.Promote(ctx, deploy.Promotion{Name: "analysis.p", By: "ann"}); !errors.As(err, &refusal) || refusal.Proposal == "" {
		t.Errorf("promoted: %v", err)
	}
	h.shut()
}
