package try

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"sandbar/host/alert"
	"sandbar/host/lake"
	"sandbar/host/runner"
	"sandbar/host/series"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// What is kept of a trial at most, of each version.
const (
	maxMessages = 50
	maxAlerts   = 100
	maxPrints   = 200
	maxLine     = 1 << 10
	maxFailures = 20
	maxTypes    = 50
	maxFiles    = 200
	maxPayloads = 4 << 20 // bytes
)

// shown is how much of a message is kept for people.
func shown() message.JSON { return message.JSON{MaxText: 2 << 10, MaxBytes: 16 << 10} }

// probe is a plugin in a trial: it stands between the task and the engine, gives way to others between two calls, and notes what each
// call did. Its clock is that of the messages.
type probe struct {
	sandbox.Plugin
	ctx  context.Context
	pace *pace
	now  func() time.Time
	stop func() bool // no interrupt comes any more

	at    int64     // the newest time of the messages, nanoseconds
	began time.Time // the call

	step    int64 // the call to look into; 0 for none
	trace   *sandbox.Trace
	looking Step
	looked  *Step // when it is done

	calls, matched, timers, failed int64
	measured                       int64 // calls when the memory was counted last
	memory                         int64 // the largest count
	fuel, nanos                    histogram

	made, madeBytes, largest int64
	types                    map[string]int64
	messages                 []kept // a ring
	alerts                   []Alert
	alerted                  int64
	payloads                 *series.Payloads
	prints                   []Print // a ring
	printed                  int64
	failures                 []Failure
	ended                    *End
	files                    []File
}

// kept is a message that was made, or when it is large what is shown of it, as JSON.
type kept struct {
	call int64
	raw  []byte
	json bool
}

// newTask loads a plugin with a probe before its engine. from is the time of its first message.
func (t *Trials) newTask(ctx context.Context, p *pace, cfg *sandbox.Config, source []byte, from time.Time) (*runner.Task, *probe, error) {
	pr := &probe{ctx: ctx, pace: p, now: t.opt.Now, at: from.UnixNano(), began: t.opt.Now(), types: map[string]int64{}, payloads: series.NewPayloads(maxPayloads)}
	env := t.opt.Env(cfg)
	env.Log = pr.print
	if cfg.Kind == sandbox.Output {
		env.Lake = pr
	}
	load := func(cfg *sandbox.Config, source []byte, env sandbox.Env) (sandbox.Plugin, error) {
		emit := env.Emit
		env.Emit = func(msg []byte) error {
			pr.emitted(msg)
			return emit(msg)
		}
		env.Now = pr.clock
		plugin, err := t.opt.Load(cfg, source, env)
		if err != nil {
			return nil, err
		}
		pr.Plugin = plugin
		if b, ok := plugin.(sandbox.Batcher); ok {
			return &batchProbe{pr, b}, nil
		}
		return pr, nil
	}
	env.Now = t.opt.Now // of the task, which takes the time
	task, err := runner.NewTask(load, cfg, source, env, nil)
	return task, pr, err
}

// clock is the time of the messages; while a call lasts it goes on.
func (p *probe) clock() time.Time { return time.Unix(0, p.at).Add(p.now().Sub(p.began)) }

// begin waits until a call may be made.
func (p *probe) begin(ns int64) bool {
	if p.pace.step(p.ctx) != nil {
		return false
	}
	p.at = max(p.at, ns)
	p.calls++
	if p.calls == p.step {
		p.look()
	}
	p.began = p.now()
	return true
}

func stopped() sandbox.Result {
	return sandbox.Result{Outcome: sandbox.Stopped, Text: "the trial was ended"}
}

// Process implements sandbox.Plugin.
func (p *probe) Process(m *message.View) sandbox.Result {
	if p.looked != nil || !p.begin(m.Timestamp()) {
		return stopped()
	}
	res := p.Plugin.Process(m)
	p.matched++
	p.end(res, m)
	return res
}

// Timer implements sandbox.Plugin.
func (p *probe) Timer(ns int64, shutdown bool) sandbox.Result {
	if p.looked != nil || !p.begin(ns) {
		return stopped()
	}
	res := p.Plugin.Timer(ns, shutdown)
	if shutdown && res.Fuel == 0 && res.Outcome == sandbox.OK { // it has no timer_event
		p.calls--
		return res
	}
	p.timers++
	p.end(res, nil)
	return res
}

// Lint implements sandbox.Linter.
func (p *probe) Lint(source []byte) []sandbox.Finding {
	if l, ok := p.Plugin.(sandbox.Linter); ok {
		return l.Lint(source)
	}
	return nil
}

// batchProbe is a probe of a plugin that takes several messages in a call.
type batchProbe struct {
	*probe
	inner sandbox.Batcher
}

// ProcessBatch implements sandbox.Batcher.
func (p *batchProbe) ProcessBatch(ms []*message.View) sandbox.Result {
	if p.looked != nil || !p.begin(ms[len(ms)-1].Timestamp()) {
		return stopped()
	}
	res := p.inner.ProcessBatch(ms)
	p.matched += int64(len(ms))
	p.end(res, ms[0])
	return res
}

