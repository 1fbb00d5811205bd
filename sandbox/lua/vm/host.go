package vm

import (
	"iter"
	"unsafe"
)

// Args is the number of arguments.
func (L *State) Args() int {
	if L.results >= 0 {
		return L.results - L.base
	}
	return L.top - L.base
}

// Arg returns an argument, counted from 1; nil when there are fewer.
func (L *State) Arg(i int) Value {
	if uint(i-1) < uint(L.Args()) {
		return L.current.stack[L.base+i-1]
	}
	return Value{}
}

// ArgList returns the arguments from i on. It is valid until something is pushed.
func (L *State) ArgList(i int) []Value {
	from := min(L.base+i-1, L.top)
	return L.current.stack[from:L.top]
}

// SetArg replaces an argument that there is.
func (L *State) SetArg(i int, v Value) { L.current.stack[L.base+i-1] = v }

// Push adds a result.
func (L *State) Push(v Value) {
	if L.top+slack >= len(L.current.stack) {
		L.grow(L.current, L.top+1)
	}
	L.current.stack[L.top] = v
	L.top++
}

// PushFloat adds a number as a result.
func (L *State) PushFloat(f float64) { L.Push(Number(f)) }

// PushInt adds a number as a result.
func (L *State) PushInt(i int) { L.Push(Int(i)) }

// PushString adds a string as a result.
func (L *State) PushString(s string) { L.Push(L.Str(s)) }

// PushBool adds a boolean as a result.
func (L *State) PushBool(b bool) { L.Push(Bool(b)) }

// Get is rawget.
func (t *Table) Get(k Value) Value { return t.get(k) }

// GetInt is rawget of an index.
func (t *Table) GetInt(i int) Value { return t.getInt(i) }

// Len is the operator # without metamethods.
func (t *Table) Len() int { return t.length() }

// Shape returns how many values the array part has room in use for, and how many keys the hash part has had.
func (t *Table) Shape() (slots, keys int) { return len(t.arr), len(t.nodes) }

// Meta returns the metatable, nil when there is none.
func (t *Table) Meta() *Table { return t.meta }

// SetMeta sets the metatable; nil takes it away.
func (t *Table) SetMeta(m *Table) { t.meta = m }

// Next returns the entry after a key, nil for the first; all nil after the last. ok is false for a key that is not
// in the table. It spends what passing empty entries costs.
func (t *Table) Next(L *State, k Value) (key, val Value, ok bool) {
	key, val, steps, ok := t.next(k)
	if steps > 8 {
		L.spend(int64(steps) / 8)
	}
	return key, val, ok
}

// Field is rawget of a name.
func (L *State) Field(t *Table, name string) Value { return t.get(L.intern(name)) }

// SetField is rawset of a name.
func (L *State) SetField(t *Table, name string, v Value) { t.set(L, L.intern(name), v) }

// Set is rawset. It fails for nil and NaN as a key.
func (L *State) Set(t *Table, k, v Value) {
	L.byHost = true
	L.rawSet(t, k, v)
	L.byHost = false
}

// SetInt is rawset of an index.
func (L *State) SetInt(t *Table, i int, v Value) { t.setInt(L, i, v) }

// Env returns the environment of a function.
func (f *Function) Env() *Table { return f.env }

// SetEnv sets the environment of a function.
func (f *Function) SetEnv(t *Table) { f.env = t }

// IsHost says whether the function is the host's.
func (f *Function) IsHost() bool { return f.p == nil }

// Meta returns the metatable of an object.
func (u *Userdata) Meta() *Table { return u.meta }

// ToNumber converts as arithmetic does, and pays for a string of many digits.
func (L *State) ToNumber(v Value) (float64, bool) { return L.number(v) }

// Less compares numbers or strings; ok is false for others.
func Less(a, b Value) (is, ok bool) { return less(a, b) }

// LessHandler is the metamethod for a < b of other values. Without one it raises the error of Lua.
func (L *State) LessHandler(a, b Value) Value {
	h := L.compareHandler(eventLt, a, b)
	if h.bits == nilBits {
		L.byHost = true
		L.compareError(a, b)
	}
	return h
}

