// Package validator checks parsed documents against JSON Schemas of drafts 4, 6, 7, 2019-09 and 2020-12. A schema is compiled once, to a program
// that walks a document as it was parsed, without making maps or copies of it.
//
// santhosh-tekuri/jsonschema reads schemas, resolves what they refer to and checks them; its own validation is the oracle of the tests.
package validator

import (
	"math/big"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"sandbar/sandbox/jsondoc"
)

// Program is a compiled schema. It does not change, and may validate any number of documents at the same time.
type Program struct {
	root   *node
	scoped bool // what a part means depends on the parts around it, or it may meet itself
}

// types is a set of kinds of values: a bit for each jsondoc.Kind, and one for whole numbers.
type types uint16

const wholeNumber types = 1 << (jsondoc.Object + 1)

// node is a schema, or a part of one that is a schema.
type node struct {
	fuel    int64
	draft   int
	always  int8 // 1 for true, -1 for false, which are schemas too
	values  bool // there is something of const, enum, format and $ref
	more    bool // there is something of what follows behind numeric
	types   types
	object  *object
	array   *array
	text    *text
	numeric *numeric

	constant *choice
	enum     *choice
	format   *jsonschema.Format
	ref      *node

	not, cond, then, other *node
	all, any, one          []*node
	restOfObject           *node // unevaluatedProperties
	restOfArray            *node // unevaluatedItems

	recursive       *node // $recursiveRef
	recursiveAnchor bool
	dynamic         *node  // $dynamicRef,
	dynamicAnchor   string // with this anchor, if it is to be looked for
	anchor          string // $dynamicAnchor
	resource        *node
	anchors         map[string]*node // of a resource
}

// object is what a schema says of objects.
type object struct {
	min, max     int // -1 when there is none
	required     []string
	names        table
	patterns     []patternProperty
	additional   *node // nil: whatever they are
	noAdditional bool
	propertyName *node
	depend       []dependency
}

type patternProperty struct {
	pattern *Pattern
	schema  *node
}

// dependency is what has to be when a property is there.
type dependency struct {
	name     string
	late     bool // it is looked at behind the properties
	keyword  string
	required []string
	schema   *node
}

// array is what a schema says of arrays.
type array struct {
	min, max     int // -1 when there is none
	unique       bool
	first        []*node // of the first elements
	rest         *node   // of those behind; nil: whatever they are
	noRest       bool
	contains     *node
	minContains  int // -1 when there is none
	maxContains  int
	marksMatches bool // what contains matches is evaluated
}

type text struct {
	min, max int // characters; -1 when there is none
	pattern  *Pattern
}

type numeric struct {
	min, max, above, below *bound
	multiple               *bound
}

// bound is a number of a schema.
type bound struct {
	rat   *big.Rat
	float float64 // the same, if exact
	exact bool
	whole int64 // the same, if isInt
	isInt bool
}

func newBound(r *big.Rat) *bound {
	if r == nil {
		return nil
	}
	b := &bound{rat: r}
	b.float, b.exact = r.Float64()
	if b.isInt = r.IsInt() && r.Num().IsInt64(); b.isInt {
		b.whole = r.Num().Int64()
	}
	return b
}

// choice is a list of values, one of which a value has to equal.
type choice struct {
	strings map[string]bool
	numbers []*bound
	null    bool
	yes, no bool
	others  []jsondoc.Value // arrays and objects
	kinds   types
	shown   string // to people
}

// table finds what a schema says of a property by its name: open addressing, at most half full.
type table struct {
	mask    uint32
	slots   []slot
	entries []property
}

type slot struct {
	hash  uint32
	entry int32 // from 1 on; 0 when it is free
}

type property struct {
	name     string
	schema   *node // nil when it is only required
	required int   // its place in required; -1 when it is not
}

func newTable(entries []property) table {
	size := uint32(4)
	for size < 2*uint32(len(entries)) {
		size *= 2
	}
	t := table{mask: size - 1, entries: entries, slots: make([]slot, size)}
	for i, e := range entries {
		h := hashName(e.name)
		at := h & t.mask
		for t.slots[at].entry != 0 {
			at = (at + 1) & t.mask
		}
		t.slots[at] = slot{h, int32(i + 1)}
	}
	return t
}

// find returns nil when a schema says nothing of the name.
func (t *table) find(name string) *property {
	if len(t.entries) == 0 {
		return nil
	}
	h := hashName(name)
	for at := h & t.mask; ; at = (at + 1) & t.mask {
		s := t.slots[at]
		if s.entry == 0 {
			return nil
		}
		if s.hash == h {
			if e := &t.entries[s.entry-1]; e.name == name {
				return e
			}
		}
	}
}

// hashName looks at the length, the first and the last eight bytes: names of one schema differ there. What a document has cannot make a search long, since the table is the
// schema's.
func hashName(s string) uint32 {
	var first, last uint64
	switch n := len(s); {
	case n >= 8:
		first, last = word(s), word(s[n-8:])
	case n >= 4:
		first, last = half(s), half(s[n-4:])
	case n > 0:
		first, last = uint64(s[0])|uint64(s[n/2])<<8, uint64(s[n-1])
	}
	h := (first^uint64(len(s))*0x9e3779b97f4a7c15)*0xff51afd7ed558ccd ^ last
	h *= 0xc4ceb9fe1a85ec53
	return uint32(h >> 32)
}

// word are the first eight bytes of s.
func word(s string) uint64 {
	_ = s[7]
	return half(s) | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// half are the first four.
func half(s string) uint64 {
	_ = s[3]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}
