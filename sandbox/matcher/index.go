package matcher

import (
	"math"
	"sort"
	"sync/atomic"

	"sandbar/sandbox/message"
)

// Index evaluates many matchers on one message.
//
// A matcher that wants equality with a literal, alone or together (&&) with other tests, is found by one
// look-up for all matchers that compare the same field or header. The others, and what remains of those
// that were found, are evaluated with tests and fields that they share remembered for the message.
//
// An Index is used by one goroutine at a time.
type Index struct {
	lookups   []lookup
	residual  []*inode // by matcher: what must hold beside its equality; nil when nothing
	always    []int    // matchers that no look-up finds
	exhausted atomic.Int64

	tests   []sharedTest
	values  []sharedValue
	message uint32 // counts messages, so that memories need no clearing
}

// lookup finds matchers by the value of one field or header.
type lookup struct {
	key     key
	value   int // in values; -1 for headers
	texts   map[string][]int
	numbers map[float64][]int
	small   [][]int // those of the numbers from 0 to smallNumbers-1; nil when there are none
}

// sharedTest remembers its outcome for one message.
type sharedTest struct {
	test    test
	value   int // in values; -1 when it looks at none
	message uint32
	outcome bool
}

// sharedValue remembers the value of a field for one message.
type sharedValue struct {
	key     key
	message uint32
	found   bool
	value   message.Value
}

// inode is an expression over shared tests.
type inode struct {
	join join
	test int
	kids []*inode
}

// builder of an Index.
type builder struct {
	x       *Index
	tests   map[test]int
	values  map[key]int
	lookups map[key]int
}

// NewIndex makes an index over matchers; Match answers with their places in ms.
func NewIndex(ms []*Matcher) *Index {
	b := builder{x: &Index{residual: make([]*inode, len(ms))}, tests: map[test]int{}, values: map[key]int{}, lookups: map[key]int{}}
	for i, m := range ms {
		b.add(i, m.root)
	}
	return b.x
}

// add finds the equality that a matcher can be found by. Among several the one whose field most others look at
// would be best; the last is taken, since people write Type first and what tells messages apart after it.
func (b *builder) add(id int, root *node) {
	conjuncts := []*node{root}
	if root.join == and {
		conjuncts = root.kids
	}
	for i := len(conjuncts) - 1; i >= 0; i-- {
		tests := alternatives(conjuncts[i])
		if tests == nil {
			continue
		}
		for _, t := range tests {
			b.enter(t, id)
		}
		rest := make([]*node, 0, len(conjuncts)-1)
		rest = append(append(rest, conjuncts[:i]...), conjuncts[i+1:]...)
		switch len(rest) {
		case 0:
		case 1:
			b.x.residual[id] = b.convert(rest[0])
		default:
			b.x.residual[id] = b.convert(&node{join: and, kids: rest})
		}
		return
	}
	b.x.residual[id] = b.convert(root)
	b.x.always = append(b.x.always, id)
}

// alternatives are the equalities of n, one or several (||) of the same value; nil when n is anything else.
func alternatives(n *node) []test {
	if n.join == leaf {
		if n.test.indexable() {
			return []test{n.test}
		}
		return nil
	}
	if n.join != or {
		return nil
	}
	var tests []test
	seen := map[test]bool{}
	for _, k := range n.kids {
		if k.join != leaf || !k.test.indexable() {
			return nil
		}
		if first := n.kids[0].test; k.test.key() != first.key() {
			return nil
		}
		if !seen[k.test] {
			seen[k.test] = true
			tests = append(tests, k.test)
		}
	}
	return tests
}

// indexable tests are equalities whose value a map can find. NaN and the two zeros need care: no literal is NaN,
// and zeros are one key.
func (t *test) indexable() bool {
	switch t.source {
	case fromField:
		return t.op == opEq && (t.kind == isText || t.kind == isNumber)
	case fromHeader:
		return t.op == opEq
	}
	return false
}

