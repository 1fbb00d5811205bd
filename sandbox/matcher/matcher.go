// Package matcher is message_matcher, the language in which a plugin says which messages it wants.
//
// Parse reads an expression; a Matcher evaluates it on one message; an Index evaluates many at once. It knows
// messages and patterns, no plugin and no stream. docs/matcher.md is the manual.
package matcher

import (
	"sync/atomic"

	"sandbar/sandbox/message"
)

// op is what a test does with a value.
type op uint8

const (
	opEq op = iota
	opNe
	opGe
	opGt
	opLe
	opLt
	opMatch
	opNotMatch
	opIsNil
	opNotNil
	opConst // TRUE and FALSE by themselves
)

// source is what a test looks at.
type source uint8

const (
	fromNothing source = iota
	fromHeader
	fromUUID
	fromTimestamp
	fromSeverity
	fromPid
	fromField
)

// literal is what a value is compared with.
type literal uint8

const (
	isNothing literal = iota
	isText
	isNumber
	isBool
)

// test is one comparison. Equal tests are equal values, so that an Index can share them.
type test struct {
	source source
	header message.Header
	name   string // of the field
	fi, ai int
	op     op
	kind   literal
	text   string
	number float64
	truth  bool
	plain  bool   // the pattern is searched for as it is
	prefix string // what every match of the pattern begins with, at the start of the text
}

// node is an expression: a test, or kids joined by && or ||.
type node struct {
	join join
	test test
	kids []*node
}

type join uint8

const (
	leaf join = iota
	and
	or
)

// patternSteps is what one pattern may cost on one message.
const patternSteps = 100_000

// Matcher is a parsed expression. It is safe for concurrent use.
type Matcher struct {
	text      string
	root      *node
	eval      predicate
	hindsight *node // the tree that Hindsight's parser makes
	exhausted *atomic.Int64
}

// predicate is a compiled expression.
type predicate func(*message.View) bool

// Parse reads an expression. Errors are *SyntaxError.
func Parse(expr string) (*Matcher, error) {
	p := parser{text: expr}
	root, err := p.parse()
	if err != nil {
		return nil, err
	}
	m := &Matcher{text: expr, root: root, hindsight: p.asHindsight(), exhausted: new(atomic.Int64)}
	m.eval = compile(root, m.exhausted)
	return m, nil
}

// Match reports whether the plugin wants the message.
func (m *Matcher) Match(v *message.View) bool { return m.eval(v) }

// String is the expression as it was written.
func (m *Matcher) String() string { return m.text }

// Exhausted counts the patterns that ran out of steps, which made their tests false.
func (m *Matcher) Exhausted() int64 { return m.exhausted.Load() }

// compile makes one closure of an expression.
func compile(n *node, exhausted *atomic.Int64) predicate {
	if n.join == leaf {
		t := n.test
		return func(v *message.View) bool { return t.on(v, exhausted) }
	}
	kids := make([]predicate, len(n.kids))
	for i, k := range n.kids {
		kids[i] = compile(k, exhausted)
	}
	stop := n.join == or // an || ends with the first that is true, an && with the first that is not
	if len(kids) == 2 {
		a, b := kids[0], kids[1]
		if stop {
			return func(v *message.View) bool { return a(v) || b(v) }
		}
		return func(v *message.View) bool { return a(v) && b(v) }
	}
	return func(v *message.View) bool {
		for _, k := range kids {
			if k(v) == stop {
				return stop
			}
		}
		return !stop
	}
}
