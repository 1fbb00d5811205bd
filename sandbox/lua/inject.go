package lua

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox"
	"sandbar/sandbox/lua/lib"
	"sandbar/sandbox/message"
	"sandbar/sandbox/number"
)

// uuids makes the ids of injected messages.
type uuids struct{ r *rand.PCG }

func newUUIDs(seed uint64) uuids { return uuids{rand.NewPCG(seed, 0x9e3779b97f4a7c15)} }

func (u uuids) next() [16]byte { return message.NewUUID(u.r.Uint64(), u.r.Uint64()) }

// injectMessage is inject_message(table).
func (p *plugin) injectMessage(L *lua.LState) int {
	t, ok := L.Get(1).(*lua.LTable)
	if !ok {
		L.RaiseError("inject_message() takes a table, not a %s", L.Get(1).Type())
	}
	p.Inject(L, t)
	return 0
}

// Inject implements lib.Host.
func (p *plugin) Inject(L *lua.LState, t *lua.LTable) {
	p.countInject(L)
	p.builder.Reset()
	p.headers(L, t)
	switch fields := t.RawGetString("Fields").(type) {
	case *lua.LNilType:
	case *lua.LTable:
		p.fields(L, fields)
	default:
		L.RaiseError("inject_message() failed: Fields must be a table, not a %s", fields.Type())
	}
	p.emit(L)
}

// countInject raises when the call has made as many messages as it may.
func (p *plugin) countInject(L *lua.LState) {
	limit := p.cfg.Limits.ProcessInject
	if p.inTimer {
		limit = p.cfg.Limits.TimerInject
	}
	if p.injected >= limit {
		p.Fail(L, sandbox.InjectExceeded, "inject_message() failed: injection limit exceeded")
	}
	p.injected++
}

// emit sends the builder's message.
func (p *plugin) emit(L *lua.LState) {
	n := int64(p.builder.Len())
	if n > p.OutputLimit() {
		p.Fail(L, sandbox.OutputExceeded, fmt.Sprintf("output_limit exceeded: the message has %d bytes, %d are allowed", n, p.OutputLimit()))
	}
	p.Spend(L, n/64)
	if p.env.Emit == nil {
		L.RaiseError("inject_message() failed: nothing takes messages here")
	}
	p.encoded = p.builder.AppendTo(p.encoded[:0])
	if err := p.env.Emit(p.encoded); err != nil {
		L.RaiseError("inject_message() failed: %s", err.Error())
	}
}

// headers sets those of t and those that are the host's.
func (p *plugin) headers(L *lua.LState, t *lua.LTable) {
	b := &p.builder
	for _, h := range [...]message.Header{message.Type, message.Payload, message.EnvVersion} {
		if s, ok := p.textKey(L, t, h.String()); ok {
			b.SetHeader(h, s)
		}
	}
	if n, ok := p.numberKey(L, t, "Severity"); ok {
		b.SetSeverity(int32(n))
	}
	own := p.cfg.RestrictedHeaders
	uuid := p.uuids.next()
	b.SetUUID(uuid[:])
	b.SetTimestamp(p.env.Now().UnixNano())
	b.SetHeader(message.Logger, p.cfg.Logger())
	b.SetHeader(message.Hostname, p.env.Hostname)
	b.SetPid(int32(p.env.Pid))
	if own {
		return
	}
	if s, ok := p.textKey(L, t, "Uuid"); ok {
		if len(s) == len(uuid) {
			b.SetUUID([]byte(s))
		} else if u, ok := message.ParseUUID(s); ok {
			b.SetUUID(u[:])
		}
	}
	if n, ok := p.numberKey(L, t, "Timestamp"); ok {
		b.SetTimestamp(int64(n))
	}
	if s, ok := p.textKey(L, t, "Logger"); ok {
		b.SetHeader(message.Logger, s)
	}
	if s, ok := p.textKey(L, t, "Hostname"); ok {
		b.SetHeader(message.Hostname, s)
	}
	if n, ok := p.numberKey(L, t, "Pid"); ok {
		b.SetPid(int32(n))
	}
}

func (p *plugin) textKey(L *lua.LState, t *lua.LTable, key string) (string, bool) {
	switch v := t.RawGetString(key).(type) {
	case lua.LString:
		return string(v), true
	case *lua.LNilType:
		return "", false
	case *lua.LUserData:
		if o, ok := v.Value.(lib.Payload); ok {
			return string(o.AppendPayload(nil)), true
		}
		L.RaiseError("inject_message() failed: header %s: unknown userdata type", key)
	default:
		L.RaiseError("inject_message() failed: header %s must be a string, not a %s", key, v.Type())
	}
	return "", false
}

