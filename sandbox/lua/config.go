package lua

import (
	"fmt"

	"sandbar/sandbox"
	"sandbar/sandbox/lua/vm"
)

// What a config may cost and hold.
const (
	configInstructions = 100_000
	configMemory       = 1 << 20
	configDepth        = 16
)

// ParseConfig evaluates a .cfg, Lua assignments without any library, and checks the keys that the host knows.
// Errors are *sandbox.Error with the line where one is known.
func ParseConfig(kind sandbox.Kind, name string, source []byte) (*sandbox.Config, error) {
	cfg := &sandbox.Config{Name: name, Kind: kind, Limits: sandbox.Limits{Instructions: configInstructions, Memory: configMemory}}
	p := &plugin{cfg: cfg, L: vm.New(vm.Options{Fuel: configInstructions, Memory: configMemory})}
	main, err := p.L.Load(name+".cfg", source)
	if err != nil {
		return nil, inConfig(loadError(cfg, err))
	}
	if res, _ := p.call(main.Value(), 0); res.Outcome != sandbox.OK {
		return nil, inConfig(&sandbox.Error{Plugin: cfg.Logger(), Line: res.Line, Text: res.Text})
	}
	keys, err := fromLua(p.L, p.L.Globals(), 0)
	if err != nil {
		return nil, inConfig(loadError(cfg, err))
	}
	checked, err := sandbox.NewConfig(kind, name, keys)
	if err != nil {
		return nil, inConfig(loadError(cfg, err))
	}
	return checked, nil
}

func inConfig(e *sandbox.Error) error {
	e.Outcome, e.Text = sandbox.LoadError, "config: "+e.Text
	return e
}

// fromLua copies what a config may hold.
func fromLua(L *vm.State, t *vm.Table, depth int) (sandbox.Table, error) {
	if depth > configDepth {
		return nil, fmt.Errorf("tables are nested more than %d deep", configDepth)
	}
	out := sandbox.Table{}
	for k, v := range t.All() {
		key, err := fromValue(L, k, depth)
		if err != nil {
			return nil, err
		}
		if _, isTable := key.(sandbox.Table); isTable {
			return nil, fmt.Errorf("a table cannot be a key")
		}
		if out[key], err = fromValue(L, v, depth); err != nil {
			return nil, fmt.Errorf("key %v: %w", key, err)
		}
	}
	return out, nil
}

func fromValue(L *vm.State, v vm.Value, depth int) (any, error) {
	switch v.Type() {
	case vm.StringType:
		s, _ := v.Str()
		return s, nil
	case vm.NumberType:
		f, _ := v.Float()
		return f, nil
	case vm.BoolType:
		return v.True(), nil
	case vm.TableType:
		return fromLua(L, v.Table(), depth+1)
	}
	return nil, fmt.Errorf("a %s cannot be in a config", v.Type())
}
