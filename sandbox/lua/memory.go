package lua

import (
	"fmt"
	"math"
	"unsafe"

	lua "github.com/yuin/gopher-lua"

	"sandbar/sandbox"
	"sandbar/sandbox/lua/lib"
)

// What values take in gopher-lua on a 64-bit machine, in bytes, as the heap profile shows them
// (memory_test.go compares).
const (
	sizeTable    = 144  // the struct
	sizeArray    = 20   // one array slot, with what append leaves free
	minArray     = 4    // slots: 32 when it grew from nothing, exact when it was constructed
	sizeNumber   = 16   // a number behind an interface, in batches of which some are garbage
	sizeString   = 16   // a string's header behind an interface
	sizeSmall    = 900  // the hash part with up to smallHash keys
	sizeHash     = 1900 // with up to freeHash keys
	smallHash    = 8
	freeHash     = 24
	sizeEntry    = 150 // each further key: two maps and a list
	sizeClosure  = 88
	sizeUpvalue  = 72
	sizeUserdata = 80
	purgeAt      = 16 << 10 // deleted keys
	longString   = 64       // strings from this length on are counted once, however often they are held
)

// memory bounds what a plugin keeps. used is exact when it was measured; reserved is the most that can have
// been added since.
type memory struct {
	limit, used, reserved int64
	dead                  map[*lua.LTable]int // keys that were deleted, by table; gopher-lua keeps them
	deadAll               int
}

func newMemory(limit int64) memory {
	return memory{limit: limit, dead: map[*lua.LTable]int{}}
}

func (m *memory) exceeded() string {
	return fmt.Sprintf("memory_limit exceeded: %d bytes are held, %d are allowed; hold less or raise memory_limit", m.used+m.reserved, m.limit)
}

// Reserve implements lib.Host.
func (p *plugin) Reserve(L *lua.LState, bytes int64) {
	m := &p.memory
	m.reserved += bytes
	if m.limit <= 0 || m.reserved <= max(m.limit-m.used, m.limit/4) {
		return
	}
	if bytes <= m.limit {
		m.reserved = 0
		p.measure()
		m.reserved = bytes // is not reachable yet
		if m.used+m.reserved <= m.limit {
			return
		}
	}
	p.meter.stop(sandbox.MemoryExceeded, fmt.Errorf("%s", m.exceeded()))
	L.RaiseError("%s", p.meter.cause.Error())
}

// measure walks all that is reachable and returns its size in bytes.
func (p *plugin) measure() int64 {
	w := walker{seen: map[any]bool{}, strings: map[*byte]bool{}}
	w.value(p.L.G.Global)
	for _, t := range p.loaded {
		w.value(t)
	}
	w.frames(p.L)
	for len(w.todo) > 0 {
		last := len(w.todo) - 1
		next := w.todo[last]
		w.todo = w.todo[:last]
		w.inside(next)
	}
	p.memory.used, p.memory.reserved = w.bytes, 0
	if left := p.meter.left; left < math.MaxInt64/2 {
		p.meter.left = max(left-w.visits/8, 0) // the walk is the plugin's work too
	}
	return w.bytes
}

// walker adds up what it can reach without recursion.
type walker struct {
	seen    map[any]bool
	strings map[*byte]bool
	todo    []lua.LValue
	bytes   int64
	visits  int64
}

// value counts v and remembers it when there is more inside.
func (w *walker) value(v lua.LValue) {
	w.visits++
	switch v := v.(type) {
	case lua.LNumber:
		w.bytes += sizeNumber
	case lua.LString:
		w.text(string(v))
	case *lua.LTable, *lua.LFunction, *lua.LUserData:
		if !w.seen[v] {
			w.seen[v] = true
			w.todo = append(w.todo, v)
		}
	}
}

func (w *walker) text(s string) {
	w.bytes += sizeString
	if len(s) < longString {
		w.bytes += int64(len(s)+7) &^ 7
		return
	}
	if at := unsafe.StringData(s); !w.strings[at] {
		w.strings[at] = true
		w.bytes += int64(len(s))
	}
}

func (w *walker) inside(v lua.LValue) {
	switch v := v.(type) {
	case *lua.LTable:
		w.table(v)
	case *lua.LFunction:
		w.bytes += sizeClosure + sizeUpvalue*int64(len(v.Upvalues))
		if v.Env != nil {
			w.value(v.Env)
		}
		for _, up := range v.Upvalues {
			if up != nil {
				w.value(up.Value())
			}
		}
	case *lua.LUserData:
		w.bytes += sizeUserdata
		if v.Metatable != nil {
			w.value(v.Metatable)
		}
		if o, ok := v.Value.(lib.Object); ok {
			w.bytes += o.Size()
		}
	}
}

func (w *walker) table(t *lua.LTable) {
	w.bytes += sizeTable
	if t.Metatable != nil {
		w.value(t.Metatable)
	}
	array, hash := int64(t.MaxN()), int64(0)
	t.ForEach(func(k, v lua.LValue) {
		if n, ok := k.(lua.LNumber); !ok || n < 1 || n >= maxArray || n != lua.LNumber(int(n)) {
			hash++
			w.value(k)
		}
		w.value(v)
	})
	if array > 0 {
		w.bytes += max(array, minArray) * sizeArray
	}
	if hash > 0 {
		w.bytes += hashSize(hash)
	}
}

func hashSize(keys int64) int64 {
	if keys <= smallHash {
		return sizeSmall
	}
	return sizeHash + max(keys-freeHash, 0)*sizeEntry
}

// frames counts the locals of the calls that are under way.
func (w *walker) frames(L *lua.LState) {
	for level := 0; ; level++ {
		dbg, ok := L.GetStack(level)
		if !ok {
			return
		}
		if fn, err := L.GetInfo("f", dbg, lua.LNil); err == nil {
			w.value(fn)
		}
		for n := 1; ; n++ {
			name, v := L.GetLocal(dbg, n)
			if name == "" {
				break
			}
			w.value(v)
		}
	}
}

// purge rebuilds tables that hold many deleted keys, which gopher-lua never frees. Nothing may be running.
func (p *plugin) purge() {
	m := &p.memory
	if m.deadAll == 0 {
		return
	}
	for t, dead := range m.dead {
		live := 0
		t.ForEach(func(lua.LValue, lua.LValue) { live++ })
		if dead > live {
			rebuild(t)
		}
	}
	clear(m.dead)
	m.deadAll = 0
}

func rebuild(t *lua.LTable) {
	fresh := *t
	k, v := t.Next(lua.LNil)
	*t = lua.LTable{Metatable: fresh.Metatable}
	for k != lua.LNil {
		t.RawSet(k, v)
		k, v = fresh.Next(k)
	}
}
