package cmd

import (
	"os"

	"sandbar/host/config"
	"sandbar/host/deploy"
	"sandbar/plugins"
	"sandbar/sandbox"
	"sandbar/sandbox/lua"
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

// load makes a plugin with the engine that its source is for. This is the only place that chooses one.
func load(cfg *sandbox.Config, source []byte, env sandbox.Env) (sandbox.Plugin, error) {
	return lua.Load(cfg, source, env)
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
