package wasm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"sandbar/sandbox"
	"sandbar/sandbox/cbuf"
	"sandbar/sandbox/jsondoc"
	"sandbar/sandbox/message"
	"sandbar/sandbox/wasm/meter"
)

// plugin is one instance of a module. It implements sandbox.Plugin and sandbox.Meter.
type plugin struct {
	cfg      *sandbox.Config
	env      sandbox.Env
	info     *meter.Module
	debug    *debugInfo // nil when the module says nothing of its source
	hash     [32]byte   // of the source
	compiled wazero.CompiledModule
	module   api.Module
	ctx      *callContext
	limit    int64 // fuel of one call

	memory            api.Memory
	fuel, depth, full api.MutableGlobal
	globals           []api.MutableGlobal
	before            []uint64 // what the globals were when the call began
	process, timer    api.Function
	save, load        api.Function
	stack             [2]uint64 // arguments and result of a call

	out      *sandbox.Outbox
	building bool            // a message was begun
	msgs     []*message.View // being processed
	one      [1]*message.View
	sequence int64     // of the newest message, for outputs
	acked    int64     // by this call
	text     string    // what it says of its status
	clock    time.Time // of this call; zero until it is asked for
	line     []byte    // printed, without the end of the line
	printed  string    // the last whole line
	rng      *rand.PCG
	trace    *sandbox.Trace // nil: what it reads is not noted

	buffers []*cbuf.Payload
	held    int64 // bytes of the buffers
	arena   jsondoc.Arena
	alerts  *sandbox.Alerts
	labels  sandbox.Labels // of the next alert

	arguments, environment []string // of WASI
	throttles              sandbox.Throttles
	pull                   *pull                  // of a transform
	saved                  []byte                 // given to sandbar_load, or by sandbar_save
	spare                  atomic.Pointer[[]byte] // memory for the next image
}

// start makes the instance and runs what runs before the first message: the start function, _initialize and sandbar_init, each
// with the fuel of one call.
func (p *plugin) start(runtime wazero.Runtime, source []byte) error {
	if err := p.instance(runtime, source); err != nil {
		return err
	}
	for _, name := range []string{meter.Start, "_initialize", "sandbar_init"} {
		fn := p.module.ExportedFunction(name)
		if fn == nil {
			continue
		}
		res := p.call(fn, false)
		if status := int32(p.stack[0]); res.Outcome == sandbox.OK && name == "sandbar_init" && status != 0 {
			res.Outcome, res.Text = sandbox.LoadError, fmt.Sprintf("sandbar_init returned %d", status)
			if p.text != "" {
				res.Text += ": " + p.text
			}
		}
		if res.Outcome != sandbox.OK {
			return &sandbox.Error{Plugin: p.cfg.Logger(), Outcome: res.Outcome, Line: res.Line, Text: res.Text, Trace: res.Trace}
		}
	}
	p.process, p.timer = p.module.ExportedFunction("sandbar_process"), p.module.ExportedFunction("sandbar_timer")
	p.save, p.load = p.module.ExportedFunction("sandbar_save"), p.module.ExportedFunction("sandbar_load")
	return nil
}

// instance makes the instance and finds what the host uses of it. Nothing of the plugin has run then.
func (p *plugin) instance(runtime wazero.Runtime, source []byte) error {
	p.hash = hashOf(source)
	p.ctx = &callContext{experimental.WithMemoryAllocator(context.Background(), allocator{}), p}
	if err := p.instantiate(runtime); err != nil {
		return fmt.Errorf("start the module: %s", firstLine(err.Error()))
	}
	p.ctx.Context = context.Background()
	p.memory = p.module.Memory()
	p.fuel, p.depth, p.full = p.global(meter.Fuel), p.global(meter.Stack), p.global(meter.Full)
	p.globals = p.globals[:0]
	for i := range p.info.Mutable {
		p.globals = append(p.globals, p.global(fmt.Sprint(meter.Global, i)))
	}
	p.before = make([]uint64, len(p.globals))
	return nil
}

