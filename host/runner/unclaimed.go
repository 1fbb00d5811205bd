package runner

import (
	"sync/atomic"

	"sandbar/host/stream"
	"sandbar/sandbox"
	"sandbar/sandbox/matcher"
	"sandbar/sandbox/message"
)

// claim is what one decoder wants, running or not, of the submissions that end after from.
type claim struct {
	matcher *matcher.Matcher
	from    stream.Position
}

// claims are those of every decoder that is known.
type claims struct {
	all atomic.Pointer[[]claim]
}

func (c *claims) set(all []claim) { c.all.Store(&all) }

// none says that no decoder wants or wanted the submission that ends there.
func (c *claims) none(v *message.View, end stream.Position) bool {
	for _, one := range *c.all.Load() {
		if one.from.Before(end) && one.matcher.Match(v) {
			return false
		}
	}
	return true
}

// Hold keeps submissions for a decoder that does not run: they wait for it instead of going to stream errors.
func (r *Runner) Hold(cfg *sandbox.Config) error {
	m, err := parseMatcher(cfg)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.plugins[cfg.Logger()] == nil {
		r.held[cfg.Logger()] = claim{matcher: m}
		r.knowDecoders()
	}
	return nil
}

// knowDecoders is called with mu held when decoders came or went.
func (r *Runner) knowDecoders() {
	var all []claim
	for _, e := range r.plugins {
		if e.status.Kind == sandbox.Decoder {
			all = append(all, claim{e.worker.matcher, e.worker.from})
		}
	}
	for _, c := range r.held {
		all = append(all, c)
	}
	r.claims.set(all)
}

// addUnclaimed makes the task that puts what no decoder wants on stream errors. It is called with mu held.
func (r *Runner) addUnclaimed() error {
	cfg := &sandbox.Config{Name: "unclaimed", Kind: sandbox.Decoder, Matcher: "TRUE"}
	load := func(_ *sandbox.Config, _ []byte, env sandbox.Env) (sandbox.Plugin, error) {
		return unclaimed{emit: env.Emit}, nil
	}
	task, err := NewTask(load, cfg, nil, sandbox.Env{Now: r.opt.Now}, nil)
	if err != nil {
		return err
	}
	w, err := r.newWorker("host.unclaimed", cfg, Oldest, newLogRing())
	if err != nil {
		return err
	}
	w.matcher, w.wants = nil, r.claims.none
	w.work = r.watch.add(w.name)
	w.setTask(task)
	r.unclaimed = w
	return nil
}

// unclaimed is the plugin, in Go, for submissions that no decoder wants.
type unclaimed struct{ emit func([]byte) error }

func (u unclaimed) Process(v *message.View) sandbox.Result {
	errorType, why := "skipped", "no decoder's message_matcher wants this submission"
	if typ, _ := v.Header(message.Type); string(typ) == message.TypeForeign {
		errorType, why = message.TypeForeign, "a record of stream raw holds no message"
		if f, ok := v.Field(message.FieldError, 0); ok {
			text, _ := f.Bytes(0)
			why += ": " + string(text)
		}
	}
	u.emit(undecoded(v, errorType, why))
	return sandbox.Result{}
}

func (unclaimed) Timer(int64, bool) sandbox.Result { return sandbox.Result{} }
func (unclaimed) Snapshot() ([]byte, error)        { return nil, nil }
func (unclaimed) Restore([]byte) error             { return nil }
func (unclaimed) Interrupt()                       {}
func (unclaimed) Memory() int64                    { return 0 }
func (unclaimed) Close() error                     { return nil }