// end notes how a call went.
func (p *probe) end(res sandbox.Result, m *message.View) {
	p.nanos.add(int64(p.now().Sub(p.began)))
	p.fuel.add(res.Fuel)
	if p.trace != nil {
		p.tell(res, m)
	}
	switch {
	case res.Outcome == sandbox.Stopped && p.ctx.Err() != nil:
	case res.Outcome != sandbox.OK:
		p.ended = &End{Outcome: res.Outcome.String(), Text: res.Text, Line: res.Line, Trace: res.Trace, Call: p.calls, Message: asJSON(m)}
	case res.Status == sandbox.StatusFailed:
		p.failed++
		p.failure(res.Text, m)
	}
	if p.calls >= 2*p.measured { // seldom: it may be dear
		p.measure()
	}
}

// measure counts the memory.
func (p *probe) measure() int64 {
	p.measured = p.calls
	n := p.Memory()
	if w, ok := p.Plugin.(sandbox.Weigher); ok {
		n = w.Weigh()
	}
	p.memory = max(p.memory, n)
	return n
}

func asJSON(m *message.View) json.RawMessage {
	if m == nil {
		return nil
	}
	out, _ := shown().Append(nil, m)
	return out
}

func (p *probe) failure(text string, m *message.View) {
	i := slices.IndexFunc(p.failures, func(f Failure) bool { return f.Text == text })
	switch {
	case i >= 0:
		p.failures[i].Count++
	case len(p.failures) < maxFailures:
		p.failures = append(p.failures, Failure{Text: text, Count: 1, Call: p.calls, Message: asJSON(m)})
	}
}

// emitted notes a message that the plugin made.
func (p *probe) emitted(msg []byte) {
	p.made++
	p.madeBytes += int64(len(msg))
	p.largest = max(p.largest, int64(len(msg)))
	if p.trace != nil {
		k := kept{call: p.calls, raw: bytes.Clone(msg)}
		ring(&p.looking.Made, k.made(), maxMessages)
	}
	var v message.View
	if v.Parse(msg) != nil {
		return // what the outbox made can be read
	}
	raw, _ := v.Header(message.Type)
	typ := string(bytes.ToValidUTF8(raw[:min(len(raw), 255)], []byte("\uFFFD")))
	if _, known := p.types[typ]; known || len(p.types) < maxTypes {
		p.types[typ]++
	}
	if typ == message.TypePayload {
		p.payloads.Put(msg)
		return
	}
	if a, ok := alert.Decode(&v); ok && !a.Over {
		if p.alerted++; len(p.alerts) < maxAlerts {
			p.alerts = append(p.alerts, Alert{a, p.calls})
		}
	}
	ring(&p.messages, p.keep(&v), maxMessages)
}

func (p *probe) keep(v *message.View) kept {
	if raw := v.Raw(); len(raw) <= shown().MaxBytes {
		return kept{call: p.calls, raw: bytes.Clone(raw)}
	}
	return kept{call: p.calls, raw: asJSON(v), json: true}
}

// ring appends, and drops the oldest when there are more than most.
func ring[T any](all *[]T, one T, most int) {
	if len(*all) >= 2*most {
		*all = append((*all)[:0], (*all)[len(*all)-most+1:]...)
	}
	*all = append(*all, one)
}

func newest[T any](all []T, most int) []T { return all[max(0, len(all)-most):] }

func (p *probe) print(text string) {
	p.printed++
	if len(text) > maxLine {
		text = string(bytes.ToValidUTF8([]byte(text[:maxLine]), nil)) + "…"
	}
	if p.trace != nil {
		ring(&p.looking.Prints, text, maxPrints)
	}
	ring(&p.prints, Print{p.calls, p.clock().UTC(), text}, maxPrints)
}

// Heka implements sandbox.Lake: it counts.
func (p *probe) Heka(path string, msg []byte) error { return p.wrote("heka/", path, len(msg)) }

// Parquet implements sandbox.Lake: it counts.
func (p *probe) Parquet(path string, row sandbox.Row) error {
	return p.wrote("parquet/", path, len(row.Message))
}

func (p *probe) wrote(root, path string, n int) error {
	path, err := lake.CleanPath(path)
	if err != nil {
		return err
	}
	path = root + path
	i := slices.IndexFunc(p.files, func(f File) bool { return f.Path == path })
	if i < 0 {
		if i = len(p.files); i == maxFiles {
			i--
			p.files[i] = File{Path: "…", Rows: p.files[i].Rows, Bytes: p.files[i].Bytes}
		} else {
			p.files = append(p.files, File{Path: path})
		}
	}
	p.files[i].Rows++
	p.files[i].Bytes += int64(n)
	return nil
}

func (k *kept) made() Made {
	var v message.View
	if k.json || v.Parse(k.raw) != nil {
		return Made{k.call, k.raw, true}
	}
	out, cut := shown().Append(nil, &v)
	return Made{k.call, out, cut}
}
