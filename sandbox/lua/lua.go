// Package lua runs Lua plugins: Hindsight's plugin API on the virtual machine of package vm, inside hard limits.
//
//   - Instructions: every instruction of the VM is one unit, and library functions add units for the work that they
//     do. When they are used up the call ends, past every pcall and coroutine.
//   - Memory: every allocation is counted before it is made. When what was allocated might exceed memory_limit, all
//     that the plugin can reach is counted anew, and the call ends if that is too much.
//   - Depth: calls, coroutines and metamethods nest by count. Nothing that Lua code does nests on the Go stack.
//
// io, debug, package and load* do not exist here.
package lua

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"sandbar/sandbox"
	"sandbar/sandbox/lua/lib"
	"sandbar/sandbox/lua/vm"
	"sandbar/sandbox/message"
)

// plugin is one loaded source. It implements sandbox.Plugin and lib.Host.
type plugin struct {
	cfg *sandbox.Config
	env sandbox.Env
	L   *vm.State

	modules map[string]lib.Module
	libs    map[*vm.Table]bool // module tables, which are not state
	msg     *message.View      // being processed, or nil
	out     *sandbox.Outbox
	raised  sandbox.Refusal // the last error that a limit raised
	used    int64           // bytes, when they were last counted

	sequence    int64 // of the newest message, for outputs
	acked       int64 // by this call
	throttles   sandbox.Throttles
	random      rand.PCG
	source      [sha256.Size]byte // its sum, when preserve_data is "all"
	interrupted atomic.Bool
	polled      time.Time // when the call that runs was first asked to end; zero before that

	process, timer vm.Value       // the names of the two functions
	trace          *sandbox.Trace // nil: what it does is not noted
	scratch        []byte         // a value of a field that is being added
	digits         [64]byte       // of a number that is appended to a payload
}

// Load compiles and runs source and returns the plugin that it defines. Errors are *sandbox.Error.
func Load(cfg *sandbox.Config, source []byte, env sandbox.Env) (sandbox.Plugin, error) {
	p := &plugin{cfg: cfg, env: env, modules: map[string]lib.Module{}, libs: map[*vm.Table]bool{}}
	p.L = vm.New(vm.Options{Fuel: cfg.Limits.Instructions, Memory: cfg.Limits.Memory, Poll: p.poll, Images: cfg.PreserveAll})
	p.out = sandbox.NewOutbox(cfg, &p.env, p.L)
	p.random.Seed(env.Seed, env.Seed)
	if most := cfg.Limits.Source; most > 0 && len(source) > most {
		return nil, loadError(cfg, fmt.Errorf("the source has %d bytes, %d are allowed here (limits.%s.source_size)", len(source), most, cfg.Kind))
	}
	if cfg.PreserveAll {
		p.source = sha256.Sum256(source)
	}
	main, err := p.L.Load(cfg.Filename, source)
	if err != nil {
		return nil, loadError(cfg, err)
	}
	if err := p.L.Unlimited(p.openGlobals); err != nil {
		return nil, loadError(cfg, err)
	}
	var res sandbox.Result
	if p.call(&res, main.Value(), false, 0); res.Outcome != sandbox.OK {
		return nil, &sandbox.Error{Plugin: cfg.Logger(), Outcome: res.Outcome, Line: res.Line, Text: res.Text, Trace: res.Trace}
	}
	if p.L.Global("process_message").Function() == nil {
		return nil, loadError(cfg, errors.New("the source defines no function process_message"))
	}
	p.used = p.L.Memory()
	return p, nil
}

func loadError(cfg *sandbox.Config, err error) *sandbox.Error {
	e := &sandbox.Error{Plugin: cfg.Logger(), Outcome: sandbox.LoadError, Text: strings.TrimSpace(err.Error())}
	var source *vm.SourceError
	var limit *vm.LimitError
	switch {
	case errors.As(err, &source):
		e.Line, e.Text = source.Line, source.Text
		if source.Column > 0 {
			e.Text = fmt.Sprintf("column %d: %s", source.Column, source.Text)
		}
	case errors.As(err, &limit):
		e.Outcome = outcomeOf(limit.Limit)
	}
	return e
}

func outcomeOf(l vm.Limit) sandbox.Outcome {
	if l == vm.MemoryLimit {
		return sandbox.MemoryExceeded
	}
	return sandbox.FuelExhausted
}

// Process implements sandbox.Plugin.
func (p *plugin) Process(m *message.View) (res sandbox.Result) {
	fn := p.L.Globals().Get(p.process)
	if fn.Function() == nil {
		return sandbox.Result{Outcome: sandbox.RuntimeError, Text: "process_message() function was not found"}
	}
	p.msg = m
	var values []vm.Value
	if p.cfg.Kind == sandbox.Output {
		p.sequence++
		values = p.call(&res, fn, false, 2, vm.Number(float64(p.sequence)))
	} else {
		values = p.call(&res, fn, false, 2)
	}
	p.msg = nil
	if res.Outcome == sandbox.OK {
		p.status(&res, values[0], values[1])
	}
	return res
}

// status checks what process_message returned.
func (p *plugin) status(res *sandbox.Result, status, text vm.Value) {
	n, ok := status.Float()
	if !ok || n != math.Trunc(n) || math.Abs(n) > math.MaxInt32 {
		res.Outcome = sandbox.BadReturn
		res.Text = fmt.Sprintf("process_message() must return a numeric status code, it returned a %s", status.Type())
		return
	}
	res.Status = int(n)
	if !text.IsNil() {
		s, ok := text.Str()
		if !ok {
			res.Outcome = sandbox.BadReturn
			res.Text = "process_message() must return a nil or string error message, the second value is a " + text.Type().String()
			return
		}
		res.Text = bounded(strings.Clone(s))
	}
	if res.Status > 0 {
		res.Outcome = sandbox.TerminatedByPlugin
		if res.Text == "" {
			res.Text = fmt.Sprintf("process_message() returned the termination status %d", res.Status)
		}
	}
}

