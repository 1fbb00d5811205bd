package deploy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sandbar/host/catalog"
	"sandbar/host/clock"
	"sandbar/host/deploy"
	"sandbar/host/runner"
	"sandbar/host/stream"
	"sandbar/host/stream/disk"
	"sandbar/plugins"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// written is a plugin whose source is one word: what it does with a message.
type written struct {
	source string
	env    sandbox.Env
	count  byte
}

func (w *written) Process(v *message.View) sandbox.Result {
	if w.source == "dies" {
		return sandbox.Result{Outcome: sandbox.RuntimeError, Line: 5, Text: "as written"}
	}
	w.count++
	var b message.Builder
	b.SetUUID(make([]byte, 16))
	b.SetTimestamp(1)
	b.SetHeader(message.Type, "made")
	b.SetHeader(message.Payload, fmt.Sprint(w.source, w.count))
	w.env.Emit(b.AppendTo(nil))
	return sandbox.Result{}
}
func (w *written) Timer(int64, bool) sandbox.Result { return sandbox.Result{} }
func (w *written) Snapshot() ([]byte, error)        { return []byte{w.count}, nil }
func (w *written) Restore(b []byte) error           { w.count = b[0]; return nil }
func (*written) Interrupt()                         {}

func (w *written) Memory() int64 { return 1 }
func (w *written) Close() error  { return nil }

// parse takes the config as the message_matcher.
func parse(kind sandbox.Kind, name string, src []byte) (*sandbox.Config, error) {
	if string(src) == "broken" {
		return nil, &sandbox.Error{Plugin: name, Outcome: sandbox.LoadError, Line: 1, Text: "broken config"}
	}
	return sandbox.NewConfig(kind, name, sandbox.Table{"message_matcher": string(src), "preserve_data": true})
}

type host struct {
	t       *testing.T
	store   *disk.Store
	run     *runner.Runner
	catalog *catalog.Catalog
	m       *deploy.Manager
	removed []string
	mu      sync.Mutex
	shadows map[string]string // by name: the payload of the newest message
	may     func(by deploy.Actor, what, name string) error
	gate    func(ctx context.Context, cfg *sandbox.Config, source []byte) ([]string, error)
	second  bool
	options func(second bool) deploy.Options
}

// reopen makes a manager anew, for h.second.
func (h *host) reopen() { h.m = deploy.New(h.options(h.second)) }

// open starts a host as cmd does; shut ends it.
func open(t *testing.T, dir string, defs ...plugins.Definition) *host {
	t.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	h := &host{t: t, shadows: map[string]string{}}
	var err error
	if h.store, err = disk.Open(filepath.Join(dir, "streams"), disk.Options{Now: clock.Now, Logger: quiet}); err != nil {
		t.Fatal(err)
	}
	if h.catalog, err = catalog.Open(filepath.Join(dir, "catalog.db")); err != nil {
		t.Fatal(err)
	}
	h.run = runner.New(runner.Options{Store: h.store, Interval: 2 * time.Millisecond, Now: clock.Now, Log: quiet,
		Load: func(cfg *sandbox.Config, src []byte, env sandbox.Env) (sandbox.Plugin, error) {
			if string(src) == "broken" {
				return nil, &sandbox.Error{Plugin: cfg.Logger(), Outcome: sandbox.LoadError, Line: 2, Text: "broken source"}
			}
			return &written{source: string(src), env: env}, nil
		},
		Shadow: func(name string, msgs [][]byte) {
			h.mu.Lock()
			defer h.mu.Unlock()
			for _, msg := range msgs {
				var v message.View
				if v.Parse(msg) == nil {
					p, _ := v.Header(message.Payload)
					h.shadows[name] = string(p)
				}
			}
		},
		Env:   func(*sandbox.Config) sandbox.Env { return sandbox.Env{Now: clock.Now} },
		OnEnd: func(err *sandbox.Error) { h.m.Ended(context.Background(), err) }})
	h.options = func(second bool) deploy.Options {
		return deploy.Options{Second: second, Gate: func(ctx context.Context, cfg *sandbox.Config, source []byte) ([]string, error) {
			if h.gate == nil {
				return nil, nil
			}
			return h.gate(ctx, cfg, source)
		}, Catalog: h.catalog, Journal: deploy.Own(h.catalog), Runner: h.run, Parse: parse, Now: clock.Now, Log: quiet,
			Removed: func(name string) { h.removed = append(h.removed, name) },
			May: func(by deploy.Actor, what, name string) error {
				if h.may == nil {
					return nil
				}
				return h.may(by, what, name)
			}}
	}
	h.reopen()
	if err := errors.Join(h.m.Seed(t.Context(), defs), h.m.Come(t.Context(), h.run, false, h.run.Begin)); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *host) shut() {
	h.t.Helper()
	if err := errors.Join(h.run.Close(), h.store.Close(), h.catalog.Close()); err != nil {
		h.t.Error(err)
	}
}

