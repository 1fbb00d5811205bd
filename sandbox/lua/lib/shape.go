package lib

import (
	"reflect"

	lua "github.com/yuin/gopher-lua"
)

// What tables cost in gopher-lua, in bytes.
const (
	slotBytes  = 20   // an array slot, with what append leaves free
	firstSlots = 32   // slots of the smallest array
	entryBytes = 150  // a key of the hash part
	hashBytes  = 1900 // the hash part with its first key
	tableBytes = 144
	textBytes  = 16 // a string beside its bytes
)

// Shape is how much a table holds that a loop in gopher-lua may have to walk: it never shrinks an array, and
// remembers deleted keys.
type Shape struct {
	Array int // slots of the array part, nils included
	Keys  int // keys that the hash part ever had
	Live  int // keys that it has
}

// tableFields are the positions of LTable's fields. gopher-lua does not tell their lengths in any other way.
var tableFields = func() (f struct{ array, dict, strdict, keys, k2i int }) {
	t := reflect.TypeFor[lua.LTable]()
	for name, at := range map[string]*int{"array": &f.array, "dict": &f.dict, "strdict": &f.strdict, "keys": &f.keys, "k2i": &f.k2i} {
		field, ok := t.FieldByName(name)
		if !ok {
			panic("gopher-lua's LTable has no field " + name + " any more: adapt lib.ShapeOf")
		}
		*at = field.Index[0]
	}
	return f
}()

// ShapeOf returns the shape of t.
func ShapeOf(t *lua.LTable) Shape {
	v := reflect.ValueOf(t).Elem()
	return Shape{
		Array: v.Field(tableFields.array).Len(),
		Keys:  v.Field(tableFields.keys).Len(),
		Live:  v.Field(tableFields.dict).Len() + v.Field(tableFields.strdict).Len(),
	}
}

// position of a key among all that the hash part ever had.
func position(t *lua.LTable, k lua.LValue) int {
	if at := reflect.ValueOf(t).Elem().Field(tableFields.k2i).MapIndex(reflect.ValueOf(k)); at.IsValid() {
		return int(at.Int())
	}
	return 0
}

// fewDead is how many deleted keys are not worth counting.
const fewDead = 64

// next is t.Next(key), and spends what the walk over nils and deleted keys costs.
func next(L *lua.LState, h Host, t *lua.LTable, key lua.LValue) (lua.LValue, lua.LValue) {
	s := ShapeOf(t)
	from, inArray := 0, key == lua.LNil
	if n, ok := key.(lua.LNumber); ok && n > 0 && n < lua.LNumber(lua.MaxArrayIndex) && n == lua.LNumber(int(n)) {
		from, inArray = int(n), true
		if from > s.Array { // the array has shrunk since
			from = s.Array
			key = lua.LNumber(from)
		}
	}
	k, v := t.Next(key)
	work := 0
	if n, ok := k.(lua.LNumber); ok && inArray && int(n) > from && int(n) <= s.Array {
		work = int(n) - from
	} else {
		if inArray {
			work = s.Array - from
		}
		if s.Keys-s.Live > fewDead {
			work += s.deadBetween(t, key, k, inArray)
		}
	}
	if work >= 8 {
		h.Spend(L, int64(work/8))
	}
	return k, v
}

// deadBetween is how many keys of the hash part Next passed from one key to another.
func (s Shape) deadBetween(t *lua.LTable, from, to lua.LValue, fromStart bool) int {
	begin, end := 0, s.Keys
	if !fromStart {
		begin = position(t, from)
	}
	if to != lua.LNil {
		end = position(t, to)
	}
	return max(end-begin, 0)
}

// length is #t. It drops nils at the end of the array part, so that they are walked only once.
func length(L *lua.LState, h Host, t *lua.LTable) int {
	n, slots := t.MaxN(), ShapeOf(t).Array
	if n < slots {
		h.Spend(L, int64(slots-n)/16)
		for ; slots > n; slots-- {
			t.Remove(slots)
		}
	}
	return n
}

// inArray says whether an index belongs to the array part.
func inArray(i int) bool { return i > 0 && i < lua.MaxArrayIndex }

// getIndex is rawget(t, i).
func getIndex(t *lua.LTable, i int) lua.LValue {
	if inArray(i) {
		return t.RawGetInt(i)
	}
	return t.RawGetH(lua.LNumber(i))
}

// setIndex is rawset(t, i, v). It reserves what the array must grow by first.
func setIndex(L *lua.LState, h Host, t *lua.LTable, i int, v lua.LValue) {
	if !inArray(i) {
		setKey(L, h, t, lua.LNumber(i), v)
		return
	}
	slots := ShapeOf(t).Array
	if i > slots {
		if v == lua.LNil {
			return
		}
		grow := i - slots
		if slots == 0 {
			grow = max(i, firstSlots)
		}
		h.Reserve(L, int64(grow)*slotBytes)
		h.Spend(L, int64(grow)/16)
	}
	t.RawSetInt(i, v)
}

// setKey is rawset of what does not belong to the array part.
func setKey(L *lua.LState, h Host, t *lua.LTable, k, v lua.LValue) {
	if v != lua.LNil && t.RawGetH(k) == lua.LNil {
		bytes := int64(entryBytes + textBytes)
		if ShapeOf(t).Keys == 0 {
			bytes = hashBytes
		}
		h.Reserve(L, bytes)
	}
	t.RawSetH(k, v)
}
