package lua

import (
	"fmt"
	"strconv"
	"strings"

	"sandbar/sandbox"
	"sandbar/sandbox/lua/lib"
	"sandbar/sandbox/lua/std"
	"sandbar/sandbox/lua/vm"
	"sandbar/sandbox/message"
	"sandbar/sandbox/number"
)

// injectPayload is inject_payload([type [, name [, args...]]]).
func (p *plugin) injectPayload(L *vm.State) int {
	kind, name, named := "txt", "", false
	n := L.Args()
	if n > 0 {
		kind = stringArg(L, 1, "payload_type")
	}
	if n > 1 {
		name, named = stringArg(L, 2, "payload_name"), true
	}
	for i := 3; i <= n; i++ {
		p.appendPayload(L, i)
	}
	if len(p.payload) == 0 {
		return 0
	}
	if most := p.cfg.Limits.Graph; most > 0 && strings.HasPrefix(kind, "cbuf") && int64(len(p.payload)) > most {
		p.Fail(L, sandbox.OutputExceeded, fmt.Sprintf("the graph has %d bytes, this host allows %d; take fewer rows or columns", len(p.payload), most))
	}
	p.countInject(L)
	p.builder.Reset()
	p.headers(L, nil)
	p.builder.SetHeader(message.Type, "inject_payload")
	p.builder.SetHeaderBytes(message.Payload, p.payload)
	p.builder.AddString("payload_type", "", kind)
	if named {
		p.builder.AddString("payload_name", "", name)
	}
	p.payload = p.payload[:0]
	p.emit(L)
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

// appendPayload appends argument i to the payload buffer.
func (p *plugin) appendPayload(L *vm.State, i int) {
	before := len(p.payload)
	v := L.Arg(i)
	switch v.Type() {
	case vm.StringType:
		s, _ := v.Str()
		if int64(before+len(s)) > p.OutputLimit() {
			p.payloadFull(L)
		}
		p.payload = append(p.payload, s...)
	case vm.NumberType:
		f, _ := v.Float()
		p.payload = number.AppendPayload(p.payload, f)
	case vm.BoolType:
		p.payload = strconv.AppendBool(p.payload, v.True())
	case vm.NilType:
		p.payload = append(p.payload, "nil"...)
	case vm.UserdataType:
		o, ok := v.Userdata().Object.(lib.Payload)
		if !ok {
			L.Throw("add_to_payload() unknown userdata type")
		}
		if int64(before)+o.PayloadMin() > p.OutputLimit() {
			p.payloadFull(L)
		}
		L.Spend(o.Size() / 32)
		p.payload = o.AppendPayload(p.payload)
	default:
		L.Throwf("add_to_payload() unsupported type: %s", v.Type())
	}
	L.Spend(int64(len(p.payload)-before) / 16)
	if int64(len(p.payload)) > p.OutputLimit() {
		p.payloadFull(L)
	}
}

func (p *plugin) payloadFull(L *vm.State) {
	p.payload = p.payload[:0]
	p.Fail(L, sandbox.OutputExceeded, fmt.Sprintf("output_limit exceeded: a payload may have %d bytes", p.OutputLimit()))
}

// print logs its arguments, separated by tabs, and clears the payload buffer.
func (p *plugin) print(L *vm.State) int {
	p.payload = p.payload[:0]
	line := &printed{plugin: p}
	return line.from(L, 1)
}

// printed is one line of print. It waits for the __tostring of its arguments.
type printed struct {
	*plugin
	text strings.Builder
	next int
}

func (l *printed) from(L *vm.State, i int) int {
	for ; i <= L.Args(); i++ {
		v := L.Arg(i)
		if h := L.Meta(v, "__tostring"); !h.IsNil() {
			l.next = i + 1
			return L.Call(h, []vm.Value{v}, l.again)
		}
		l.add(L, i, std.Text(L, v))
	}
	L.Spend(10 + int64(l.text.Len())/16)
	most := l.cfg.Limits.LogLines
	l.printed++
	switch {
	case l.env.Log == nil || most > 0 && l.printed > most+1:
	case most > 0 && l.printed > most:
		l.env.Log(fmt.Sprintf("further lines of this call are left out; %d are allowed", most))
	default:
		l.env.Log(strings.ToValidUTF8(l.text.String(), "\uFFFD"))
	}
	return 0
}

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
		l.text.WriteByte('\t')
	}
	s, _ := v.Str()
	if nul := strings.IndexByte(s, 0); nul >= 0 {
		s = s[:nul]
	}
	if int64(l.text.Len()+len(s)) > min(l.OutputLimit(), 64<<10) {
		l.Fail(L, sandbox.OutputExceeded, "output_limit exceeded: a printed line is too long")
	}
	for _, c := range []byte(s) {
		if c < ' ' || c == 0x7f {
			c = ' '
		}
		l.text.WriteByte(c)
	}
}
