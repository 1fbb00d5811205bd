package lua

import (
	"fmt"
	"math"
	"math/rand/v2"

	"sandbar/sandbox/lua/vm"

	"sandbar/sandbox"
	"sandbar/sandbox/lua/lib"
	"sandbar/sandbox/message"
)

// uuids makes the ids of injected messages.
type uuids struct{ r *rand.PCG }

func newUUIDs(seed uint64) uuids { return uuids{rand.NewPCG(seed, 0x9e3779b97f4a7c15)} }

func (u uuids) next() [16]byte { return message.NewUUID(u.r.Uint64(), u.r.Uint64()) }

// injectMessage is inject_message(table).
func (p *plugin) injectMessage(L *vm.State) int {
	t := L.Arg(1).Table()
	if t == nil {
		L.Throwf("inject_message() takes a table, not a %s", L.Arg(1).Type())
	}
	p.Inject(L, t)
	return 0
}

// Inject implements lib.Host.
func (p *plugin) Inject(L *vm.State, t *vm.Table) {
	p.countInject(L)
	p.builder.Reset()
	p.headers(L, t)
	switch fields := L.Field(t, "Fields"); fields.Type() {
	case vm.NilType:
	case vm.TableType:
		p.fields(L, fields.Table())
	default:
		L.Throwf("inject_message() failed: Fields must be a table, not a %s", fields.Type())
	}
	p.emit(L)
}