func (h *host) deploy(name, config, source string, replace bool) error {
	_, err := h.m.Deploy(h.t.Context(), deploy.Submission{Kind: sandbox.Analysis, Name: name, Config: config, Source: []byte(source), Replace: replace})
	return err
}

func (h *host) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) get(name string) deploy.Detail {
	h.t.Helper()
	d, err := h.m.Get(h.t.Context(), name)
	h.must(err)
	return d
}

func (h *host) feed() {
	h.t.Helper()
	var b message.Builder
	b.SetUUID(make([]byte, 16))
	b.SetTimestamp(1)
	b.SetHeader(message.Type, "x")
	h.must(h.store.Commit(h.t.Context(), &stream.Commit{Appends: map[string][][]byte{stream.Valid: {b.AppendTo(nil)}}}))
}

// made waits for a message with that payload to be the newest on derived.
func (h *host) made(payload string) {
	h.t.Helper()
	h.await("the message "+payload, func() bool {
		all := h.payloads()
		return len(all) > 0 && all[len(all)-1] == payload
	})
}

// payloads are those on derived.
func (h *host) payloads() (all []string) {
	h.t.Helper()
	r, err := h.store.Log(stream.Derived).NewReader(stream.Position{})
	h.must(err)
	defer r.Close()
	var b stream.Batch
	for r.Read(&b, 1<<20) == nil {
		for _, msg := range b.Messages {
			var v message.View
			h.must(v.Parse(msg))
			p, _ := v.Header(message.Payload)
			all = append(all, string(p))
		}
	}
	return all
}

func (h *host) await(what string, cond func() bool) {
	h.t.Helper()
	timeout := time.NewTimer(20 * time.Second)
	defer timeout.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-timeout.C:
			h.t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

func definition(kind sandbox.Kind, name, config, source string) plugins.Definition {
	return plugins.Definition{Kind: kind, Name: name, Config: []byte(config), Source: []byte(source)}
}

func TestDeployReplaceStopStartRemove(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir)
	ctx := t.Context()
	h.must(h.deploy("p", "TRUE", "one", false))
	h.feed()
	h.made("one1")
	if err := h.deploy("p", "TRUE", "two", false); !errors.Is(err, deploy.ErrNameTaken) {
		t.Errorf("the name is taken: %v", err)
	}
	h.must(h.deploy("p", "TRUE", "two", true))
	h.feed()
	h.made("two2")
	if d := h.get("analysis.p"); d.State != runner.Running || string(d.Source) != "two" || d.Config != "TRUE" || d.Matcher != "TRUE" || d.Shipped {
		t.Errorf("replaced: %+v", d)
	}

	h.must(h.m.Stop(ctx, "me", "analysis.p"))
	h.shut()
	h = open(t, dir)
	if d := h.get("analysis.p"); d.State != runner.StoppedBy || d.Matcher != "TRUE" || d.Limits != sandbox.DefaultLimits() {
		t.Errorf("stopped, after a restart: %+v", d.Status)
	}
	h.feed() // nobody sees this one
	h.must(h.m.Start(ctx, "me", "analysis.p"))
	h.must(h.m.Start(ctx, "me", "analysis.p"))
	h.feed()
	h.made("two3")
	h.shut()
	h = open(t, dir)
	h.feed()
	h.made("two4")

	h.must(h.m.Remove(ctx, "me", "analysis.p"))
	for what, err := range map[string]error{"get": func() error { _, err := h.m.Get(ctx, "analysis.p"); return err }(), "stop": h.m.Stop(ctx, "me", "analysis.p"),
		"start": h.m.Start(ctx, "me", "analysis.p"), "remove": h.m.Remove(ctx, "me", "analysis.p")} {
		if !errors.Is(err, deploy.ErrNotFound) {
			t.Errorf("%s of a plugin that was removed: %v", what, err)
		}
	}
	if s, _ := h.store.State(t.Context(), "analysis.p"); s != nil || len(h.removed) != 1 {
		t.Errorf("state %q is left; views heard of %v", s, h.removed)
	}
	if list, err := h.m.List(ctx); err != nil || len(list) != 0 {
		t.Errorf("list: %v, %v", list, err)
	}
	h.must(h.deploy("p", "TRUE", "new", false))
	h.feed()
	h.made("new1")
	h.shut()
}

func TestWhatCannotBeLoadedChangesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir)
	h.must(h.deploy("p", "TRUE", "good", false))
	h.feed()
	h.made("good1")
	before := h.get("analysis.p")
	for name, s := range map[string][2]string{"source": {"TRUE", "broken"}, "config": {"broken", "good"}, "matcher": {"Type ==", "good"}} {
		var fault *sandbox.Error
		if err := h.deploy("p", s[0], s[1], true); !errors.As(err, &fault) || fault.Outcome != sandbox.LoadError {
			t.Errorf("broken %s: %v", name, err)
		}
		if err := h.deploy("q", s[0], s[1], false); !errors.As(err, &fault) {
			t.Errorf("broken %s of a new plugin: %v", name, err)
		}
	}
	for name, s := range map[string]deploy.Submission{
		"kind": {Kind: "input", Name: "p"}, "name": {Kind: sandbox.Analysis, Name: "../p"}, "no name": {Kind: sandbox.Analysis},
		"size": {Kind: sandbox.Analysis, Name: "p", Config: "TRUE", Source: []byte(strings.Repeat("x", plugins.MaxSource("")+1)), Replace: true},
	} {
		if _, err := h.m.Deploy(t.Context(), s); err == nil {
			t.Errorf("%s: deployed", name)
		}
	}
	after := h.get("analysis.p")
	if after.Since != before.Since || string(after.Source) != string(before.Source) || after.State != runner.Running {
		t.Errorf("before %+v\nafter  %+v", before, after)
	}
	h.feed()
	h.made("good2")
	if _, err := h.m.Get(t.Context(), "analysis.q"); !errors.Is(err, deploy.ErrNotFound) {
		t.Errorf("a plugin that was not deployed: %v", err)
	}
	h.shut()
}

func TestEndedStaysEnded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir)
	h.must(h.deploy("p", "TRUE", "dies", false))
	h.feed()
	ended := func(d deploy.Detail) bool {
		return d.State == runner.Terminated && d.Outcome == "runtime_error" && d.Reason == "as written" && d.Line == 5
	}
	h.await("its end", func() bool { return ended(h.get("analysis.p")) })
	h.await("the catalog to know", func() bool { p, err := h.catalog.Get(t.Context(), "analysis.p"); return err == nil && !p.Run })
	for range 2 {
		h.shut()
		h = open(t, dir)
		if d := h.get("analysis.p"); !ended(d) {
			t.Errorf("after a restart: %+v", d.Status)
		}
	}
	h.must(h.m.Start(t.Context(), "me", "analysis.p"))
	h.feed()
	h.await("its end again", func() bool { return ended(h.get("analysis.p")) })
	h.must(h.deploy("p", "TRUE", "better", true)) // at once: the catalog may not know of the end yet
	h.feed()
	h.made("better1")
	h.shut()
	h = open(t, dir)
	if d := h.get("analysis.p"); d.State != runner.Running || string(d.Source) != "better" || d.Outcome != "" {
		t.Errorf("after a better version: %+v", d)
	}
	h.shut()
}