// Timer implements sandbox.Plugin.
func (p *plugin) Timer(ns int64, shutdown bool) sandbox.Result {
	fn := p.L.Globals().Get(p.timer)
	if fn.Function() == nil {
		if shutdown { // a plugin without a ticker needs none
			return sandbox.Result{}
		}
		return sandbox.Result{Outcome: sandbox.RuntimeError, Text: "timer_event() function was not found; add one, or take ticker_interval out of the config"}
	}
	var res sandbox.Result
	p.call(&res, fn, true, 0, vm.Number(float64(ns)), vm.Bool(shutdown))
	if res.Outcome == sandbox.OK {
		if p.used = p.L.Memory(); p.cfg.Limits.Memory > 0 && p.used > p.cfg.Limits.Memory {
			res.Outcome = sandbox.MemoryExceeded
			res.Text = fmt.Sprintf("memory_limit exceeded: %d bytes are held, %d are allowed; hold less or raise memory_limit", p.used, p.cfg.Limits.Memory)
		}
	}
	return res
}

// call runs fn with all of its fuel, and writes into res how that went. The values are valid until the next call.
func (p *plugin) call(res *sandbox.Result, fn vm.Value, timer bool, results int, args ...vm.Value) []vm.Value {
	p.L.Refill()
	before := p.L.Fuel()
	p.out.Begin(timer)
	if p.raised.Text != "" {
		p.raised = sandbox.Refusal{}
	}
	if p.acked = 0; !p.polled.IsZero() {
		p.polled = time.Time{}
	}
	values, err := p.L.Do(fn, results, args...)
	res.Fuel, res.Acked = before-p.L.Fuel(), p.acked
	if err != nil {
		p.out.ClearPayload()
		p.blame(res, err)
	}
	return values
}

// poll says why the call that runs has to end now, if it has. A call is first polled when it has used some fuel; that is
// where its time begins, so that a short call never looks at the clock.
func (p *plugin) poll() string {
	switch limit := p.cfg.Limits.Time; {
	case p.interrupted.Load():
		p.raised = sandbox.Refusal{Outcome: sandbox.Stopped, Text: "the host ended the call"}
	case limit <= 0 || p.env.Now == nil:
		return ""
	case p.polled.IsZero():
		p.polled = p.env.Now()
		return ""
	case p.env.Now().Sub(p.polled) <= limit:
		return ""
	default:
		p.raised = sandbox.Refusal{Outcome: sandbox.TimeExceeded, Text: fmt.Sprintf("the call lasted longer than %v, which is all that the host allows", limit)}
	}
	return p.raised.Text
}

// Interrupt implements sandbox.Plugin.
func (p *plugin) Interrupt() { p.interrupted.Store(true) }

var position = regexp.MustCompile(`^(.*?):(\d+):\s*`)

// blame says in res why a call ended with err.
func (p *plugin) blame(res *sandbox.Result, err error) {
	res.Outcome = sandbox.RuntimeError
	text := bounded(err.Error()) // it may be a plugin's own, of any length
	var limit *vm.LimitError
	var failed *vm.Error
	switch {
	case errors.As(err, &limit):
		res.Outcome, res.Line = outcomeOf(limit.Limit), limit.Line
		switch limit.Limit {
		case vm.HostLimit:
			res.Outcome = p.raised.Outcome
		case vm.MemoryLimit:
			text += fmt.Sprintf(": %d bytes are allowed; hold less or raise memory_limit", p.cfg.Limits.Memory)
		}
	case errors.As(err, &failed):
		res.Trace, res.Line = bounded(failed.Traceback), failed.Line
		if m := position.FindStringSubmatch(text); m != nil {
			res.Line, _ = strconv.Atoi(m[2])
			text = text[len(m[0]):]
		}
		if p.raised.Text != "" && strings.HasSuffix(text, p.raised.Text) {
			res.Outcome = p.raised.Outcome
		}
	}
	res.Text = bounded(text)
}

func bounded(s string) string {
	if len(s) > sandbox.MaxText {
		return strings.ToValidUTF8(s[:sandbox.MaxText], "")
	}
	return s
}

// Fail implements lib.Host.
func (p *plugin) Fail(L *vm.State, o sandbox.Outcome, text string) {
	p.raised = sandbox.Refusal{Outcome: o, Text: text}
	L.Throw(text)
}

// Check implements lib.Host.
func (p *plugin) Check(L *vm.State, err error) {
	if err == nil {
		return
	}
	var limit *sandbox.Refusal
	if errors.As(err, &limit) {
		p.Fail(L, limit.Outcome, limit.Text)
	}
	L.Throw(err.Error())
}

// Outbox implements lib.Host.
func (p *plugin) Outbox() *sandbox.Outbox { return p.out }

// Throttles implements lib.Host.
func (p *plugin) Throttles() *sandbox.Throttles { return &p.throttles }

// Random implements lib.Host.
func (p *plugin) Random() *rand.PCG { return &p.random }

// Memory implements sandbox.Plugin.
func (p *plugin) Memory() int64 { return p.used }

// Trace implements sandbox.Tracer.
func (p *plugin) Trace(t *sandbox.Trace) {
	p.trace = t
	if t == nil {
		p.L.Trace(nil)
		return
	}
	p.L.Trace(t.Line)
}

// Weigh implements sandbox.Weigher.
func (p *plugin) Weigh() int64 {
	p.used = p.L.Memory()
	return p.used
}

// Close implements sandbox.Plugin.
func (p *plugin) Close() error { return nil }
