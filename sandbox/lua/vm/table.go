package vm

import (
	"math"
	"unsafe"
)

// Table is a Lua table: values of the keys 1 to n in an array, all others in a hash part that keeps the order in
// which keys came. So pairs goes the same way each time, whatever the hash function does.
type Table struct {
	mark   uint32
	id     uint32
	absent uint32 // bit by event: as a metatable it has no such metamethod
	seed   uint32 // of hashes, the State's
	arr    []Value
	nodes  []node  // in the order of coming; a nil value is a key that went
	heads  []int32 // by hash: 1 + the first node; a power of two of them, or none for so few nodes that all are looked at
	meta   *Table
}

type node struct {
	key, val Value
	next     int32 // 1 + the next node with the same head
	hash     uint32
}

// smallTable is a table with room for a few keys beside it, in one piece of memory.
type smallTable struct {
	Table
	room [minNodes]node
}

// tinyTable is one with room for fewer.
type tinyTable struct {
	Table
	room [tinyNodes]node
}

// Bits of absent that tell a smallTable and a tinyTable.
const (
	small  = 1 << 31
	tiny   = 1 << 30
	inside = small | tiny
)

const (
	smallSize  = int64(unsafe.Sizeof(smallTable{}))
	tinySize   = int64(unsafe.Sizeof(tinyTable{}))
	tableSize  = int64(unsafe.Sizeof(Table{}))
	nodeSize   = int64(unsafe.Sizeof(node{}))
	valueSize  = int64(unsafe.Sizeof(Value{}))
	minNodes   = 4
	tinyNodes  = 2
	maxEntries = 1 << 30
)

// get is rawget.
func (t *Table) get(k Value) Value {
	if k.bits >= numberBase {
		return t.getNumber(k.float())
	}
	if i := t.find(k); i >= 0 {
		return t.nodes[i].val
	}
	return Value{}
}

// getShort is get for a key that costs nothing to look for; nil for a long string.
func (t *Table) getShort(k Value) Value {
	if k.isLong() {
		return Value{}
	}
	return t.get(k)
}

func (t *Table) getNumber(f float64) Value {
	if i := int(f); float64(i) == f {
		return t.getInt(i)
	}
	if f != f {
		return Value{}
	}
	if i := t.find(Value{bits: math.Float64bits(f) + numberBase}); i >= 0 {
		return t.nodes[i].val
	}
	return Value{}
}

func (t *Table) getInt(i int) Value {
	if uint(i-1) < uint(len(t.arr)) {
		return t.arr[i-1]
	}
	if len(t.nodes) == 0 {
		return Value{}
	}
	if n := t.find(Int(i)); n >= 0 {
		return t.nodes[n].val
	}
	return Value{}
}

// find returns the node of a key, or -1. A number has the form of Number, and is no -0.
func (t *Table) find(k Value) int {
	if k.isString() {
		return t.findString(k)
	}
	if len(t.heads) == 0 {
		for i := range t.nodes {
			if nd := &t.nodes[i]; nd.key.bits == k.bits && (k.bits >= numberBase || k.bits <= trueBits || nd.key.ref == k.ref) {
				return i
			}
		}
		return -1
	}
	n := t.heads[t.hash(k)&uint32(len(t.heads)-1)]
	for n != 0 {
		nd := &t.nodes[n-1]
		if nd.key.bits == k.bits && (k.bits >= numberBase || k.bits <= trueBits || nd.key.ref == k.ref) {
			return int(n - 1)
		}
		n = nd.next
	}
	return -1
}

func (t *Table) findString(k Value) int {
	if len(t.heads) == 0 {
		return t.findAmongFew(k)
	}
	h := k.strHash(t.seed)
	n := t.heads[h&uint32(len(t.heads)-1)]
	for n != 0 {
		nd := &t.nodes[n-1]
		if nd.hash == h && nd.key.bits == k.bits && (nd.key.ref == k.ref || nd.key.str() == k.str()) {
			return int(n - 1)
		}
		n = nd.next
	}
	return -1
}

func (t *Table) findAmongFew(k Value) int {
	for i := range t.nodes {
		if nd := &t.nodes[i]; nd.key.bits == k.bits && (nd.key.ref == k.ref || nd.key.str() == k.str()) {
			return i
		}
	}
	return -1
}

