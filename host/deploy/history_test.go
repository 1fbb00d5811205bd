package deploy_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"sandbar/host/deploy"
	"sandbar/host/runner"
	"sandbar/sandbox"
)

// TestGoBack: an older version is submitted again as a new one, with the state that the plugin has; one that was removed comes back.
// All of it is in the history, also what fails on the way to running, but not what was refused.
func TestGoBack(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), definition(sandbox.Analysis, "shipped", "TRUE", "s"))
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
	h.must(h.m.Remove(ctx, "me", "analysis.p"))
	if all, err := h.m.Versions(ctx, "analysis.p"); err != nil || len(all) != 3 {
		t.Errorf("versions of what was removed: %v, %v", all, err)
	}
	h.must(back(deploy.Back{})) // the newest
	if d := h.get("analysis.p"); d.Version != 4 || string(d.Source) != "one" || d.State != runner.Running {
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
	want := []string{"you restore analysis.p 4 to version 3", "me remove analysis.p 0 ", "you roll back analysis.p 3 to version 1: worse", "me replace analysis.p 2 is two",
		"me submit analysis.p 1 is one", "host ship analysis.shipped 1 "}
	if !slices.Equal(got, want) {
		t.Errorf("history %q\nwant %q", got, want)
	}
	h.shut()
}
