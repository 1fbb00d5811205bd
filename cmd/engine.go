package cmd

import (
	"context"
	"fmt"
	"os"
	"sync"

	"sandbar/host/config"
	"sandbar/host/deploy"
	"sandbar/plugins"
	"sandbar/sandbox"
	"sandbar/sandbox/lua"
	"sandbar/sandbox/wasm"
)

// parser evaluates plugins' configs and holds them to the host's ceilings.
func parser(limits config.Limits) deploy.ParseConfig {
	return func(kind sandbox.Kind, name string, src []byte) (*sandbox.Config, error) {
		cfg, err := lua.ParseConfig(kind, name, src)
		if err != nil {
			return nil, err
		}
		ceilings := limits.Of(kind)
		if err := ceilings.Apply(cfg); err != nil {
			return nil, &sandbox.Error{Plugin: cfg.Logger(), Outcome: sandbox.LoadError, Text: err.Error()}
		}
		return cfg, nil
	}
}

// engines are what plugins run on. The one for WASM is made when it is first needed.
type engines struct {
	cache string // folder of compiled modules; "" keeps them in memory
	mu    sync.Mutex
	wasm  *wasm.Engine
}

// load makes a plugin with the engine that its source is for. This is the only place that chooses one.
func (e *engines) load(cfg *sandbox.Config, source []byte, env sandbox.Env) (sandbox.Plugin, error) {
	if !cfg.IsModule() {
		return lua.Load(cfg, source, env)
	}
	engine, err := e.forModules()
	if err != nil {
		return nil, err
	}
	return engine.Load(cfg, source, env)
}

func (e *engines) forModules() (*wasm.Engine, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.wasm == nil {
		if e.cache != "" {
			if err := os.MkdirAll(e.cache, 0o700); err != nil { // what is in it is run
				return nil, fmt.Errorf("make the folder of compiled modules: %w", err)
			}
		}
		opt := wasm.Options{CacheDir: e.cache}
		if e.cache != "" {
			opt.Compile = func(ctx context.Context, code []byte) error { return compileElsewhere(ctx, e.cache, code) }
		}
		var err error
		if e.wasm, err = wasm.New(context.Background(), opt); err != nil {
			return nil, err
		}
	}
	return e.wasm, nil
}

// close ends them, when no plugin is in use any more.
func (e *engines) close() error {
	if e.wasm == nil {
		return nil
	}
	return e.wasm.Close(context.Background())
}

// readState is what Hindsight preserved of a plugin, if it lies in a folder of plugins.
func readState(dir string, kind sandbox.Kind, name string) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return plugins.State(root.FS(), kind, name)
}

// readPlugins reads a folder of plugins. Links that lead out of it are not followed.
func readPlugins(dir string) ([]plugins.Definition, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return plugins.Read(root.FS())
}
