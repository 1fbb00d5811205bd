package deploy_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"sandbar/host/deploy"
	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/sandbox"
)

// TestGoBack: an older version is submitted again as a new one, with the state that the plugin has; one that was removed comes back.
// All of it is in the history, also what fails on the way to running, but not what was refused.
func TestGoBack(t *testing.T) {
	t.Parallel()
	dir, shipped := t.TempDir(), definition(sandbox.Analysis, "shipped", "FALSE", "s")
	h := open(t, dir, shipped)
	ctx := t.Context()
	submit := func(source string, over int) error {
		_, err := h.m.Deploy(ctx, deploy.Submission{Kind: sandbox.Analysis, Name: "p", Config: "TRUE", Source: []byte(source), Replace: over > 0, Version: over, By: "me", Note: "is " + source})
		return err
	}
	h.must(submit("one", 0))
	h.feed()
	h.made("one1")
	h.must(submit("two", 1))
	if err := submit("three", 1); !errors.Is(err, deploy.ErrChanged) {
		t.Errorf("an older version was replaced: %v", err)
	}
	if err := submit("broken", 2); err == nil {
		t.Error("a broken one was taken")
	}
	back := func(b deploy.Back) error {
		b.Name, b.By = "analysis.p", "you"
		_, err := h.m.GoBack(ctx, b)
		return err
	}
	if err := back(deploy.Back{Version: 1, Present: 7}); !errors.Is(err, deploy.ErrChanged) {
		t.Errorf("rolled back another version: %v", err)
	}
	for _, n := range []int{0, 9} {
		if err := back(deploy.Back{Version: n}); !errors.Is(err, deploy.ErrNoVersion) {
			t.Errorf("rolled back to version %d: %v", n, err)
		}
	}
	h.must(back(deploy.Back{Version: 1, Present: 2, Note: "worse"}))
	h.feed()
	h.made("one2")
	if d := h.get("analysis.p"); d.Version != 3 || string(d.Source) != "one" || d.Author != "you" || d.Note != "worse" {
		t.Errorf("rolled back: %+v", d)
	}
	h.feed()
	h.made("one3")
	h.shut()
	h = open(t, dir, shipped)
	if kept, err := h.m.States(ctx, "analysis.p"); err != nil || !slices.Equal(kept, []int{1, 2}) {
		t.Errorf("states are kept of %v, %v", kept, err)
	}
	h.must(back(deploy.Back{Version: 1, Then: true})) // which had counted one
	h.feed()
	h.made("one2")
	if err := back(deploy.Back{Version: 4, Then: true}); !errors.Is(err, deploy.ErrNoState) {
		t.Errorf("back to a state that is not there: %v", err)
	}
	h.must(back(deploy.Back{Version: 2, Then: true})) // which had counted none: one, of the first
	h.feed()
	h.made("two2")
	h.must(h.m.Stop(ctx, "me", "analysis.p"))
	h.must(h.m.Start(ctx, "me", "analysis.p")) // not once more from that state
	h.feed()
	h.made("two3")
	h.must(h.m.Remove(ctx, "me", "analysis.p"))
	if s, err := h.store.State(ctx, "analysis.p"); s != nil || err != nil {
		t.Errorf("state %q is there, %v", s, err)
	}
	if all, err := h.m.Versions(ctx, "analysis.p"); err != nil || len(all) != 5 {
		t.Errorf("versions of what was removed: %v, %v", all, err)
	}
	h.must(back(deploy.Back{Version: 5, Then: true}))
	h.feed()
	h.made("two4")
	h.must(h.m.Remove(ctx, "me", "analysis.p"))
	h.must(back(deploy.Back{})) // the newest, anew
	h.feed()
	h.made("two1")
	if d := h.get("analysis.p"); d.Version != 7 || string(d.Source) != "two" || d.State != runner.Running {
		t.Errorf("restored: %+v", d)
	}
	h.m.Ended(context.Background(), &sandbox.Error{Plugin: "analysis.p", Outcome: sandbox.RuntimeError, Text: "no more"}) // it runs: not so
	if _, err := h.m.Versions(ctx, "analysis.never"); !errors.Is(err, deploy.ErrNotFound) {
		t.Errorf("versions of what never was: %v", err)
	}
	events, err := h.m.Events(ctx, "", 100, 0)
	h.must(err)
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprint(e.Actor, " ", e.What, " ", e.Plugin, " ", e.Version, " ", e.Note))
	}
	want := []string{"you restore analysis.p 7 to version 6", "me remove analysis.p 0 ", "you restore analysis.p 6 to version 5 with its state", "me remove analysis.p 0 ", "me start analysis.p 5 ",
		"me stop analysis.p 5 ", "you roll back analysis.p 5 to version 2 with its state", "you roll back analysis.p 4 to version 1 with its state", "you roll back analysis.p 3 to version 1: worse", "me replace analysis.p 2 is two",
		"me submit analysis.p 1 is one", "host ship analysis.shipped 1 "}
	if !slices.Equal(got, want) {
		t.Errorf("history %q\nwant %q", got, want)
	}
	h.shut()
}

