package lua

import (
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox"
	"sandbar/sandbox/lua/lib"
)

// openGlobals puts the base library and the functions of the plugin API into the state.
func (p *plugin) openGlobals() {
	lib.OpenBase(p.L, p)
	for _, m := range lib.Modules() {
		if m.Only == "" || m.Only == p.cfg.Kind {
			p.modules[m.Name] = m
		}
	}
	for name, fn := range map[string]lua.LGFunction{
		"read_config": p.readConfig, "read_message": p.readMessage, "decode_message": p.decodeMessage,
		"inject_message": p.injectMessage, "inject_payload": p.injectPayload, "add_to_payload": p.addToPayload,
		"print": p.print, "require": p.require,
	} {
		p.L.SetGlobal(name, p.L.NewFunction(fn))
	}
}

// require returns a module, and makes it a global of its name unless the name has a dot.
func (p *plugin) require(L *lua.LState) int {
	name := L.CheckString(1)
	t, ok := p.loaded[name]
	if !ok {
		m, known := p.modules[name]
		if !known {
			L.RaiseError("%s", p.noModule(name))
		}
		t = m.Open(L, p)
		t.Metatable = L.NewTable() // as Hindsight: marks what is no state of the plugin
		p.loaded[name], p.libs[t] = t, true
		if !strings.Contains(name, ".") {
			L.SetGlobal(name, t)
		}
	}
	L.Push(t)
	return 1
}

func (p *plugin) noModule(name string) string {
	switch name {
	case "io", "coroutine", "debug", "package":
		return fmt.Sprintf("module '%s' disabled", name)
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
func (p *plugin) readConfig(L *lua.LState) int {
	if L.GetTop() != 1 {
		L.RaiseError("read_config() takes exactly one argument")
	}
	L.Push(p.setting(L, L.CheckString(1)))
	return 1
}

// setting is a key of the config, or what the host adds to it.
func (p *plugin) setting(L *lua.LState, key string) lua.LValue {
	if v, ok := p.cfg.Keys[key]; ok {
		return p.toLua(L, v)
	}
	limits := p.cfg.Limits
	switch key {
	case "Logger":
		return lua.LString(p.cfg.Logger())
	case "Hostname":
		return lua.LString(p.env.Hostname)
	case "Pid":
		return lua.LNumber(p.env.Pid)
	case "instruction_limit":
		return lua.LNumber(limits.Instructions)
	case "memory_limit":
		return lua.LNumber(limits.Memory)
	case "output_limit":
		return lua.LNumber(limits.Output)
	case "process_message_inject_limit":
		return lua.LNumber(limits.ProcessInject)
	case "timer_event_inject_limit":
		return lua.LNumber(limits.TimerInject)
	case "ticker_interval":
		return lua.LNumber(p.cfg.TickerInterval)
	case "preserve_data":
		return lua.LBool(p.cfg.PreserveData)
	}
	return lua.LNil
}

func (p *plugin) toLua(L *lua.LState, v any) lua.LValue {
	switch v := v.(type) {
	case string:
		return lua.LString(v)
	case float64:
		return lua.LNumber(v)
	case bool:
		return lua.LBool(v)
	case sandbox.Table:
		p.Reserve(L, sizeTable+hashSize(int64(len(v))))
		t := L.NewTable()
		for k, x := range v {
			t.RawSet(p.toLua(L, k), p.toLua(L, x))
		}
		return t
	}
	return lua.LNil
}
