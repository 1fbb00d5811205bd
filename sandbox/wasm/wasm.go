// Package wasm runs WebAssembly plugins on wazero: the interface sandbar_v1 and a part of WASI preview 1, inside hard limits.
//
//   - Fuel: package meter rewrites a module so that it charges for each straight piece of code, and every function of the host
//     charges before it works. When it is used up the call ends, memory stays, and the plugin can be called again.
//   - Memory: the maximum of the module's memory is memory_limit; what the host holds for it (circular buffers) counts too.
//   - Depth: calls take from a stack of a fixed size.
//
// A guest cannot be interrupted while it computes, and Go's collector waits for it. So no call has more fuel than
// sandbox.MaxModuleFuel, which is some milliseconds of work.
package wasm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"sandbar/sandbox"
	"sandbar/sandbox/wasm/meter"
)

// Options of an Engine.
type Options struct {
	CacheDir string // compiled modules are kept here, for this user alone; "" keeps them in memory
	// Compile compiles a metered module into the cache, by Compile in a process that is ended when it takes too long or too much.
	// Without it modules are compiled here, where nothing can end that.
	Compile func(ctx context.Context, code []byte) error
}

// Engine compiles and runs modules. Plugins with the same module share its code.
type Engine struct {
	opt     Options
	runtime wazero.Runtime
	cache   wazero.CompilationCache
	costs   map[string]int64 // fuel of each function that can be imported, by module and name
	types   map[string]meter.FuncType
	turn    chan struct{} // one module is compiled at a time
	ctx     context.Context
	stop    context.CancelFunc // of what is being compiled
}

// maxEntries bounds a table.
const maxEntries = 100_000

// New makes an engine; Close ends it with all of its plugins.
func New(ctx context.Context, opt Options) (*Engine, error) {
	e := &Engine{opt: opt, costs: map[string]int64{}, types: map[string]meter.FuncType{}, turn: make(chan struct{}, 1)}
	e.ctx, e.stop = context.WithCancel(context.WithoutCancel(ctx))
	if opt.CacheDir != "" {
		if err := clean(opt.CacheDir, maxCache); err != nil {
			return nil, fmt.Errorf("clear the cache of compiled modules: %w", err)
		}
	}
	var err error
	if e.runtime, e.cache, err = newRuntime(ctx, opt.CacheDir); err != nil {
		return nil, err
	}
	for _, m := range []struct {
		name  string
		funcs []hostFunc
	}{{apiModule, apiFuncs()}, {wasiModule, wasiFuncs()}, {transformModule, transformFuncs()}} {
		if err := e.define(ctx, m.name, m.funcs); err != nil {
			return nil, errors.Join(err, e.Close(ctx))
		}
	}
	return e, nil
}

// define makes the functions of a module that plugins import.
func (e *Engine) define(ctx context.Context, module string, funcs []hostFunc) error {
	b := e.runtime.NewHostModuleBuilder(module)
	for _, f := range funcs {
		e.costs[module+"."+f.name] = f.fuel
		e.types[module+"."+f.name] = f.types()
		call := f.call
		fn := api.GoFunc(func(ctx context.Context, stack []uint64) {
			p := ctx.(*callContext).plugin
			if int64(p.fuel.Get()) < 0 { // the module charged for the call, and did not ask yet
				panic(errFuel)
			}
			call(p, stack)
		})
		params, results := valueTypes(f.params), valueTypes(f.result)
		b.NewFunctionBuilder().WithGoFunction(fn, params, results).Export(f.name)
	}
	if _, err := b.Instantiate(ctx); err != nil {
		return fmt.Errorf("define the functions of %s: %w", module, err)
	}
	return nil
}

// Close frees all modules. No plugin may be in use.
func (e *Engine) Close(ctx context.Context) error {
	e.stop()
	return errors.Join(e.runtime.Close(ctx), e.cache.Close(ctx))
}

// callContext carries the plugin to the host's functions.
type callContext struct {
	context.Context
	plugin *plugin
}

// Load checks, meters, compiles and starts a module. Errors are *sandbox.Error.
func (e *Engine) Load(cfg *sandbox.Config, source []byte, env sandbox.Env) (sandbox.Plugin, error) {
	p, err := e.load(cfg, source, env)
	if err == nil {
		return p, nil
	}
	var fault *sandbox.Error
	if !errors.As(err, &fault) {
		fault = &sandbox.Error{Plugin: cfg.Logger(), Outcome: sandbox.LoadError, Text: bounded(err.Error())}
	}
	return nil, fault
}

