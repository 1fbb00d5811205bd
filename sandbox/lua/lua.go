// Package lua runs Lua plugins: Hindsight's plugin API on gopher-lua's compiler and VM, inside limits.
//
// Limits, and how far they hold with this VM:
//
//   - Instructions: a context counts every instruction of the VM, exactly and deterministically; library
//     functions add units for the work that they do. When the budget is out, every further instruction of the
//     call raises again, so that no pcall survives it.
//   - Memory: the VM does not count what it allocates. So the source is rewritten before it is compiled
//     (rewrite.go): concatenation, table constructors, closures and assignments to table elements go through
//     guards (guard.go) that reserve bytes first. When the reserved bytes exceed what is left of memory_limit,
//     the reachable state is measured (memory.go). Garbage is Go's; registers and the Go heap's own slack are
//     not counted. A long # on a table full of trailing nils, and equal hashes, cost more time than units.
//   - Depth: 200 frames of calls, and a bounded nesting of the source.
//
// Coroutines, io, debug, package and load* do not exist here. A table holds at most 131071 array elements.
package lua

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"

	"sandbar/sandbox"
	"sandbar/sandbox/lua/lib"
	"sandbar/sandbox/message"
)

// maxArray is gopher-lua's MaxArrayIndex here: an index beyond it goes to the hash part of a table.
const maxArray = 1 << 17

// gopher-lua keeps this bound in a variable of its package. Its default lets one assignment take a gigabyte.
var _ = func() bool { lua.MaxArrayIndex = maxArray; return true }()

const (
	callDepth     = 200
	registryStart = 1 << 10
	registryMax   = 64 << 10
	registryStep  = 4 << 10
)

// plugin is one loaded source. It implements sandbox.Plugin and lib.Host.
type plugin struct {
	cfg    *sandbox.Config
	env    sandbox.Env
	L      *lua.LState
	meter  meter
	memory memory

	loaded   map[string]*lua.LTable // modules that were required
	modules  map[string]lib.Module
	libs     map[*lua.LTable]bool // module tables, which are not state
	msg      *message.View        // being processed, or nil
	injected int                  // messages made in this call
	inTimer  bool
	raised   fault // the last error that a limit raised
	broken   error // the VM itself failed

	texts   texts
	payload []byte // add_to_payload's buffer
	builder message.Builder
	encoded []byte
	uuids   uuids
}

// fault is an error of Fail: it gives an uncaught error its outcome.
type fault struct {
	outcome sandbox.Outcome
	text    string
}

// Load compiles and runs source and returns the plugin that it defines. Errors are *sandbox.Error.
func Load(cfg *sandbox.Config, source []byte, env sandbox.Env) (sandbox.Plugin, error) {
	proto, err := compile(cfg.Filename, source)
	if err != nil {
		return nil, loadError(cfg, err)
	}
	p := &plugin{cfg: cfg, env: env, L: newState(), loaded: map[string]*lua.LTable{}, modules: map[string]lib.Module{},
		libs: map[*lua.LTable]bool{}, uuids: newUUIDs(env.Seed)}
	p.meter = newMeter(cfg.Limits.Instructions)
	p.memory = newMemory(cfg.Limits.Memory)
	p.L.SetContext(&p.meter)
	p.openGlobals()
	if res := p.call(p.main(proto), 0); res.Outcome != sandbox.OK {
		p.L.Close()
		return nil, &sandbox.Error{Plugin: cfg.Logger(), Outcome: res.Outcome, Line: res.Line, Text: res.Text, Trace: res.Trace}
	}
	if _, ok := p.L.GetGlobal("process_message").(*lua.LFunction); !ok {
		p.L.Close()
		return nil, loadError(cfg, errors.New("the source defines no function process_message"))
	}
	p.measure()
	return p, nil
}

func newState() *lua.LState {
	return lua.NewState(lua.Options{
		SkipOpenLibs: true, CallStackSize: callDepth,
		RegistrySize: registryStart, RegistryMaxSize: registryMax, RegistryGrowStep: registryStep,
	})
}

// main is the source as a function of no arguments: the compiled chunk, called with its guards.
func (p *plugin) main(proto *lua.FunctionProto) lua.LValue {
	chunk := p.L.NewFunctionFromProto(proto)
	return p.L.NewFunction(func(L *lua.LState) int {
		L.Push(chunk)
		guards := p.guards()
		for _, guard := range guards {
			L.Push(L.NewFunction(guard))
		}
		L.Call(len(guards), 1)
		source := L.Get(-1)
		L.Pop(1)
		L.Push(source)
		L.Call(0, 0)
		return 0
	})
}

func loadError(cfg *sandbox.Config, err error) *sandbox.Error {
	e := &sandbox.Error{Plugin: cfg.Logger(), Outcome: sandbox.LoadError, Text: strings.TrimSpace(err.Error())}
	var syntax *parse.Error
	var compiled *lua.CompileError
	var bound *boundError
	switch {
	case errors.As(err, &syntax):
		if syntax.Pos.Line > 0 {
			e.Line = syntax.Pos.Line
			e.Text = fmt.Sprintf("column %d: %s near '%s'", syntax.Pos.Column, strings.TrimSpace(syntax.Message), syntax.Token)
		} else {
			e.Text = strings.TrimSpace(syntax.Message) + " at the end of the source"
		}
	case errors.As(err, &compiled):
		e.Line, e.Text = compiled.Line, compiled.Message
	case errors.As(err, &bound):
		e.Line, e.Text = bound.line, bound.text
	}
	return e
}