// An end that is told late must not stop, or bring back, what came after.
func TestEndToldLate(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	fault := &sandbox.Error{Plugin: "analysis.p", Outcome: sandbox.RuntimeError, Text: "old"}
	h.must(h.deploy("p", "TRUE", "new", false))
	h.m.Ended(t.Context(), fault)
	if p, err := h.catalog.Get(t.Context(), "analysis.p"); err != nil || !p.Run || p.Outcome != "" {
		t.Errorf("the new version is noted as ended: %+v, %v", p, err)
	}
	h.must(h.m.Remove(t.Context(), "me", "analysis.p"))
	h.m.Ended(t.Context(), fault)
	if _, err := h.catalog.Get(t.Context(), "analysis.p"); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("a removed plugin came back: %v", err)
	}
	h.shut()
}

func TestSeed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := []plugins.Definition{definition(sandbox.Analysis, "kept", "TRUE", "a"), definition(sandbox.Analysis, "changed", "TRUE", "a"),
		definition(sandbox.Analysis, "removed", "TRUE", "a"), definition(sandbox.Analysis, "stopped", "TRUE", "a"), definition(sandbox.Analysis, "broken", "TRUE", "broken")}
	h := open(t, dir, first...)
	if d := h.get("analysis.kept"); !d.Shipped || d.State != runner.Running {
		t.Errorf("shipped: %+v", d)
	}
	if d := h.get("analysis.broken"); d.State != runner.Failed || d.Reason != "broken source" || d.Line != 2 {
		t.Errorf("shipped and broken: %+v", d.Status)
	}
	h.must(h.deploy("changed", "TRUE", "mine", true))
	h.must(h.m.Remove(t.Context(), "me", "analysis.removed"))
	h.must(h.m.Stop(t.Context(), "me", "analysis.stopped"))
	h.shut()
	var second []plugins.Definition
	for _, d := range first {
		second = append(second, definition(d.Kind, d.Name, "TRUE", "b"))
	}
	h = open(t, dir, append(second, definition(sandbox.Analysis, "added", "TRUE", "b"))...)
	list, err := h.m.List(t.Context())
	h.must(err)
	got := ""
	for _, s := range list {
		got += fmt.Sprintf("%s %s %s %v\n", s.Name, h.get(s.Name).Source, s.State, s.Shipped)
	}
	if want := "analysis.added b running true\nanalysis.broken b running true\nanalysis.changed mine running false\nanalysis.kept b running true\nanalysis.stopped b stopped true\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	h.shut()
}

// Submissions wait for a decoder that is stopped or broken, also over a restart.
func TestSubmissionsWaitForTheirDecoder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir, definition(sandbox.Decoder, "d", "TRUE", "broken"))
	raw := func() {
		var b message.Builder
		b.SetUUID(make([]byte, 16))
		b.SetTimestamp(1)
		b.SetHeader(message.Type, "raw")
		_, err := h.store.Log(stream.Raw).Append(t.Context(), b.AppendTo(nil))
		h.must(err)
	}
	raw()
	h.shut()
	h = open(t, dir, definition(sandbox.Decoder, "d", "TRUE", "good"))
	h.await("the decoder", func() bool { return h.store.Log(stream.Valid).Stats().Messages == 1 })
	h.must(h.m.Stop(t.Context(), "me", "decoder.d"))
	h.shut()
	h = open(t, dir, definition(sandbox.Decoder, "d", "TRUE", "good"))
	raw()
	h.must(h.m.Start(t.Context(), "me", "decoder.d"))
	h.await("the decoder again", func() bool { return h.store.Log(stream.Valid).Stats().Messages == 1 })
	if e := h.store.Log(stream.Errors); e.End() != e.First() {
		t.Error("a submission went to the errors although its decoder is known")
	}
	h.shut()
}