func (e *Engine) load(cfg *sandbox.Config, source []byte, env sandbox.Env) (sandbox.Plugin, error) {
	if most := cfg.Limits.Source; most > 0 && len(source) > most {
		return nil, fmt.Errorf("the module has %d bytes, %d are allowed here (limits.%s.module_size)", len(source), most, cfg.Kind)
	}
	pages := uint32(maxPages)
	if cfg.Limits.Memory > 0 {
		pages = uint32(min(cfg.Limits.Memory>>16, maxPages))
	}
	m, err := meter.Rewrite(source, meter.Options{Pages: pages, Entries: maxEntries, Offsets: hasLines(source),
		ImportCost: func(module, name string) int64 { return e.costs[module+"."+name] }})
	if err != nil {
		return nil, err
	}
	if err := e.fits(cfg, m); err != nil {
		return nil, err
	}
	if m.HasTables && cfg.PreserveData && !exports(m, "sandbar_save") {
		return nil, errors.New("with preserve_data a module may not change its tables or drop segments (table.set and the like): a state holds the memory and the globals; export sandbar_save and sandbar_load, or leave preserve_data away")
	}
	compiled, err := e.compile(e.ctx, m.Code)
	if err != nil {
		return nil, err
	}
	var debug *debugInfo
	if _, ok := m.CustomData[".debug_line"]; ok {
		debug = &debugInfo{source: source, info: m}
	}
	m.Code = nil // it is compiled
	p := &plugin{debug: debug, cfg: cfg, env: env, info: m, compiled: compiled, limit: sandbox.MaxModuleFuel, rng: rand.NewPCG(env.Seed, 1)}
	if n := cfg.Limits.Instructions; n > 0 {
		p.limit = min(p.limit, n)
	}
	p.out = sandbox.NewOutbox(cfg, &p.env, luaUnits{p})
	if isTransform(m) {
		t, err := startTransform(p, e.runtime, source)
		if err != nil {
			return nil, errors.Join(err, t.Close())
		}
		return t, nil
	}
	if err := p.start(e.runtime, source); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// maxPages is the most memory where the config sets no limit: 256 MiB.
const maxPages = 4096

// fits sees that the module asks for what there is and offers what is needed.
func (e *Engine) fits(cfg *sandbox.Config, m *meter.Module) error {
	for _, i := range m.Imports {
		want, ok := e.types[i.Module+"."+i.Name]
		switch {
		case !ok && i.Module != apiModule && i.Module != wasiModule && i.Module != transformModule:
			return fmt.Errorf("it imports %s.%s; this host has the modules %s and %s", i.Module, i.Name, apiModule, wasiModule)
		case !ok:
			return fmt.Errorf("it imports %s.%s, which this host does not have", i.Module, i.Name)
		case want != i.Type:
			return fmt.Errorf("it imports %s.%s as %v; it is %v", i.Module, i.Name, i.Type, want)
		}
	}
	if isTransform(m) {
		if cfg.TickerInterval > 0 || !exports(m, "_start") || !exports(m, "memory") {
			return errors.New("a transform of Redpanda exports _start and memory, and has no ticker_interval")
		}
		return nil
	}
	need := map[string]meter.FuncType{"sandbar_process": {Params: "\x7f", Results: "\x7f"}}
	if cfg.TickerInterval > 0 {
		need["sandbar_timer"] = timerType()
	}
	known := map[string]meter.FuncType{"sandbar_init": {Results: "\x7f"}, "sandbar_timer": timerType(), "sandbar_process": need["sandbar_process"],
		"sandbar_save": {Results: "\x7f"}, "sandbar_load": {Params: "\x7f", Results: "\x7f"}, "_initialize": {}}
	memory, marked := false, false
	for _, x := range m.Exports {
		memory = memory || x.Kind == 2 && x.Name == "memory"
		marked = marked || x.Name == apiModule
		if x.Kind != 0 {
			continue
		}
		if want, ok := known[x.Name]; ok && want != x.Type {
			return fmt.Errorf("its function %s is %v; it should be %v", x.Name, x.Type, want)
		}
		delete(need, x.Name)
	}
	switch {
	case !marked:
		return fmt.Errorf("it exports no function %s, which says that it is a plugin for this host; the files of plugins/sdk do", apiModule)
	case !memory:
		return errors.New("it exports no memory of the name \"memory\"")
	}
	for name := range need {
		return fmt.Errorf("it exports no function %s", name)
	}
	return nil
}

func exports(m *meter.Module, name string) bool {
	return slices.ContainsFunc(m.Exports, func(x meter.Export) bool { return x.Name == name })
}

func timerType() meter.FuncType { return meter.FuncType{Params: "\x7e\x7f"} }
