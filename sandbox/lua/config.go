package lua

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox"
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
	proto, err := compile(name+".cfg", source)
	if err != nil {
		return nil, inConfig(loadError(cfg, err))
	}
	p := &plugin{cfg: cfg, L: newState()}
	defer p.L.Close()
	p.meter, p.memory = newMeter(configInstructions), newMemory(configMemory)
	p.L.SetContext(&p.meter)
	if res := p.call(p.main(proto), 0); res.Outcome != sandbox.OK {
		return nil, inConfig(&sandbox.Error{Plugin: cfg.Logger(), Line: res.Line, Text: res.Text})
	}
	keys, err := fromLua(p.L.G.Global, 0)
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
func fromLua(t *lua.LTable, depth int) (sandbox.Table, error) {
	if depth > configDepth {
		return nil, fmt.Errorf("tables are nested more than %d deep", configDepth)
	}
	out := sandbox.Table{}
	for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
		key, err := fromValue(k, depth)
		if err != nil {
			return nil, err
		}
		if _, isTable := key.(sandbox.Table); isTable {
			return nil, fmt.Errorf("a table cannot be a key")
		}
		if out[key], err = fromValue(v, depth); err != nil {
			return nil, fmt.Errorf("key %v: %w", key, err)
		}
	}
	return out, nil
}

func fromValue(v lua.LValue, depth int) (any, error) {
	switch v := v.(type) {
	case lua.LString:
		return string(v), nil
	case lua.LNumber:
		return float64(v), nil
	case lua.LBool:
		return bool(v), nil
	case *lua.LTable:
		return fromLua(v, depth+1)
	}
	return nil, fmt.Errorf("a %s cannot be in a config", v.Type())
}
