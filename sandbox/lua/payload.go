package lua

import (
	"strconv"
	"strings"

	"sandbar/sandbox"
	"sandbar/sandbox/lua/std"
	"sandbar/sandbox/lua/vm"
	"sandbar/sandbox/number"
)

// injectPayload is inject_payload([type [, name [, args...]]]).
func (p *plugin) injectPayload(L *vm.State) int {
	kind, name := "txt", (*string)(nil)
	n := L.Args()
	if n > 0 {
		kind = stringArg(L, 1, "payload_type")
	}
	if n > 1 {
		s := stringArg(L, 2, "payload_name")
		name = &s
	}
	for i := 3; i <= n; i++ {
		p.appendPayload(L, i)
	}
	p.Check(L, p.out.SendPayload(kind, name))
	return 0
}

func stringArg(L *vm.State, i int, what string) string {
	s, ok := L.Arg(i).Str()
	if !ok {
		L.Throwf("inject_payload() %s argument must be a string", what)
	}
	return s
}

// addToPayload is add_to_payload(args...).
func (p *plugin) addToPayload(L *vm.State) int {
	n := L.Args()
	if n == 0 {
		L.Throwf("add_to_payload() must have at least one argument")
	}
	for i := 1; i <= n; i++ {
		p.appendPayload(L, i)
	}
	return 0
}

// appendPayload appends argument i to the payload that is gathered.
func (p *plugin) appendPayload(L *vm.State, i int) {
	v := L.Arg(i)
	switch v.Type() {
	case vm.StringType:
		s, _ := v.Str()
		p.Check(L, p.out.AppendString(s))
	case vm.NumberType:
		f, _ := v.Float()
		p.Check(L, p.out.Append(number.AppendPayload(p.digits[:0], f)))
	case vm.BoolType:
		p.Check(L, p.out.AppendString(strconv.FormatBool(v.True())))
	case vm.NilType:
		p.Check(L, p.out.AppendString("nil"))
	case vm.UserdataType:
		o, ok := payload(L, v)
		if !ok {
			L.Throw("add_to_payload() unknown userdata type")
		}
		p.Check(L, p.out.AppendObject(o))
	default:
		L.Throwf("add_to_payload() unsupported type: %s", v.Type())
	}
}

// print logs its arguments, separated by tabs, and clears the payload.
func (p *plugin) print(L *vm.State) int {
	p.out.ClearPayload()
	line := &printed{plugin: p}
	return line.from(L, 1)
}

// printed is one line of print. It waits for the __tostring of its arguments.
type printed struct {
	*plugin
	text []byte
	next int
}

func (l *printed) from(L *vm.State, i int) int {
	for ; i <= L.Args(); i++ {
		v := L.Arg(i)
		if h := L.Meta(v, "__tostring"); !h.IsNil() {
			l.next = i + 1
			return L.Waits(L.Call(h, []vm.Value{v}, l.again), l)
		}
		l.add(L, i, std.Text(L, v))
	}
	l.Check(L, l.out.Print(l.text))
	return 0
}

// Held implements vm.Holder.
func (l *printed) Held() (int64, []vm.Value) { return 64 + int64(cap(l.text)), nil }

func (l *printed) again(L *vm.State) int {
	v := L.Result(1)
	if _, ok := v.Str(); !ok {
		L.Throw("'tostring' must return a string to 'print'")
	}
	l.add(L, l.next-1, v)
	return l.from(L, l.next)
}

func (l *printed) add(L *vm.State, i int, v vm.Value) {
	if i > 1 {
		l.text = append(l.text, '\t')
	}
	s, _ := v.Str()
	L.Spend(int64(len(s)) / 16)
	if nul := strings.IndexByte(s, 0); nul >= 0 {
		s = s[:nul]
	}
	l.Check(L, l.out.LineRoom(len(l.text)+len(s)))
	l.text = append(l.text, strings.ReplaceAll(s, "\t", " ")...)
}

// payload is what a userdata can be written as.
func payload(L *vm.State, v vm.Value) (sandbox.Payload, bool) {
	o, ok := v.Userdata().Object.(sandbox.Payload)
	if c, closes := o.(interface{ Closed() bool }); closes && c.Closed() {
		L.Throw("the document is closed")
	}
	return o, ok
}