// begin puts the keys of a constructor into a new table that has room for them.
func (t *Table) begin(k []Value, shape []int) {
	t.nodes = t.nodes[:len(shape)]
	for i, at := range shape {
		t.nodes[i].key = k[at]
	}
}

// set is rawset. The key is neither nil nor NaN.
func (t *Table) set(L *State, k, v Value) {
	if k.bits >= numberBase {
		f := k.float()
		if i := int(f); float64(i) == f {
			t.setInt(L, i, v)
			return
		}
	}
	t.setHash(L, k, v)
}

func (t *Table) setHash(L *State, k, v Value) {
	if i := t.find(k); i >= 0 {
		n := &t.nodes[i]
		if n.val.bits == nilBits {
			t.absent &= inside
		}
		n.val = v
		return
	}
	if v.bits != nilBits {
		t.add(L, k, v)
	}
}

func (t *Table) setInt(L *State, i int, v Value) {
	switch {
	case uint(i-1) < uint(len(t.arr)):
		t.arr[i-1] = v
		if v.bits == nilBits && i == len(t.arr) {
			t.trim()
		}
	case i == len(t.arr)+1:
		if v.bits != nilBits {
			t.append(L, v)
		} else {
			t.setHash(L, Int(i), v)
		}
	default:
		t.setHash(L, Int(i), v)
	}
}

// fill sets the keys after from, for a constructor. The array gets room for nils too, as in Lua 5.1, so that # of
// {nil, nil, 3} is 3.
func (t *Table) fill(L *State, from int, values []Value) {
	to := from + len(values)
	if to > cap(t.arr) {
		t.growArray(L, to)
	}
	for i := range t.nodes { // a key that is in the array has no node
		if n := &t.nodes[i]; n.key.isNumber() && n.key.float() > float64(len(t.arr)) && n.key.float() <= float64(to) && n.key.float() == math.Trunc(n.key.float()) {
			n.key, n.val = Value{}, Value{}
		}
	}
	t.arr = t.arr[:max(to, len(t.arr))]
	copy(t.arr[from:], values)
}

// trim lets the array end with a value.
func (t *Table) trim() {
	n := len(t.arr)
	for n > 0 && t.arr[n-1].bits == nilBits {
		n--
	}
	t.arr = t.arr[:n]
}

// append sets the key after the array's last, and takes over what follows it in the hash part.
func (t *Table) append(L *State, v Value) {
	if len(t.nodes) > 0 {
		if i := t.find(Int(len(t.arr) + 1)); i >= 0 {
			t.nodes[i].key, t.nodes[i].val = Value{}, Value{} // a key that is in the array has no node
		}
	}
	t.push(L, v)
	for len(t.nodes) > 0 {
		i := t.find(Int(len(t.arr) + 1))
		if i < 0 || t.nodes[i].val.bits == nilBits {
			return
		}
		v := t.nodes[i].val
		t.nodes[i].key, t.nodes[i].val = Value{}, Value{}
		t.push(L, v)
	}
}

func (t *Table) push(L *State, v Value) {
	if len(t.arr) == cap(t.arr) {
		t.growArray(L, max(4, 2*cap(t.arr)))
	}
	t.arr = append(t.arr, v)
}

func (t *Table) growArray(L *State, slots int) {
	L.Charge(roundSize(int64(slots) * valueSize))
	L.spend(int64(len(t.arr)) / 16)
	grown := make([]Value, len(t.arr), slots)
	copy(grown, t.arr)
	t.arr = grown
}

// add puts a new key into the hash part.
func (t *Table) add(L *State, k, v Value) {
	if len(t.nodes) == cap(t.nodes) {
		t.rehash(L)
	}
	t.absent &= inside
	if len(t.heads) == 0 {
		t.nodes = append(t.nodes, node{key: k, val: v})
		return
	}
	h := t.hash(k)
	head := &t.heads[h&uint32(len(t.heads)-1)]
	t.nodes = append(t.nodes, node{key: k, val: v, next: *head, hash: h})
	*head = int32(len(t.nodes))
}