// instantiate makes the instance. wazero panics when the system has no memory for it.
func (p *plugin) instantiate(runtime wazero.Runtime) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("wazero could not make an instance, perhaps for want of memory: %v", r)
		}
	}()
	p.module, err = runtime.InstantiateModule(p.ctx, p.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	return err
}

func (p *plugin) global(name string) api.MutableGlobal {
	g, _ := p.module.ExportedGlobal(name).(api.MutableGlobal)
	return g
}

// Process implements sandbox.Plugin.
func (p *plugin) Process(m *message.View) sandbox.Result {
	p.one[0] = m
	return p.ProcessBatch(p.one[:])
}

// ProcessBatch implements sandbox.Batcher.
func (p *plugin) ProcessBatch(ms []*message.View) sandbox.Result {
	p.msgs = ms
	p.sequence += int64(len(ms))
	res := p.call(p.process, false, uint64(len(ms)))
	p.msgs = nil
	if res.Outcome != sandbox.OK {
		return res
	}
	res.Status, res.Text = int(int32(p.stack[0])), p.text
	if res.Status > 0 {
		res.Outcome = sandbox.TerminatedByPlugin
		if res.Text == "" {
			res.Text = fmt.Sprintf("sandbar_process returned the termination status %d", res.Status)
		}
	}
	return res
}

// Timer implements sandbox.Plugin.
func (p *plugin) Timer(ns int64, shutdown bool) sandbox.Result {
	if p.timer == nil {
		if shutdown { // a plugin without a ticker needs none
			return sandbox.Result{}
		}
		return sandbox.Result{Outcome: sandbox.RuntimeError, Text: "it exports no function sandbar_timer; add one, or take ticker_interval out of the config"}
	}
	last := uint64(0)
	if shutdown {
		last = 1
	}
	return p.call(p.timer, true, uint64(ns), last)
}

// call runs fn with all of its fuel. Its result is in p.stack[0].
func (p *plugin) call(fn api.Function, timer bool, args ...uint64) sandbox.Result {
	p.fuel.Set(uint64(p.limit))
	for i, g := range p.globals {
		p.before[i] = g.Get()
	}
	p.out.Begin(timer)
	p.acked, p.text, p.clock, p.building = 0, "", time.Time{}, false
	copy(p.stack[:], args)
	err := fn.CallWithStack(p.ctx, p.stack[:])
	left := int64(p.fuel.Get())
	res := sandbox.Result{Fuel: p.limit - max(left, 0), Acked: p.acked}
	switch {
	case err != nil:
		p.blame(&res, err, left)
	case left < 0:
		res.Outcome, res.Text = sandbox.FuelExhausted, p.fuelText()
	case p.held > 0 && p.tooLarge(0):
		res.Outcome, res.Text = sandbox.MemoryExceeded, p.memoryText()
	}
	if res.Outcome != sandbox.OK {
		p.recover()
	}
	return res
}

// recover makes the instance ready for the next call after one that ended anywhere: its stacks are as they were.
func (p *plugin) recover() {
	p.out.ClearPayload()
	p.depth.Set(meter.StackBytes)
	p.full.Set(0)
	for i, g := range p.globals {
		g.Set(p.before[i])
	}
}

func (p *plugin) fuelText() string {
	return fmt.Sprintf("instruction_limit exceeded: a call may take %d units", p.limit)
}

func (p *plugin) memoryText() string {
	return fmt.Sprintf("memory_limit exceeded: %d bytes are allowed; hold less or raise memory_limit", p.cfg.Limits.Memory)
}

// tooLarge says whether with so many more bytes the plugin holds more than it may.
func (p *plugin) tooLarge(more int64) bool {
	return p.cfg.Limits.Memory > 0 && p.Memory()+more > p.cfg.Limits.Memory
}

// exit is what proc_exit ends a call with.
type exit struct{ status uint32 }

func (e *exit) Error() string { return fmt.Sprintf("it exited with the status %d", e.status) }

