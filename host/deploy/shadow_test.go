package deploy_test

import (
	"errors"
	"slices"
	"testing"

	"sandbar/host/deploy"
	"sandbar/host/runner"
	"sandbar/sandbox"
)

// TestShadow: what runs in the shadow of a plugin sees what comes, publishes nothing, begins with the plugin's state or without one, and
// is promoted with its own or without; nothing is left of it then.
func TestShadow(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	ctx := t.Context()
	submit := func(s deploy.Submission) error {
		s.Kind, s.Config, s.By = cmpKind(s.Kind), "TRUE", "me"
		_, err := h.m.Deploy(ctx, s)
		return err
	}
	if err := submit(deploy.Submission{Name: "p", Source: []byte("x"), Shadow: true}); !errors.Is(err, deploy.ErrNotFound) {
		t.Errorf("the shadow of nothing: %v", err)
	}
	h.must(submit(deploy.Submission{Name: "p", Source: []byte("one")}))
	h.feed()
	h.made("one1")
	var fault *deploy.Fault
	if err := submit(deploy.Submission{Kind: sandbox.Output, Name: "p", Source: []byte("x"), Shadow: true}); !errors.As(err, &fault) || fault.Field != "kind" {
		t.Errorf("the shadow of an output: %v", err)
	}
	if err := submit(deploy.Submission{Name: "p~shadow", Source: []byte("x")}); !errors.As(err, &fault) || fault.Field != "name" {
		t.Errorf("a plugin with the name of a shadow: %v", err)
	}

	h.must(submit(deploy.Submission{Name: "p", Source: []byte("two"), Shadow: true, WithState: true}))
	h.feed()
	h.made("one2") // and nothing of the shadow
	h.shadowed("analysis.p~shadow", "two2")
	if d := h.get("analysis.p~shadow"); d.ShadowOf != "analysis.p" || d.State != runner.Running || h.get("analysis.p").ShadowOf != "" {
		t.Errorf("the shadow: %+v", d.Status)
	}
	h.must(submit(deploy.Submission{Name: "p", Source: []byte("three"), Shadow: true})) // another one in its place
	h.feed()
	h.made("one3")
	h.shadowed("analysis.p~shadow", "three3") // it goes on with what the shadow had

	if _, err := h.m.Promote(ctx, deploy.Promotion{Name: "analysis.p", Present: 9, By: "you"}); !errors.Is(err, deploy.ErrChanged) {
		t.Errorf("promoted over another version: %v", err)
	}
	if _, err := h.m.Promote(ctx, deploy.Promotion{Name: "analysis.q", By: "you"}); !errors.Is(err, deploy.ErrNoShadow) {
		t.Errorf("promoted without a shadow: %v", err)
	}
	h.feed()
	h.made("one4")
	h.shadowed("analysis.p~shadow", "three4")
	_, err := h.m.Promote(ctx, deploy.Promotion{Name: "analysis.p", Present: 1, By: "you", Note: "better"})
	h.must(err)
	h.feed()
	h.made("three5") // with the state of the plugin, which had seen as many
	if d := h.get("analysis.p"); d.Version != 2 || string(d.Source) != "three" || d.Author != "you" {
		t.Errorf("promoted: %+v", d)
	}
	if _, err := h.m.Get(ctx, "analysis.p~shadow"); !errors.Is(err, deploy.ErrNotFound) {
		t.Errorf("the shadow after it was promoted: %v", err)
	}

	// With its own state, which began later.
	h.must(submit(deploy.Submission{Name: "p", Source: []byte("four"), Shadow: true}))
	h.feed()
	h.made("three6")
	h.shadowed("analysis.p~shadow", "four1")
	_, err = h.m.Promote(ctx, deploy.Promotion{Name: "analysis.p", WithState: true, By: "you"})
	h.must(err)
	h.feed()
	h.made("four2")

	// A fork, with the state and without.
	_, err = h.m.Fork(ctx, deploy.Fork{Name: "analysis.p", To: "copy", WithState: true, By: "you"})
	h.must(err)
	_, err = h.m.Fork(ctx, deploy.Fork{Name: "analysis.p", To: "anew", By: "you"})
	h.must(err)
	if _, err := h.m.Fork(ctx, deploy.Fork{Name: "analysis.p", To: "copy"}); !errors.Is(err, deploy.ErrNameTaken) {
		t.Errorf("forked twice: %v", err)
	}
	if _, err := h.m.Fork(ctx, deploy.Fork{Name: "analysis.none", To: "x"}); !errors.Is(err, deploy.ErrNotFound) {
		t.Errorf("forked nothing: %v", err)
	}
	h.feed()
	h.await("what all three made", func() bool {
		last := h.payloads()
		last = slices.Sorted(slices.Values(last[max(0, len(last)-3):]))
		return slices.Equal(last, []string{"four1", "four3", "four3"})
	})

	// A shadow goes with its plugin.
	h.must(submit(deploy.Submission{Name: "p", Source: []byte("five"), Shadow: true}))
	h.must(h.m.Remove(ctx, "me", "analysis.p"))
	if _, err := h.m.Get(ctx, "analysis.p~shadow"); !errors.Is(err, deploy.ErrNotFound) {
		t.Errorf("the shadow of what was removed: %v", err)
	}
	events, err := h.m.Events(ctx, "", 100, 0)
	h.must(err)
	var whats []string
	for _, e := range events {
		whats = append(whats, e.What+" "+e.Plugin+" "+e.Note)
	}
	for _, want := range []string{"promote analysis.p what ran in its shadow: better", "promote analysis.p what ran in its shadow, with its state", "fork analysis.copy of version 3 of analysis.p, with its state", "shadow analysis.p~shadow ", "remove analysis.p~shadow "} {
		if !slices.Contains(whats, want) {
			t.Errorf("events have no %q: %q", want, whats)
		}
	}
	h.shut()
}

func cmpKind(k sandbox.Kind) sandbox.Kind {
	if k == "" {
		return sandbox.Analysis
	}
	return k
}

// shadowed waits for a shadow to have made a message with that payload last.
func (h *host) shadowed(name, payload string) {
	h.t.Helper()
	h.await("the message "+payload+" of the shadow", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.shadows[name] == payload
	})
}