// countInject raises when the call has made as many messages as it may.
func (p *plugin) countInject(L *vm.State) {
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
func (p *plugin) emit(L *vm.State) {
	p.fits(L, 0)
	n := int64(p.builder.Len())
	if p.injectedBytes += n; p.cfg.Limits.InjectBytes > 0 && p.injectedBytes > p.cfg.Limits.InjectBytes {
		p.Fail(L, sandbox.InjectExceeded, fmt.Sprintf("inject_message() failed: the messages of one call may have %d bytes on this host", p.cfg.Limits.InjectBytes))
	}
	L.Spend(n / 16)
	if p.env.Emit == nil {
		L.Throwf("inject_message() failed: nothing takes messages here")
	}
	p.encoded = p.builder.AppendTo(p.encoded[:0])
	if err := p.env.Emit(p.encoded); err != nil {
		L.Throwf("inject_message() failed: %s", err.Error())
	}
}

// fits sees that the message stays below output_limit with so many more bytes, before they are added, and pays for them.
func (p *plugin) fits(L *vm.State, more int) {
	if n := int64(p.builder.Len()) + int64(more); n > p.OutputLimit() {
		p.Fail(L, sandbox.OutputExceeded, fmt.Sprintf("output_limit exceeded: the message has %d bytes or more, %d are allowed", n, p.OutputLimit()))
	}
	L.Spend(1 + int64(more)/64)
}

// fitsValue is fits for a value of a field, or the object of a header.
func (p *plugin) fitsValue(L *vm.State, v vm.Value) {
	switch v.Type() {
	case vm.StringType:
		s, _ := v.Str()
		p.fits(L, len(s))
	case vm.UserdataType:
		if o, ok := v.Userdata().Object.(lib.Payload); ok {
			L.Spend(o.Size() / 32)
			p.fits(L, int(o.PayloadMin()))
		}
	default:
		p.fits(L, 2)
	}
}

// headers sets those of t and those that are the host's.
func (p *plugin) headers(L *vm.State, t *vm.Table) {
	b := &p.builder
	if t == nil {
		t = p.none
	}
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

func (p *plugin) textKey(L *vm.State, t *vm.Table, key string) (string, bool) {
	v := L.Field(t, key)
	p.fitsValue(L, v)
	switch v.Type() {
	case vm.StringType:
		return v.Str()
	case vm.NilType:
		return "", false
	case vm.UserdataType:
		if o, ok := v.Userdata().Object.(lib.Payload); ok {
			return string(o.AppendPayload(nil)), true
		}
		L.Throwf("inject_message() failed: header %s: unknown userdata type", key)
	default:
		L.Throwf("inject_message() failed: header %s must be a string, not a %s", key, v.Type())
	}
	return "", false
}

func (p *plugin) numberKey(L *vm.State, t *vm.Table, key string) (float64, bool) {
	v := L.Field(t, key)
	switch v.Type() {
	case vm.NumberType:
		f, _ := v.Float()
		return f, f == f
	case vm.NilType:
		return 0, false
	default:
		L.Throwf("inject_message() failed: header %s must be a number, not a %s", key, v.Type())
	}
	return 0, false
}

// fields adds those of t: an array of {name=, value=, ...}, or a hash of name to value.
func (p *plugin) fields(L *vm.State, t *vm.Table) {
	if t.GetInt(1).Table() != nil {
		p.listed(L, t)
		return
	}
	for k, v, _ := t.Next(L, vm.Nil); !k.IsNil(); k, v, _ = t.Next(L, k) {
		name, ok := k.Str()
		if !ok {
			L.Throwf("inject_message() failed: field name must be a string, not a %s", k.Type())
		}
		if f := v.Table(); f != nil && !isArray(f) {
			p.object(L, name, f)
			continue
		}
		p.field(L, name, "", -1, v)
	}
}

func (p *plugin) listed(L *vm.State, t *vm.Table) {
	for i := 1; ; i++ {
		v := t.GetInt(i)
		f := v.Table()
		switch {
		case v.IsNil():
			return
		case f == nil:
			L.Throwf("inject_message() failed: Fields[%d] must be a table, not a %s", i, v.Type())
		}
		name, ok := L.Field(f, "name").Str()
		if !ok {
			L.Throwf("inject_message() failed: Fields[%d] has no name", i)
		}
		p.object(L, name, f)
	}
}

func isArray(t *vm.Table) bool {
	switch t.GetInt(1).Type() {
	case vm.StringType, vm.NumberType, vm.BoolType:
		return true
	}
	return false
}

// object adds a field of the form {value=, value_type=, representation=}.
func (p *plugin) object(L *vm.State, name string, f *vm.Table) {
	valueType := -1
	switch v := L.Field(f, "value_type"); v.Type() {
	case vm.NumberType:
		n, _ := v.Float()
		valueType = vm.ToInt(n)
	case vm.NilType:
	default:
		L.Throwf("inject_message() failed: field '%s': value_type must be a number", clip(name))
	}
	representation, _ := L.Field(f, "representation").Str()
	p.field(L, name, representation, valueType, L.Field(f, "value"))
}

// field adds one value or an array of values. A valueType of -1 is the one that goes with the value.
func (p *plugin) field(L *vm.State, name, representation string, valueType int, v vm.Value) {
	b := &p.builder
	p.fits(L, len(name)+len(representation))
	p.fitsValue(L, v)
	switch v.Type() {
	case vm.TableType:
		p.array(L, name, representation, valueType, v.Table())
	case vm.StringType:
		s, _ := v.Str()
		if valueType == int(message.Bytes) {
			b.AddBytes(name, representation, []byte(s))
		} else {
			b.AddString(name, representation, s)
		}
	case vm.NumberType:
		f, _ := v.Float()
		if valueType == int(message.Integer) {
			b.AddInt(name, representation, integer(f))
		} else {
			b.AddDouble(name, representation, f)
		}
	case vm.BoolType:
		b.AddBool(name, representation, v.True())
	case vm.UserdataType:
		object := v.Userdata().Object
		o, ok := object.(lib.Payload)
		if !ok {
			L.Throwf("inject_message() failed: field '%s': unknown userdata type", clip(name))
		}
		if r, ok := object.(interface{ Representation() string }); ok && representation == "" {
			representation = r.Representation()
		}
		b.AddBytes(name, representation, o.AppendPayload(nil))
	default:
		L.Throwf("inject_message() failed: field '%s': unsupported type: %s", clip(name), v.Type())
	}
}

func (p *plugin) array(L *vm.State, name, representation string, valueType int, t *vm.Table) {
	n := t.Len()
	L.Spend(int64(n) / 8)
	L.Room(16 * int64(n))
	kind := t.GetInt(1).Type()
	bytes := 0
	for i := 1; i <= n; i++ {
		v := t.GetInt(i)
		if v.Type() != kind {
			L.Throwf("inject_message() failed: field '%s': array has mixed types", clip(name))
		}
		s, _ := v.Str()
		if bytes += 1 + len(s); int64(bytes) > p.OutputLimit() {
			break
		}
	}
	p.fits(L, bytes)
	switch kind {
	case vm.StringType:
		if valueType == int(message.Bytes) {
			p.builder.AddBytes(name, representation, collect(t, n, func(v vm.Value) []byte { s, _ := v.Str(); return []byte(s) })...)
			return
		}
		p.builder.AddString(name, representation, collect(t, n, func(v vm.Value) string { s, _ := v.Str(); return s })...)
	case vm.NumberType:
		if valueType == int(message.Integer) {
			p.builder.AddInt(name, representation, collect(t, n, func(v vm.Value) int64 { f, _ := v.Float(); return integer(f) })...)
			return
		}
		p.builder.AddDouble(name, representation, collect(t, n, func(v vm.Value) float64 { f, _ := v.Float(); return f })...)
	case vm.BoolType:
		p.builder.AddBool(name, representation, collect(t, n, vm.Value.True)...)
	default:
		L.Throwf("inject_message() failed: field '%s': unsupported type: %s", clip(name), kind)
	}
}

// clip keeps error texts from being long.
func clip(name string) string { return name[:min(len(name), 100)] }

func collect[T any](t *vm.Table, n int, of func(vm.Value) T) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = of(t.GetInt(i + 1))
	}
	return out
}

// integer is a number as an INTEGER value; what does not fit becomes the nearest that does.
func integer(f float64) int64 {
	switch {
	case f != f:
		return 0
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}