func (p *plugin) numberKey(L *lua.LState, t *lua.LTable, key string) (float64, bool) {
	switch v := t.RawGetString(key).(type) {
	case lua.LNumber:
		return float64(v), v == v
	case *lua.LNilType:
		return 0, false
	default:
		L.RaiseError("inject_message() failed: header %s must be a number, not a %s", key, v.Type())
	}
	return 0, false
}

// fields adds those of t: an array of {name=, value=, ...}, or a hash of name to value.
func (p *plugin) fields(L *lua.LState, t *lua.LTable) {
	if _, ok := t.RawGetInt(1).(*lua.LTable); ok {
		for i := 1; ; i++ {
			switch f := t.RawGetInt(i).(type) {
			case *lua.LTable:
				name, ok := f.RawGetString("name").(lua.LString)
				if !ok {
					L.RaiseError("inject_message() failed: Fields[%d] has no name", i)
				}
				p.object(L, string(name), f)
			case *lua.LNilType:
				return
			default:
				L.RaiseError("inject_message() failed: Fields[%d] must be a table, not a %s", i, f.Type())
			}
		}
	}
	for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
		name, ok := k.(lua.LString)
		if !ok {
			L.RaiseError("inject_message() failed: field name must be a string, not a %s", k.Type())
		}
		if f, ok := v.(*lua.LTable); ok && !isArray(f) {
			p.object(L, string(name), f)
			continue
		}
		p.field(L, string(name), "", -1, v)
	}
}

func isArray(t *lua.LTable) bool {
	switch t.RawGetInt(1).(type) {
	case lua.LString, lua.LNumber, lua.LBool:
		return true
	}
	return false
}

// object adds a field of the form {value=, value_type=, representation=}.
func (p *plugin) object(L *lua.LState, name string, f *lua.LTable) {
	valueType := -1
	switch v := f.RawGetString("value_type").(type) {
	case lua.LNumber:
		valueType = int(v)
	case *lua.LNilType:
	default:
		L.RaiseError("inject_message() failed: field '%s': value_type must be a number", name)
	}
	representation := ""
	if r, ok := f.RawGetString("representation").(lua.LString); ok {
		representation = string(r)
	}
	p.field(L, name, representation, valueType, f.RawGetString("value"))
}

// field adds one value or an array of values. A valueType of -1 is the one that goes with the value.
func (p *plugin) field(L *lua.LState, name, representation string, valueType int, v lua.LValue) {
	if t, ok := v.(*lua.LTable); ok {
		p.array(L, name, representation, valueType, t)
		return
	}
	b := &p.builder
	switch v := v.(type) {
	case lua.LString:
		if valueType == int(message.Bytes) {
			b.AddBytes(name, representation, []byte(v))
		} else {
			b.AddString(name, representation, string(v))
		}
	case lua.LNumber:
		if valueType == int(message.Integer) {
			b.AddInt(name, representation, integer(v))
		} else {
			b.AddDouble(name, representation, float64(v))
		}
	case lua.LBool:
		b.AddBool(name, representation, bool(v))
	case *lua.LUserData:
		o, ok := v.Value.(lib.Payload)
		if !ok {
			L.RaiseError("inject_message() failed: field '%s': unknown userdata type", name)
		}
		if r, ok := v.Value.(interface{ Representation() string }); ok && representation == "" {
			representation = r.Representation()
		}
		b.AddBytes(name, representation, o.AppendPayload(nil))
	default:
		L.RaiseError("inject_message() failed: field '%s': unsupported type: %s", name, v.Type())
	}
}

func (p *plugin) array(L *lua.LState, name, representation string, valueType int, t *lua.LTable) {
	n := t.Len()
	p.Spend(L, int64(n)/8)
	mixed := func() { L.RaiseError("inject_message() failed: field '%s': array has mixed types", name) }
	switch t.RawGetInt(1).(type) {
	case lua.LString:
		values := make([]string, n)
		for i := range values {
			s, ok := t.RawGetInt(i + 1).(lua.LString)
			if !ok {
				mixed()
			}
			values[i] = string(s)
		}
		if valueType != int(message.Bytes) {
			p.builder.AddString(name, representation, values...)
			return
		}
		raw := make([][]byte, n)
		for i, s := range values {
			raw[i] = []byte(s)
		}
		p.builder.AddBytes(name, representation, raw...)
	case lua.LNumber:
		p.numbers(L, name, representation, valueType, t, n, mixed)
	case lua.LBool:
		values := make([]bool, n)
		for i := range values {
			x, ok := t.RawGetInt(i + 1).(lua.LBool)
			if !ok {
				mixed()
			}
			values[i] = bool(x)
		}
		p.builder.AddBool(name, representation, values...)
	default:
		L.RaiseError("inject_message() failed: field '%s': unsupported type: %s", name, t.RawGetInt(1).Type())
	}
}