// TestStatesAreBounded: of the last three versions, and none of what was purged; a damaged note of them is told of.
func TestStatesAreBounded(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	ctx := t.Context()
	for i := range 6 {
		h.must(h.deploy("p", "TRUE", fmt.Sprint("v", i+1, "."), i > 0))
		h.feed()
		h.made(fmt.Sprint("v", i+1, ".", i+1))
	}
	if kept, err := h.m.States(ctx, "analysis.p"); err != nil || !slices.Equal(kept, []int{3, 4, 5}) {
		t.Errorf("states are kept of %v, %v", kept, err)
	}
	_, err := h.m.GoBack(ctx, deploy.Back{Name: "analysis.p", Version: 3, Then: true}) // the oldest, which is given up for the present one
	h.must(err)
	h.feed()
	h.made("v3.4")
	h.must(h.m.Remove(ctx, "me", "analysis.p"))
	if kept, err := h.m.States(ctx, "analysis.p"); err != nil || !slices.Equal(kept, []int{5, 6, 7}) {
		t.Errorf("states are kept of %v, %v", kept, err)
	}
	h.must(h.run.Purge(ctx, []string{"analysis.p", "analysis.never"}))
	if kept, err := h.m.States(ctx, "analysis.p"); err != nil || len(kept) != 0 {
		t.Errorf("after all was purged states are kept of %v, %v", kept, err)
	}
	for n := range 8 {
		if s, err := h.store.State(ctx, fmt.Sprintf("kept.%d.analysis.p", n)); s != nil || err != nil {
			t.Errorf("version %d: state %q, %v", n, s, err)
		}
	}
	h.must(h.store.Commit(ctx, &stream.Commit{States: map[string][]byte{"versions.analysis.p": []byte("no JSON")}}))
	if err := h.deploy("p", "TRUE", "new", false); err == nil {
		t.Error("a damaged note of states was not told of")
	}
	h.shut()
}

// TestMay: one place is asked about whatever people change, with what it is; who may not changes nothing. The host is not asked.
func TestMay(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	defer h.shut()
	no := errors.New("it is not theirs")
	var asked []string
	allowed := true
	h.may = func(by deploy.Actor, what, name string) error {
		asked = append(asked, fmt.Sprintf("%s: %s %s", by, what, name))
		if !allowed {
			return no
		}
		return nil
	}
	ann := deploy.Actor("ann (10.0.0.7)")
	submit := func(replace bool) error {
		_, err := h.m.Deploy(t.Context(), deploy.Submission{Kind: sandbox.Analysis, Name: "p", Config: "TRUE", Source: []byte("p"), Replace: replace, By: ann})
		return err
	}
	back := func() error {
		_, err := h.m.GoBack(t.Context(), deploy.Back{Name: "analysis.p", Version: 1, By: ann})
		return err
	}
	steps := []struct {
		what string
		do   func() error
	}{
		{deploy.Submitted, func() error { return submit(false) }},
		{deploy.Replaced, func() error { return submit(true) }},
		{deploy.Stopped, func() error { return h.m.Stop(t.Context(), ann, "analysis.p") }},
		{deploy.Started, func() error { return h.m.Start(t.Context(), ann, "analysis.p") }},
		{deploy.RolledBack, back},
		{deploy.Removed, func() error { return h.m.Remove(t.Context(), ann, "analysis.p") }},
		{deploy.Restored, back},
	}
	for _, s := range steps {
		asked = nil
		allowed = false
		before, _ := h.m.Events(t.Context(), "", 100, 0)
		if err := s.do(); !errors.Is(err, deploy.ErrForbidden) || !errors.Is(err, no) {
			t.Errorf("%s by who may not: %v", s.what, err)
		}
		if after, _ := h.m.Events(t.Context(), "", 100, 0); len(after) != len(before) {
			t.Errorf("%s by who may not is noted: %+v", s.what, after)
		}
		allowed = true
		if err := s.do(); err != nil {
			t.Errorf("%s: %v", s.what, err)
		}
		if want := fmt.Sprintf("ann (10.0.0.7): %s analysis.p", s.what); len(asked) != 2 || asked[0] != want || asked[1] != want {
			t.Errorf("asked %q, want %q twice", asked, want)
		}
	}
	asked = nil
	h.m.Ended(t.Context(), &sandbox.Error{Plugin: "analysis.p", Outcome: sandbox.RuntimeError, Text: "x"})
	if len(asked) != 0 {
		t.Errorf("the host was asked: %q", asked)
	}
}
