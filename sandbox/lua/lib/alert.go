package lib

import (
	"fmt"
	"time"

	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox"
)

// defaultThrottle is how long an alert of one id keeps quiet, when the config says nothing.
const defaultThrottle = 90 // minutes

// alerts is heka.alert: messages of Type "alert", at most one for an id in a time.
type alerts struct {
	h        Host
	disabled bool
	prefix   bool
	throttle float64 // minutes
	modules  sandbox.Table
	limits   sandbox.Table
	sent     map[string]time.Time
}

func openAlert(L *lua.LState, h Host) *lua.LTable {
	a := &alerts{h: h, throttle: defaultThrottle, sent: map[string]time.Time{}}
	cfg, ok := h.Config().Keys["alert"].(sandbox.Table)
	if !ok {
		L.RaiseError("heka.alert: the config needs a table alert = {throttle = minutes, modules = {...}}")
	}
	a.disabled, _ = cfg["disabled"].(bool)
	a.prefix, _ = cfg["prefix"].(bool)
	if m, ok := cfg["throttle"].(float64); ok && m >= 0 {
		a.throttle = m
	}
	a.limits, _ = cfg["thresholds"].(sandbox.Table)
	a.modules, ok = cfg["modules"].(sandbox.Table)
	if !ok || len(a.modules) == 0 && !a.disabled {
		L.RaiseError("heka.alert: No alert modules were specified; the web page shows all alerts of: alert = {modules = {web = {}}}")
	}
	t := functions(L, map[string]lua.LGFunction{
		"send": a.send, "throttled": a.isThrottled, "get_threshold": a.threshold,
		"has_lookup": func(L *lua.LState) int { L.Push(lua.LFalse); return 1 },
	})
	thresholds := L.NewTable()
	for k, v := range a.limits {
		thresholds.RawSet(scalar(k), scalar(v))
	}
	t.RawSetString("thresholds", thresholds)
	return t
}

// scalar is a value of the config that is no table.
func scalar(v any) lua.LValue {
	switch v := v.(type) {
	case string:
		return lua.LString(v)
	case float64:
		return lua.LNumber(v)
	case bool:
		return lua.LBool(v)
	}
	return lua.LNil
}

// send is send(id, summary, detail [, throttle in minutes]) → whether it was sent.
func (a *alerts) send(L *lua.LState) int {
	id, summary, detail := L.CheckString(1), L.CheckString(2), L.CheckString(3)
	if a.disabled || summary == "" || a.quiet(id, float64(L.OptNumber(4, lua.LNumber(a.throttle)))) {
		L.Push(lua.LFalse)
		return 1
	}
	cfg, env := a.h.Config(), a.h.Env()
	if a.prefix {
		summary = fmt.Sprintf("Sandbar [%s#%s] - %s", cfg.Logger(), id, summary)
		detail = fmt.Sprintf("Hostname: %s\nPid: %d\n\n%s", env.Hostname, env.Pid, detail)
	}
	msg, fields := L.NewTable(), L.NewTable()
	msg.RawSetString("Type", lua.LString("alert"))
	msg.RawSetString("Severity", lua.LNumber(1))
	msg.RawSetString("Payload", lua.LString(detail))
	addField := func(name string, value lua.LValue) {
		f := L.NewTable()
		f.RawSetString("name", lua.LString(name))
		f.RawSetString("value", value)
		fields.Append(f)
	}
	addField("id", lua.LString(id))
	addField("summary", lua.LString(summary))
	a.recipients(L, addField)
	msg.RawSetString("Fields", fields)
	a.h.Reserve(L, int64(len(detail)+len(summary))+4096)
	a.h.Inject(L, msg)
	a.remember(id)
	L.Push(lua.LTrue)
	return 1
}

// recipients adds the fields of the modules that send alerts on.
func (a *alerts) recipients(L *lua.LState, add func(string, lua.LValue)) {
	if email, ok := a.modules["email"].(sandbox.Table); ok {
		if to, ok := email["recipients"].(sandbox.Table); ok && len(to) > 0 {
			list := L.NewTable()
			for i := 1; i <= len(to); i++ {
				if s, ok := to[float64(i)].(string); ok {
					list.Append(lua.LString("<" + s + ">"))
				}
			}
			if list.Len() > 0 {
				add("email.recipients", list)
			}
		}
	}
	if irc, ok := a.modules["irc"].(sandbox.Table); ok {
		if target, ok := irc["target"].(string); ok {
			add("irc.target", lua.LString(target))
		}
	}
}

// maxRemembered bounds the ids whose last alert is remembered.
const maxRemembered = 10_000

func (a *alerts) remember(id string) {
	now := a.h.Env().Now()
	if len(a.sent) >= maxRemembered {
		for old, at := range a.sent {
			if now.Sub(at).Minutes() >= a.throttle {
				delete(a.sent, old)
			}
		}
		if len(a.sent) >= maxRemembered {
			clear(a.sent)
		}
	}
	a.sent[id] = now
}

func (a *alerts) quiet(id string, minutes float64) bool {
	at, ok := a.sent[id]
	return ok && minutes > 0 && a.h.Env().Now().Sub(at).Minutes() < minutes
}

// isThrottled is throttled(id [, minutes]).
func (a *alerts) isThrottled(L *lua.LState) int {
	L.Push(lua.LBool(a.quiet(L.CheckString(1), float64(L.OptNumber(2, lua.LNumber(a.throttle))))))
	return 1
}

// threshold is get_threshold(id): that of the id, or of "*", or "_default_".
func (a *alerts) threshold(L *lua.LState) int {
	for _, key := range [...]string{L.CheckString(1), "*", "_default_"} {
		if v, ok := a.limits[key]; ok {
			L.Push(scalar(v))
			return 1
		}
	}
	L.Push(lua.LNil)
	return 1
}
