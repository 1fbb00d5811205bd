package lua

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sandbar/sandbox"
	"sandbar/sandbox/lua/lib"
	"sandbar/sandbox/lua/std"
	"sandbar/sandbox/lua/vm"
)

// openGlobals puts the base library and the functions of the plugin API into the state.
func (p *plugin) openGlobals() error {
	L := p.L
	p.process, p.timer = L.Intern("process_message"), L.Intern("timer_event")
	std.OpenBase(L)
	for _, m := range lib.Modules() {
		if m.Only == "" || m.Only == p.cfg.Kind {
			p.modules[m.Name] = m
		}
	}
	api := map[string]vm.HostFunc{
		"read_config": p.readConfig, "read_message": p.readMessage, "decode_message": p.decodeMessage,
		"inject_message": p.injectMessage, "inject_payload": p.injectPayload, "add_to_payload": p.addToPayload,
		"print": p.print, "require": p.require,
	}
	if p.cfg.Kind == sandbox.Output {
		api["update_checkpoint"] = p.updateCheckpoint
	}
	for _, name := range slices.Sorted(maps.Keys(api)) {
		L.SetGlobal(name, L.NewFunction(name, api[name]).Value())
	}
	L.PermanentIn("api", L.Globals())
	return nil
}

// updateCheckpoint is update_checkpoint([sequence_id [, failures]]): all messages up to that one, or all so far, are done with.
func (p *plugin) updateCheckpoint(L *vm.State) int {
	seq := p.sequence
	if L.Args() > 0 && !L.Arg(1).IsNil() {
		seq = min(seq, int64(L.CheckInt(1)))
	}
	p.acked = max(p.acked, seq)
	return 0
}

// require returns a module, and makes it a global of its name unless the name has a dot.
func (p *plugin) require(L *vm.State) int {
	name := L.CheckString(1)
	if len(name) > maxModuleName {
		L.Throw(p.noModule(name))
	}
	m, known := p.modules[name]
	if !known {
		L.Throw(p.noModule(name))
	}
	t := L.Field(L.Loaded(), name).Table() // which keeps the name for the life of the plugin
	if t == nil {
		t = p.open(&m)
	}
	L.Push(t.Value())
	return 1
}

func (p *plugin) open(m *lib.Module) *vm.Table {
	L := p.L
	t := m.Open(L, p)
	t.SetMeta(L.NewTable(0, 0)) // as Hindsight: marks what is no state of the plugin
	p.libs[t] = true
	L.SetField(L.Loaded(), m.Name, t.Value())
	if !strings.Contains(m.Name, ".") {
		L.SetGlobal(m.Name, t.Value())
	}
	L.PermanentIn("loaded", L.Loaded())
	return t
}

// maxModuleName is how much of a module's name is looked at.
const maxModuleName = 100

func (p *plugin) noModule(name string) string {
	p.L.Spend(100)
	switch name {
	case "io", "debug", "package":
		return fmt.Sprintf("module '%s' disabled", name)
	}
	if len(name) > maxModuleName {
		name = name[:maxModuleName] + "..."
	}
	var names []string
	for _, m := range lib.Modules() {
		if m.Name == name {
			return fmt.Sprintf("module '%s' disabled: only %s plugins have it", name, m.Only)
		}
		if _, has := p.modules[m.Name]; has {
			names = append(names, m.Name)
		}
	}
	return fmt.Sprintf("module '%s' not found; there are %s", name, strings.Join(names, ", "))
}

// Config implements lib.Host.
func (p *plugin) Config() *sandbox.Config { return p.cfg }

// Env implements lib.Host.
func (p *plugin) Env() *sandbox.Env { return &p.env }

// readConfig is read_config(key).
func (p *plugin) readConfig(L *vm.State) int {
	if L.Args() != 1 {
		L.Throw("read_config() takes exactly one argument")
	}
	L.Push(p.setting(L, L.CheckString(1)))
	return 1
}

// setting is a key of the config, or what the host adds to it.
func (p *plugin) setting(L *vm.State, key string) vm.Value {
	L.Spend(int64(len(key)) / 16)
	if v, ok := p.cfg.Keys[key]; ok {
		return toLua(L, v)
	}
	switch key {
	case "Hostname":
		return L.Str(p.env.Hostname)
	case "Pid":
		return vm.Int(p.env.Pid)
	}
	return toLua(L, p.cfg.Setting(key))
}

func toLua(L *vm.State, v any) vm.Value {
	switch v := v.(type) {
	case string:
		L.Spend(int64(len(v)) / 64)
		return L.Str(v)
	case float64:
		return vm.Number(v)
	case bool:
		return vm.Bool(v)
	case sandbox.Table:
		L.Spend(20 + 20*int64(len(v)))
		t := L.NewTable(0, 0)
		for i := 1; ; i++ { // arrays in their order
			x, ok := v[float64(i)]
			if !ok {
				break
			}
			L.SetInt(t, i, toLua(L, x))
		}
		for _, k := range v.Order() { // pairs goes the same way each time
			L.Set(t, toLua(L, k), toLua(L, v[k]))
		}
		return t.Value()
	}
	return vm.Nil
}