// rehash drops keys that went, and makes room for at least one more.
func (t *Table) rehash(L *State) {
	live := 0
	for i := range t.nodes {
		if t.nodes[i].val.bits != nilBits {
			live++
		}
	}
	size := minNodes
	for size < live+1+live/4 {
		size *= 2
	}
	if size > maxEntries {
		L.Throw("table overflow")
	}
	L.Charge(nodesSize(size))
	L.spend(int64(len(t.nodes)) / 2)
	old := t.nodes
	t.makeNodes(size)
	for i := range old {
		if n := &old[i]; n.val.bits != nilBits {
			if size <= minNodes {
				t.nodes = append(t.nodes, node{key: n.key, val: n.val})
				continue
			}
			h := t.hash(n.key)
			head := &t.heads[h&uint32(size-1)]
			t.nodes = append(t.nodes, node{key: n.key, val: n.val, next: *head, hash: h})
			*head = int32(len(t.nodes))
		}
	}
}

func (t *Table) makeNodes(size int) {
	t.nodes, t.heads = make([]node, 0, size), nil
	if size > minNodes {
		t.heads = make([]int32, size)
	}
}

// nodesSize is what makeNodes allocates.
func nodesSize(size int) int64 {
	if size <= minNodes {
		return roundSize(int64(size) * nodeSize)
	}
	return roundSize(int64(size)*nodeSize) + roundSize(int64(size)*4)
}

// size is what the table takes beside what it holds.
func (t *Table) size() int64 {
	own, nodes := roundSize(tableSize), roundSize(int64(cap(t.nodes))*nodeSize)+roundSize(int64(len(t.heads))*4)
	switch {
	case t.absent&small != 0:
		own = roundSize(smallSize)
		if cap(t.nodes) <= minNodes {
			nodes = 0
		}
	case t.absent&tiny != 0:
		own = roundSize(tinySize)
		if cap(t.nodes) <= tinyNodes {
			nodes = 0
		}
	}
	return own + nodes + roundSize(int64(cap(t.arr))*valueSize)
}

// length is the operator #: some n for which t[n] is not nil and t[n+1] is.
func (t *Table) length() int {
	n := len(t.arr)
	if n > 0 && t.arr[n-1].bits == nilBits { // a nil in front of the end was set after it
		lo, hi := 0, n // t[lo] is not nil or lo is 0; t[hi] is nil
		for hi-lo > 1 {
			if mid := (lo + hi) / 2; t.arr[mid-1].bits == nilBits {
				hi = mid
			} else {
				lo = mid
			}
		}
		return lo
	}
	if len(t.nodes) == 0 {
		return n
	}
	// What follows the array lies in the hash part only when keys came from above; then it is few.
	for !t.getInt(n + 1).IsNil() {
		n++
	}
	return n
}

// next returns the entry after a key, in the order array, hash part. ok is false when there is no such key. steps
// is how many entries it had to pass.
func (t *Table) next(k Value) (key, val Value, steps int, ok bool) {
	i := 0
	if k.bits != nilBits {
		if i = t.position(k); i < 0 {
			return Value{}, Value{}, 0, false
		}
	}
	from := i
	for ; i < len(t.arr); i++ {
		if t.arr[i].bits != nilBits {
			return Int(i + 1), t.arr[i], i - from, true
		}
	}
	passed := i - from
	from = max(i, cap(t.arr)) - cap(t.arr)
	for i = from; i < len(t.nodes); i++ {
		if n := &t.nodes[i]; n.val.bits != nilBits {
			return n.key, n.val, passed + i - from, true
		}
	}
	return Value{}, Value{}, passed + i - from, true
}

// position is where the search for the entry after k begins: below cap(arr) in the array, from there on in the
// hash part. An array that became shorter during a traversal still knows its old keys.
func (t *Table) position(k Value) int {
	index := -1
	if k.bits >= numberBase {
		f := k.float()
		if f >= 1 && f <= float64(cap(t.arr)) && f == float64(int(f)) {
			index = int(f)
		}
		k = Number(f + 0) // no -0
	}
	if index > len(t.arr) || index < 0 {
		if i := t.find(k); i >= 0 {
			return cap(t.arr) + i + 1
		}
	}
	return index
}
