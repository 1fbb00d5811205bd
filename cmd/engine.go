package cmd

import (
	"sandbar/host/config"
	"sandbar/host/deploy"
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
