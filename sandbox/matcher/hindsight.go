package matcher

import (
	"fmt"
	"strings"
)

// Hindsight reads an expression with a stack of operators on which a closing parenthesis leaves the opening
// one. An operator after a group then binds to the group first: A && (B) || C is A && (B || C). We do not; a
// plugin that was written for it may mean what it did, so the difference is found and told.

// asHindsight makes the tree that Hindsight evaluates.
func (p *parser) asHindsight() *node {
	var out []*node
	var ops []byte
	reduce := func() {
		mark := ops[len(ops)-1]
		ops = ops[:len(ops)-1]
		if mark == '(' {
			return // forgotten at the end
		}
		n := &node{join: and, kids: []*node{out[len(out)-2], out[len(out)-1]}}
		if mark == '|' {
			n.join = or
		}
		out = append(out[:len(out)-2], n)
	}
	for _, t := range p.tokens {
		switch t.mark {
		case 0:
			out = append(out, t.test)
		case '(':
			ops = append(ops, '(')
		case ')':
			for ops[len(ops)-1] != '(' {
				reduce()
			}
		default:
			for len(ops) > 0 && ops[len(ops)-1] != '(' && (t.mark == '|' || ops[len(ops)-1] == '&') {
				reduce()
			}
			ops = append(ops, t.mark)
		}
	}
	for len(ops) > 0 {
		reduce()
	}
	return out[0]
}

// maxTruthTests is up to how many different tests the two readings are compared for every outcome of the tests.
const maxTruthTests = 12

// HindsightDiffers reports whether Hindsight would read the expression differently, and how it would.
func (m *Matcher) HindsightDiffers() (how string, differs bool) {
	ids := map[test]int{}
	m.root.number(ids)
	if len(ids) > maxTruthTests {
		differs = m.root.shape(ids) != m.hindsight.shape(ids)
	} else {
		for outcome := uint32(0); outcome < 1<<len(ids) && !differs; outcome++ {
			differs = m.root.decide(ids, outcome) != m.hindsight.decide(ids, outcome)
		}
	}
	if !differs {
		return "", false
	}
	return fmt.Sprintf("it evaluates %s; write parentheses around what belongs together, the group first", m.hindsight.shape(ids)), true
}

// number gives every different test a number. Constants need none.
func (n *node) number(ids map[test]int) {
	if n.join == leaf {
		if _, known := ids[n.test]; !known && n.test.op != opConst {
			ids[n.test] = len(ids)
		}
		return
	}
	for _, k := range n.kids {
		k.number(ids)
	}
}

// decide evaluates the tree for one outcome of the tests, a bit each.
func (n *node) decide(ids map[test]int, outcome uint32) bool {
	if n.join == leaf {
		if n.test.op == opConst {
			return n.test.truth
		}
		return outcome>>ids[n.test]&1 == 1
	}
	for _, k := range n.kids {
		if k.decide(ids, outcome) == (n.join == or) {
			return n.join == or
		}
	}
	return n.join == and
}

// shape writes the tree with letters for the tests, flat where the same operator is nested.
func (n *node) shape(ids map[test]int) string {
	if n.join == leaf {
		switch {
		case n.test.op == opConst && n.test.truth:
			return "TRUE"
		case n.test.op == opConst:
			return "FALSE"
		}
		id := ids[n.test]
		letter := string(rune('A' + id%26))
		if id >= 26 {
			letter += fmt.Sprint(id / 26)
		}
		return letter
	}
	var parts []string
	for _, k := range n.kids {
		s := k.shape(ids)
		if k.join != leaf && k.join != n.join {
			s = "(" + s + ")"
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, map[join]string{and: " && ", or: " || "}[n.join])
}
