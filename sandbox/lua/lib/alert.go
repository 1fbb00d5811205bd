package lib

import (
	"sandbar/sandbox"
	"sandbar/sandbox/lua/vm"
)

// alerts is heka.alert: messages of Type "alert", at most one for an id in a time.
type alerts struct {
	h Host
	*sandbox.Alerts
}

func openAlert(L *vm.State, h Host) *vm.Table {
	all, err := sandbox.NewAlerts(h.Config(), h.Env(), h.Throttles())
	if err != nil {
		L.Throwf("heka.alert: %s", err.Error())
	}
	a := &alerts{h, all}
	t := functions(L, map[string]vm.HostFunc{
		"send": a.send, "over": a.over, "note": a.note, "throttled": a.throttled, "get_threshold": a.threshold,
		"has_lookup": func(L *vm.State) int { L.Push(vm.False); return 1 },
	})
	thresholds := L.NewTable(0, 0)
	for _, k := range a.Thresholds.Order() { // pairs goes the same way each time
		L.Set(thresholds, scalar(L, k), scalar(L, a.Thresholds[k]))
	}
	L.SetField(t, "thresholds", thresholds.Value())
	return t
}

// scalar is a value of the config that is no table.
func scalar(L *vm.State, v any) vm.Value {
	switch v := v.(type) {
	case string:
		return L.Str(v)
	case float64:
		return vm.Number(v)
	case bool:
		return vm.Bool(v)
	}
	return vm.Nil
}

// send is send(id, summary, detail [, throttle in minutes [, labels]]) → whether it was sent.
// pay pays for looking at the texts of a call.
func pay(L *vm.State) {
	L.Spend(8)
	for _, v := range L.ArgList(1) {
		s, _ := v.Str()
		L.Spend(int64(len(s)) / 16)
	}
}

func (a *alerts) send(L *vm.State) int {
	pay(L)
	sent, err := a.Send(a.h.Outbox(), L.CheckString(1), L.CheckString(2), L.CheckString(3), L.OptNumber(4, a.Throttle), labels(L, 5))
	a.h.Check(L, err)
	L.PushBool(sent)
	return 1
}

// labels reads a table of texts, if there is one.
func labels(L *vm.State, arg int) sandbox.Labels {
	if L.Arg(arg).IsNil() {
		return nil
	}
	t, all := L.CheckTable(arg), sandbox.Labels{}
	for k, v, _ := t.Next(L, vm.Nil); !k.IsNil(); k, v, _ = t.Next(L, k) {
		name, isName := k.Str()
		value, isText := v.Str()
		if !isName || !isText {
			L.ArgError(arg, `labels are texts: {team = "web"}`)
		}
		if err := all.Set(name, value); err != nil {
			L.ArgError(arg, err.Error())
		}
	}
	return all
}

// over is over(id [, detail]) → whether that was told.
func (a *alerts) over(L *vm.State) int {
	pay(L)
	told, err := a.Over(a.h.Outbox(), L.CheckString(1), L.OptString(2, ""))
	a.h.Check(L, err)
	L.PushBool(told)
	return 1
}

// note is note(id): the message at hand is evidence for alerts of the id.
func (a *alerts) note(L *vm.State) int {
	pay(L)
	a.Note(L.CheckString(1))
	return 0
}

// throttled is throttled(id [, minutes]).
func (a *alerts) throttled(L *vm.State) int {
	pay(L)
	L.PushBool(a.Throttled(L.CheckString(1), L.OptNumber(2, a.Throttle)))
	return 1
}

// threshold is get_threshold(id): that of the id, or of "*", or "_default_".
func (a *alerts) threshold(L *vm.State) int {
	pay(L)
	L.Push(scalar(L, a.Threshold(L.CheckString(1))))
	return 1
}
