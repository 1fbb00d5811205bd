package lib

import (
	"fmt"
	"strings"

	"sandbar/sandbox/lua/vm"

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
}

// maxSummary bounds the summary of an alert in bytes; the detail is bounded by output_limit.
const maxSummary = 512

func openAlert(L *vm.State, h Host) *vm.Table {
	a := &alerts{h: h, throttle: defaultThrottle}
	cfg, ok := h.Config().Keys["alert"].(sandbox.Table)
	if !ok {
		L.Throwf("heka.alert: the config needs a table alert = {throttle = minutes, modules = {...}}")
	}
	a.disabled, _ = cfg["disabled"].(bool)
	a.prefix, _ = cfg["prefix"].(bool)
	if m, ok := cfg["throttle"].(float64); ok && m >= 0 {
		a.throttle = m
	}
	a.limits, _ = cfg["thresholds"].(sandbox.Table)
	a.modules, ok = cfg["modules"].(sandbox.Table)
	if !ok || len(a.modules) == 0 && !a.disabled {
		L.Throwf("heka.alert: No alert modules were specified; the web page shows all alerts of: alert = {modules = {web = {}}}")
	}
	t := functions(L, map[string]vm.HostFunc{
		"send": a.send, "throttled": a.isThrottled, "get_threshold": a.threshold,
		"has_lookup": func(L *vm.State) int { L.Push(vm.False); return 1 },
	})
	thresholds := L.NewTable(0, 0)
	for k, v := range a.limits {
		L.Set(thresholds, scalar(L, k), scalar(L, v))
	}
	L.SetField(t, "thresholds", thresholds.Value())
	return t
}

// scalar is a value of the config that is no table.
func scalar(L *vm.State, v any) vm.Value {
	switch v := v.(type) {
	case string:
		return L.Str(string(v))
	case float64:
		return vm.Number(float64(v))
	case bool:
		return vm.Bool(bool(v))
	}
	return vm.Nil
}

// send is send(id, summary, detail [, throttle in minutes]) → whether it was sent.
func (a *alerts) send(L *vm.State) int {
	id, summary, detail := cut(L.CheckString(1), maxAlertID), cut(L.CheckString(2), maxSummary), L.CheckString(3)
	if a.disabled || summary == "" || a.quiet(id, L.OptNumber(4, a.throttle)) {
		L.Push(vm.False)
		return 1
	}
	cfg, env := a.h.Config(), a.h.Env()
	if a.prefix {
		summary = fmt.Sprintf("Sandbar [%s#%s] - %s", cfg.Logger(), id, summary)
		detail = fmt.Sprintf("Hostname: %s\nPid: %d\n\n%s", env.Hostname, env.Pid, detail)
	}
	msg, fields := L.NewTable(0, 0), L.NewTable(0, 0)
	L.SetField(msg, "Type", L.Str("alert"))
	L.SetField(msg, "Severity", vm.Number(float64(1)))
	L.SetField(msg, "Payload", L.Str(string(detail)))
	addField := func(name string, value vm.Value) {
		f := L.NewTable(0, 0)
		L.SetField(f, "name", L.Str(string(name)))
		L.SetField(f, "value", value)
		L.SetInt(fields, fields.Len()+1, f.Value())
	}
	addField("id", L.Str(string(id)))
	addField("summary", L.Str(string(summary)))
	a.recipients(L, addField)
	L.SetField(msg, "Fields", fields.Value())
	a.h.Inject(L, msg)
	a.h.Throttles().remember(id, env.Now(), a.throttle)
	L.Push(vm.True)
	return 1
}

// recipients adds the fields of the modules that send alerts on.
func (a *alerts) recipients(L *vm.State, add func(string, vm.Value)) {
	if email, ok := a.modules["email"].(sandbox.Table); ok {
		if to, ok := email["recipients"].(sandbox.Table); ok && len(to) > 0 {
			list := L.NewTable(0, 0)
			for i := 1; i <= len(to); i++ {
				if s, ok := to[float64(i)].(string); ok {
					L.SetInt(list, list.Len()+1, L.Str("<"+s+">"))
				}
			}
			if list.Len() > 0 {
				add("email.recipients", list.Value())
			}
		}
	}
	if irc, ok := a.modules["irc"].(sandbox.Table); ok {
		if target, ok := irc["target"].(string); ok {
			add("irc.target", L.Str(string(target)))
		}
	}
}

func (a *alerts) quiet(id string, minutes float64) bool {
	return minutes > 0 && a.h.Throttles().quiet(id, a.h.Env().Now(), minutes)
}

// cut bounds a text to so many bytes of whole characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-len("…")], "") + "…"
}

// isThrottled is throttled(id [, minutes]).
func (a *alerts) isThrottled(L *vm.State) int {
	L.PushBool(a.quiet(cut(L.CheckString(1), maxAlertID), L.OptNumber(2, a.throttle)))
	return 1
}

// threshold is get_threshold(id): that of the id, or of "*", or "_default_".
func (a *alerts) threshold(L *vm.State) int {
	for _, key := range [...]string{L.CheckString(1), "*", "_default_"} {
		if v, ok := a.limits[key]; ok {
			L.Push(scalar(L, v))
			return 1
		}
	}
	L.Push(vm.Nil)
	return 1
}