func (p *plugin) numbers(L *lua.LState, name, representation string, valueType int, t *lua.LTable, n int, mixed func()) {
	doubles, ints := make([]float64, n), make([]int64, n)
	for i := range doubles {
		x, ok := t.RawGetInt(i + 1).(lua.LNumber)
		if !ok {
			mixed()
		}
		doubles[i], ints[i] = float64(x), integer(x)
	}
	if valueType == int(message.Integer) {
		p.builder.AddInt(name, representation, ints...)
	} else {
		p.builder.AddDouble(name, representation, doubles...)
	}
}

// integer is a number as an INTEGER value; what does not fit becomes the nearest that does.
func integer(n lua.LNumber) int64 {
	switch f := float64(n); {
	case f != f:
		return 0
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	default:
		return int64(f)
	}
}

// injectPayload is inject_payload([type [, name [, args...]]]).
func (p *plugin) injectPayload(L *lua.LState) int {
	kind, name, named := "txt", "", false
	n := L.GetTop()
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
	p.countInject(L)
	p.builder.Reset()
	p.headers(L, &lua.LTable{Metatable: lua.LNil})
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

func stringArg(L *lua.LState, i int, what string) string {
	s, ok := L.Get(i).(lua.LString)
	if !ok {
		L.RaiseError("inject_payload() %s argument must be a string", what)
	}
	return string(s)
}

// addToPayload is add_to_payload(args...).
func (p *plugin) addToPayload(L *lua.LState) int {
	n := L.GetTop()
	if n == 0 {
		L.RaiseError("add_to_payload() must have at least one argument")
	}
	for i := 1; i <= n; i++ {
		p.appendPayload(L, i)
	}
	return 0
}

// appendPayload appends argument i to the payload buffer.
func (p *plugin) appendPayload(L *lua.LState, i int) {
	before := len(p.payload)
	switch v := L.Get(i).(type) {
	case lua.LString:
		if int64(before+len(v)) <= p.OutputLimit() {
			p.payload = append(p.payload, v...)
		} else {
			p.payloadFull(L)
		}
	case lua.LNumber:
		p.payload = number.AppendPayload(p.payload, float64(v))
	case lua.LBool:
		p.payload = strconv.AppendBool(p.payload, bool(v))
	case *lua.LNilType:
		p.payload = append(p.payload, "nil"...)
	case *lua.LUserData:
		o, ok := v.Value.(lib.Payload)
		if !ok {
			L.RaiseError("add_to_payload() unknown userdata type")
		}
		p.payload = o.AppendPayload(p.payload)
	default:
		L.RaiseError("add_to_payload() unsupported type: %s", v.Type())
	}
	p.Spend(L, int64(len(p.payload)-before)/16)
	if int64(len(p.payload)) > p.OutputLimit() {
		p.payloadFull(L)
	}
}

func (p *plugin) payloadFull(L *lua.LState) {
	p.payload = p.payload[:0]
	p.Fail(L, sandbox.OutputExceeded, fmt.Sprintf("output_limit exceeded: a payload may have %d bytes", p.OutputLimit()))
}

// print logs its arguments, separated by tabs, and clears the payload buffer.
func (p *plugin) print(L *lua.LState) int {
	p.payload = p.payload[:0]
	var b strings.Builder
	for i := 1; i <= L.GetTop(); i++ {
		if i > 1 {
			b.WriteByte('\t')
		}
		s := L.ToStringMeta(L.Get(i)).String()
		if nul := strings.IndexByte(s, 0); nul >= 0 {
			s = s[:nul]
		}
		if int64(b.Len()+len(s)) > min(p.OutputLimit(), 64<<10) {
			p.Fail(L, sandbox.OutputExceeded, "output_limit exceeded: a printed line is too long")
		}
		for _, c := range []byte(s) {
			if c < ' ' || c == 0x7f {
				c = ' '
			}
			b.WriteByte(c)
		}
	}
	p.Spend(L, 10+int64(b.Len())/16)
	if p.env.Log != nil {
		p.env.Log(strings.ToValidUTF8(b.String(), "\uFFFD"))
	}
	return 0
}