func (b *builder) enter(t test, id int) {
	k := t.key()
	at, ok := b.lookups[k]
	if !ok {
		at = len(b.x.lookups)
		b.lookups[k] = at
		b.x.lookups = append(b.x.lookups, lookup{key: k, value: b.value(k), texts: map[string][]int{}, numbers: map[float64][]int{}})
	}
	l := &b.x.lookups[at]
	if t.kind == isText {
		l.texts[t.text] = append(l.texts[t.text], id)
	} else if i, ok := smallNumber(t.number); ok {
		if l.small == nil {
			l.small = make([][]int, smallNumbers)
		}
		l.small[i] = append(l.small[i], id)
	} else {
		l.numbers[t.number+0] = append(l.numbers[t.number+0], id)
	}
}

func (b *builder) value(k key) int {
	if k.source != fromField {
		return -1
	}
	at, ok := b.values[k]
	if !ok {
		at = len(b.x.values)
		b.values[k] = at
		b.x.values = append(b.x.values, sharedValue{key: k})
	}
	return at
}

func (b *builder) convert(n *node) *inode {
	if n.join == leaf {
		at, ok := b.tests[n.test]
		if !ok {
			at = len(b.x.tests)
			b.tests[n.test] = at
			b.x.tests = append(b.x.tests, sharedTest{test: n.test, value: b.value(n.test.key())})
		}
		return &inode{test: at}
	}
	kids := make([]*inode, len(n.kids))
	for i, k := range n.kids {
		kids[i] = b.convert(k)
	}
	return &inode{join: n.join, kids: kids}
}

// Match appends to dst the matchers that want the message, in ascending order.
func (x *Index) Match(v *message.View, dst []int) []int {
	if x.message++; x.message == 0 { // the counter went round: old memories would look new
		x.forget()
	}
	start := len(dst)
	for i := range x.lookups {
		for _, id := range x.find(&x.lookups[i], v) {
			if r := x.residual[id]; r == nil || x.eval(r, v) {
				dst = append(dst, id)
			}
		}
	}
	for _, id := range x.always {
		if x.eval(x.residual[id], v) {
			dst = append(dst, id)
		}
	}
	if found := dst[start:]; len(found) > 1 && !sort.IntsAreSorted(found) {
		sort.Ints(found)
	}
	return dst
}

func (x *Index) forget() {
	for i := range x.tests {
		x.tests[i].message = 0
	}
	for i := range x.values {
		x.values[i].message = 0
	}
	x.message = 1
}

// smallNumbers is how many whole numbers are looked up in an array: that is faster than a map, and codes, flags
// and samples are mostly small.
const smallNumbers = 1024

func smallNumber(n float64) (int, bool) {
	i := int(n)
	return i, float64(i) == n && i >= 0 && i < smallNumbers
}

// find returns the matchers whose equality the message fulfils.
func (x *Index) find(l *lookup, v *message.View) []int {
	if l.value < 0 {
		if h, ok := v.Header(l.key.header); ok {
			return l.texts[string(h)]
		}
		return nil
	}
	val := x.value(l.value, v)
	switch {
	case !val.found:
		return nil
	case val.value.Type <= message.Bytes:
		return l.texts[string(val.value.Text)]
	case val.value.Type > message.Double || math.IsNaN(val.value.Number):
		return nil
	}
	if i, ok := smallNumber(val.value.Number); ok && l.small != nil {
		return l.small[i]
	}
	return l.numbers[val.value.Number+0]
}

func (x *Index) value(i int, v *message.View) *sharedValue {
	s := &x.values[i]
	if s.message != x.message {
		s.message = x.message
		s.value, s.found = v.Value(s.key.name, s.key.fi, s.key.ai)
	}
	return s
}

func (x *Index) eval(n *inode, v *message.View) bool {
	if n.join == leaf {
		return x.test(n.test, v)
	}
	stop := n.join == or
	for _, k := range n.kids {
		if x.eval(k, v) == stop {
			return stop
		}
	}
	return !stop
}

func (x *Index) test(i int, v *message.View) bool {
	s := &x.tests[i]
	if s.message == x.message {
		return s.outcome
	}
	s.message = x.message
	if s.value < 0 {
		s.outcome = s.test.on(v, &x.exhausted)
	} else {
		val := x.value(s.value, v)
		s.outcome = s.test.onValue(val.value, val.found, &x.exhausted)
	}
	return s.outcome
}

// Exhausted counts the patterns that ran out of steps, which made their tests false.
func (x *Index) Exhausted() int64 { return x.exhausted.Load() }