// Process implements sandbox.Plugin.
func (p *plugin) Process(m *message.View) sandbox.Result {
	fn := p.L.G.Global.RawGetString("process_message")
	if fn.Type() != lua.LTFunction {
		return sandbox.Result{Outcome: sandbox.RuntimeError, Text: "process_message() function was not found"}
	}
	p.msg, p.inTimer = m, false
	res := p.call(fn, 2)
	p.msg = nil
	if res.Outcome != sandbox.OK {
		return res
	}
	status, text := p.L.Get(-2), p.L.Get(-1)
	p.L.Pop(2)
	return p.status(res, status, text)
}

// status checks what process_message returned.
func (p *plugin) status(res sandbox.Result, status, text lua.LValue) sandbox.Result {
	n, ok := status.(lua.LNumber)
	if !ok || float64(n) != math.Trunc(float64(n)) || math.Abs(float64(n)) > math.MaxInt32 {
		res.Outcome = sandbox.BadReturn
		res.Text = fmt.Sprintf("process_message() must return a numeric status code, it returned a %s", status.Type())
		return res
	}
	res.Status = int(n)
	if text != lua.LNil {
		s, ok := text.(lua.LString)
		if !ok {
			res.Outcome = sandbox.BadReturn
			res.Text = "process_message() must return a nil or string error message, the second value is a " + text.Type().String()
			return res
		}
		res.Text = bounded(string(s))
	}
	if res.Status > 0 {
		res.Outcome = sandbox.TerminatedByPlugin
		if res.Text == "" {
			res.Text = fmt.Sprintf("process_message() returned the termination status %d", res.Status)
		}
	}
	return res
}

// Timer implements sandbox.Plugin.
func (p *plugin) Timer(ns int64, shutdown bool) sandbox.Result {
	fn := p.L.GetGlobal("timer_event")
	if fn.Type() != lua.LTFunction {
		return sandbox.Result{Outcome: sandbox.RuntimeError, Text: "timer_event() function was not found"}
	}
	p.inTimer = true
	res := p.call(fn, 0, lua.LNumber(ns), lua.LBool(shutdown))
	if res.Outcome == sandbox.OK {
		p.purge()
		if used := p.measure(); p.memory.limit > 0 && used > p.memory.limit {
			res.Outcome, res.Text = sandbox.MemoryExceeded, p.memory.exceeded()
		}
	}
	return res
}

// protected is PCall for a VM that may fail itself: on some overflows gopher-lua panics while it makes its
// error. Its stack is unusable then, so nothing runs in this plugin any more.
func (p *plugin) protected(args, results int) (err error) {
	if p.broken != nil {
		return p.broken
	}
	defer func() {
		if r := recover(); r != nil {
			p.broken = fmt.Errorf("the VM failed (%v); the plugin has to be loaded anew", r)
			err = p.broken
		}
	}()
	return p.L.PCall(args, results, nil)
}

// call runs fn with a full budget. When it ends well its results are on the stack.
func (p *plugin) call(fn lua.LValue, results int, args ...lua.LValue) sandbox.Result {
	p.meter.refill()
	p.injected = 0
	p.raised = fault{}
	p.L.Push(fn)
	for _, a := range args {
		p.L.Push(a)
	}
	err := p.protected(len(args), results)
	res := sandbox.Result{Fuel: p.meter.spent()}
	if err != nil {
		p.payload = p.payload[:0]
		p.blame(&res, err)
	}
	if p.memory.deadAll > purgeAt {
		p.purge()
	}
	return res
}

var position = regexp.MustCompile(`^(.*?):(\d+):\s*`)

// blame says in res why a call ended with err.
func (p *plugin) blame(res *sandbox.Result, err error) {
	res.Outcome = sandbox.RuntimeError
	text := err.Error()
	var api *lua.ApiError
	if errors.As(err, &api) {
		text, res.Trace = lua.LVAsString(api.Object), bounded(api.StackTrace)
		if text == "" {
			text = "error object is a " + api.Object.Type().String() + " value"
		}
	}
	if m := position.FindStringSubmatch(text); m != nil {
		res.Line, _ = strconv.Atoi(m[2])
		text = text[len(m[0]):]
	}
	switch {
	case p.meter.cause != nil:
		res.Outcome, text = p.meter.outcome, p.meter.cause.Error()
	case p.raised.text != "" && strings.HasSuffix(text, p.raised.text):
		res.Outcome = p.raised.outcome
	}
	res.Text = bounded(text)
}

func bounded(s string) string {
	if len(s) > sandbox.MaxText {
		return strings.ToValidUTF8(s[:sandbox.MaxText], "")
	}
	return s
}

// Memory implements sandbox.Plugin.
func (p *plugin) Memory() int64 { return p.memory.used }

// Close implements sandbox.Plugin.
func (p *plugin) Close() error {
	p.L.Close()
	return nil
}