// FunctionAt returns the function at a level of the running calls: 1 is the one that called the host's function. It is nil for one of the host; ok is false
// where there is none. lost says that there was one, which ended with "return f()".
func (L *State) FunctionAt(level int) (f *Function, lost, ok bool) {
	call, lost := L.current.at(level)
	if lost {
		return nil, true, true
	}
	if call == nil || call.fn == nil && call.wait == nil {
		return nil, false, false
	}
	return call.fn, false, true
}

// GlobalEnv is the environment of new coroutines and of code that is loaded.
func (L *State) GlobalEnv() *Table { return L.current.env }

// SetGlobalEnv replaces it in the running coroutine.
func (L *State) SetGlobalEnv(t *Table) { L.current.env = t }

// SetNext names the function that pairs returns, so that loops run it without a call.
func (L *State) SetNext(f *Function) { L.next = f }

// Loaded is the table of modules that were required.
func (L *State) Loaded() *Table { return L.loaded }

// Hold lets a value that the host is building count as what can be reached, until Release. They nest.
func (L *State) Hold(v Value) { L.building = append(L.building, v) }

// Release ends the newest Hold.
func (L *State) Release() {
	last := len(L.building) - 1
	L.building[last] = Value{}
	L.building = L.building[:last]
}

// Held is how many values are held.
func (L *State) Held() int { return len(L.building) }

// ReleaseTo ends all but the oldest n.
func (L *State) ReleaseTo(n int) {
	clear(L.building[n:])
	L.building = L.building[:n]
}

// Room makes sure that so many bytes can be allocated, without counting them yet.
func (L *State) Room(bytes int64) {
	L.Charge(bytes)
	L.memory.left += bytes
}

// Intern makes a string that is kept for the life of the State, each text once. It is for names, not for data.
func (L *State) Intern(s string) Value { return L.intern(s) }

// MetaOf returns the metatable of a value, nil when it has none.
func (L *State) MetaOf(v Value) *Table { return L.metaOf(v) }

// Index is v[k]. When a function has to find it, handler is that function, to be called with on and k.
func (L *State) Index(v, k Value) (found, handler, on Value) {
	L.byHost = true
	found, handler, on = L.index(v, k)
	L.byHost = false
	return found, handler, on
}

// ID is a number that tells objects of one State apart, in the order in which they were made; 0 for other values.
func (v Value) ID() uint32 {
	switch v.bits {
	case tableBits:
		return v.Table().id
	case functionBits:
		return v.Function().id
	case userdataBits:
		return v.Userdata().id
	case threadBits:
		return v.Thread().id
	}
	return 0
}

// Identity is equal for values that are the same piece of memory.
type Identity unsafe.Pointer

// Identity tells strings apart, also those with the same text. It is good while v is.
func (v Value) Identity() Identity { return Identity(v.ref) }

// NewClosure makes a function of the host that keeps values.
func (L *State) NewClosure(name string, keep []Value, fn HostFunc) *Function {
	f := L.NewFunction(name, fn)
	L.Charge((roundSize(upvalueSize) + 8) * int64(len(keep)))
	for _, v := range keep {
		u := &upvalue{closed: v}
		u.at = &u.closed
		f.up = append(f.up, u)
	}
	return f
}

// Kept returns a value that the running function of the host keeps, counted from 1.
func (L *State) Kept(i int) Value { return L.hostFn.up[i-1].closed }

// Keep replaces one.
func (L *State) Keep(i int, v Value) { L.hostFn.up[i-1].closed = v }

// All goes over the entries as pairs does, without spending anything.
func (t *Table) All() iter.Seq2[Value, Value] {
	return func(yield func(k, v Value) bool) {
		for k, v, _, _ := t.next(Value{}); k.bits != nilBits; k, v, _, _ = t.next(k) {
			if !yield(k, v) {
				return
			}
		}
	}
}