// errFuel ends a call in a function of the host.
var errFuel = errors.New("instruction_limit exceeded")

// blame says in res why a call ended with err.
func (p *plugin) blame(res *sandbox.Result, err error, left int64) {
	what, trace, _ := strings.Cut(err.Error(), "\nwasm stack trace:\n")
	at := ""
	if p.debug != nil {
		at, trace = p.debug.inTrace(trace)
	}
	res.Trace = bounded(strings.ReplaceAll(trace, "\t", "  "))
	res.Outcome = sandbox.RuntimeError
	var limit *sandbox.Refusal
	var ended *exit
	switch {
	case errors.As(err, &limit):
		res.Outcome, res.Text = limit.Outcome, limit.Text
	case left < 0 || errors.Is(err, errFuel):
		res.Outcome, res.Text = sandbox.FuelExhausted, p.fuelText()
	case p.full.Get() != 0:
		res.Outcome, res.Text = sandbox.MemoryExceeded, p.memoryText()
	case int64(p.depth.Get()) < 0:
		res.Text = fmt.Sprintf("stack overflow: all frames may have %d bytes together", meter.StackBytes)
	case errors.As(err, &ended):
		res.Text = ended.Error()
		if p.printed != "" {
			res.Text += "; it printed last: " + p.printed
		}
	default:
		what = strings.TrimSuffix(strings.TrimPrefix(what, "wasm error: "), " (recovered by wazero)")
		res.Text = what
	}
	if where := p.inFunction(trace); where != "" {
		res.Text += " in " + where
	}
	if at != "" {
		res.Text += " at " + at
	}
	res.Text = bounded(res.Text)
}

// inFunction is the name of the innermost function of a trace that is the plugin's own. One without a name has that of its export.
func (p *plugin) inFunction(trace string) string {
	for line := range strings.Lines(trace) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, apiModule+".") || strings.HasPrefix(line, wasiModule+".") {
			continue
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(line, "."), "(")
		n, unnamed := strings.CutPrefix(name, "$")
		if !unnamed {
			return name
		}
		for _, x := range p.info.Exports {
			if x.Kind == 0 && strconv.Itoa(x.Index) == n {
				return x.Name
			}
		}
		return "function " + n
	}
	return ""
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func bounded(s string) string {
	if len(s) > sandbox.MaxText {
		s = s[:sandbox.MaxText]
	}
	return strings.ToValidUTF8(s, "")
}

// Spend implements sandbox.Meter, for the host's functions.
func (p *plugin) Spend(fuel int64) {
	left := int64(p.fuel.Get()) - fuel
	p.fuel.Set(uint64(left))
	if left < 0 {
		panic(errFuel)
	}
}

// luaUnits takes fuel in units of Lua's size.
type luaUnits struct{ p *plugin }

// Spend implements sandbox.Meter.
func (u luaUnits) Spend(fuel int64) { u.p.Spend(fuel * luaUnit) }

// fail ends the call with an error that the plugin made.
func (p *plugin) fail(format string, args ...any) { panic(fmt.Errorf(format, args...)) }

// check ends the call when err says so.
func (p *plugin) check(err error) {
	if err != nil {
		panic(err)
	}
}

// Interrupt implements sandbox.Plugin. There is nothing to do: the fuel of a call is some milliseconds of work.
func (p *plugin) Interrupt() {}

// Trace implements sandbox.Tracer: what is read. A module has no lines.
func (p *plugin) Trace(t *sandbox.Trace) { p.trace = t }

// Memory implements sandbox.Plugin.
func (p *plugin) Memory() int64 { return int64(p.memory.Size()) + p.held + p.arena.Size() }

// Close implements sandbox.Plugin.
func (p *plugin) Close() error {
	var errs []error
	if p.module != nil {
		errs = append(errs, p.module.Close(context.Background()))
	}
	if p.compiled != nil {
		errs = append(errs, p.compiled.Close(context.Background()))
	}
	p.module, p.compiled = nil, nil
	return errors.Join(errs...)
}
