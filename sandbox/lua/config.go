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
	configValues       = 10_000 // also of tables that are shared
	configBytes        = 1 << 20
)

// ParseConfig evaluates a .cfg, Lua assignments without any library, and checks the keys that the host knows.
// Errors are *sandbox.Error with the line where one is known.
func ParseConfig(kind sandbox.Kind, name string, source []byte) (*sandbox.Config, error) {
	cfg := &sandbox.Config{Name: name, Kind: kind, Limits: sandbox.Limits{Instructions: configInstructions, Memory: configMemory}}
	p := &plugin{cfg: cfg, L: vm.New(vm.Options{Fuel: configInstructions, Memory: configMemory})}
	p.out = sandbox.NewOutbox(cfg, &p.env, p.L)
	main, err := p.L.Load(name+".cfg", source)
	if err != nil {
		return nil, inConfig(loadError(cfg, err))
	}
	var res sandbox.Result
	if p.call(&res, main.Value(), false, 0); res.Outcome != sandbox.OK {
		return nil, inConfig(&sandbox.Error{Plugin: cfg.Logger(), Line: res.Line, Text: res.Text})
	}
	c := copier{L: p.L}
	keys, err := c.table(p.L.Globals(), 0)
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

// copier copies what a config may hold, within bounds: a table that is shared is copied again for each reference.
type copier struct {
	L             *vm.State
	values, bytes int
}

func (c *copier) table(t *vm.Table, depth int) (sandbox.Table, error) {
	if depth > configDepth {
		return nil, fmt.Errorf("tables are nested more than %d deep", configDepth)
	}
	out := sandbox.Table{}
	for k, v := range t.All() {
		key, err := c.value(k, depth)
		if err != nil {
			return nil, err
		}
		if _, isTable := key.(sandbox.Table); isTable {
			return nil, fmt.Errorf("a table cannot be a key")
		}
		if out[key], err = c.value(v, depth); err != nil {
			return nil, fmt.Errorf("key %.40v: %w", key, err)
		}
	}
	return out, nil
}

func (c *copier) value(v vm.Value, depth int) (any, error) {
	if c.values++; c.values > configValues {
		return nil, fmt.Errorf("the config has more than %d values", configValues)
	}
	switch v.Type() {
	case vm.StringType:
		s, _ := v.Str()
		if c.bytes += len(s); c.bytes > configBytes {
			return nil, fmt.Errorf("the texts of the config have more than %d bytes", configBytes)
		}
		return s, nil
	case vm.NumberType:
		f, _ := v.Float()
		return f, nil
	case vm.BoolType:
		return v.True(), nil
	case vm.TableType:
		return c.table(v.Table(), depth+1)
	}
	return nil, fmt.Errorf("a %s cannot be in a config", v.Type())
}
