package lua

import (
	"math"
	"unsafe"

	"sandbar/sandbox/lua/vm"
	"sandbar/sandbox/message"
)

// injectMessage is inject_message(table).
func (p *plugin) injectMessage(L *vm.State) int {
	t := L.Arg(1).Table()
	if t == nil {
		L.Throwf("inject_message() takes a table, not a %s", L.Arg(1).Type())
	}
	b, err := p.out.New()
	p.Check(L, err)
	p.headers(L, b, t)
	switch fields := L.Field(t, "Fields"); fields.Type() {
	case vm.NilType:
	case vm.TableType:
		p.fields(L, b, fields.Table())
	default:
		L.Throwf("inject_message() failed: Fields must be a table, not a %s", fields.Type())
	}
	p.Check(L, p.out.Send())
	return 0
}

// fits asks for room in the message before so many bytes are added.
func (p *plugin) fits(L *vm.State, more int) { p.Check(L, p.out.Room(int64(more))) }

// fitsValue is fits for a value of a field, or the object of a header.
func (p *plugin) fitsValue(L *vm.State, v vm.Value) {
	switch v.Type() {
	case vm.StringType:
		s, _ := v.Str()
		p.fits(L, len(s))
	case vm.UserdataType:
		if o, ok := payload(L, v); ok {
			L.Spend(o.Size() / 32)
			p.fits(L, int(o.PayloadMin()))
		}
	default:
		p.fits(L, 2)
	}
}

// headers sets those of t.
func (p *plugin) headers(L *vm.State, b *message.Builder, t *vm.Table) {
	for _, h := range [...]message.Header{message.Type, message.Payload, message.EnvVersion} {
		if s, ok := p.textKey(L, t, h.String()); ok {
			b.SetHeader(h, s)
		}
	}
	if n, ok := p.numberKey(L, t, "Severity"); ok {
		b.SetSeverity(int32(n))
	}
	if p.out.Restricted() {
		return
	}
	if s, ok := p.textKey(L, t, "Uuid"); ok {
		p.out.SetUUID(s)
	}
	if n, ok := p.numberKey(L, t, "Timestamp"); ok {
		p.out.SetTimestamp(int64(n))
	}
	for _, h := range [...]message.Header{message.Logger, message.Hostname} {
		if s, ok := p.textKey(L, t, h.String()); ok {
			p.out.SetHeader(h, s)
		}
	}
	if n, ok := p.numberKey(L, t, "Pid"); ok {
		p.out.SetPid(int32(n))
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
		if o, ok := payload(L, v); ok {
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
func (p *plugin) fields(L *vm.State, b *message.Builder, t *vm.Table) {
	if t.GetInt(1).Table() != nil {
		p.listed(L, b, t)
		return
	}
	for k, v, _ := t.Next(L, vm.Nil); !k.IsNil(); k, v, _ = t.Next(L, k) {
		name, ok := k.Str()
		if !ok {
			L.Throwf("inject_message() failed: field name must be a string, not a %s", k.Type())
		}
		if f := v.Table(); f != nil && !isArray(f) {
			p.object(L, b, name, f)
			continue
		}
		p.field(L, b, name, "", -1, v)
	}
}

func (p *plugin) listed(L *vm.State, b *message.Builder, t *vm.Table) {
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
		p.object(L, b, name, f)
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
func (p *plugin) object(L *vm.State, b *message.Builder, name string, f *vm.Table) {
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
	p.field(L, b, name, representation, valueType, L.Field(f, "value"))
}

// field adds one value or an array of values. A valueType of -1 is the one that goes with the value.
func (p *plugin) field(L *vm.State, b *message.Builder, name, representation string, valueType int, v vm.Value) {
	L.Spend(8)
	p.fits(L, len(name)+len(representation))
	p.fitsValue(L, v)
	switch v.Type() {
	case vm.TableType:
		p.array(L, b, name, representation, valueType, v.Table())
	case vm.StringType:
		s, _ := v.Str()
		if valueType == int(message.Bytes) {
			b.AddBytes(name, representation, unsafe.Slice(unsafe.StringData(s), len(s))) // which copies it
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
		o, ok := payload(L, v)
		if !ok {
			L.Throwf("inject_message() failed: field '%s': unknown userdata type", clip(name))
		}
		if r, ok := o.(interface{ Representation() string }); ok && representation == "" {
			representation = r.Representation()
		}
		p.scratch = o.AppendPayload(p.scratch[:0])
		b.AddBytes(name, representation, p.scratch)
		if cap(p.scratch) > keptScratch {
			p.scratch = nil
		}
	default:
		L.Throwf("inject_message() failed: field '%s': unsupported type: %s", clip(name), v.Type())
	}
}

// keptScratch bounds the memory for values of fields that is kept between calls.
const keptScratch = 1 << 20

func (p *plugin) array(L *vm.State, b *message.Builder, name, representation string, valueType int, t *vm.Table) {
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
		if bytes += 1 + len(s); int64(bytes) > p.out.Limit() {
			break
		}
	}
	p.fits(L, bytes)
	switch kind {
	case vm.StringType:
		if valueType == int(message.Bytes) {
			b.AddBytes(name, representation, collect(t, n, func(v vm.Value) []byte { s, _ := v.Str(); return unsafe.Slice(unsafe.StringData(s), len(s)) })...)
			return
		}
		b.AddString(name, representation, collect(t, n, func(v vm.Value) string { s, _ := v.Str(); return s })...)
	case vm.NumberType:
		if valueType == int(message.Integer) {
			b.AddInt(name, representation, collect(t, n, func(v vm.Value) int64 { f, _ := v.Float(); return integer(f) })...)
			return
		}
		b.AddDouble(name, representation, collect(t, n, func(v vm.Value) float64 { f, _ := v.Float(); return f })...)
	case vm.BoolType:
		b.AddBool(name, representation, collect(t, n, vm.Value.True)...)
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
