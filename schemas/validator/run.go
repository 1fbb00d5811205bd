package validator

import (
	"unicode/utf8"

	"sandbar/sandbox/jsondoc"
)

// Fuel of a validation. One unit is about 10 ns.
const (
	nodeFuel    = 2   // a schema that looks at a value
	charFuel    = 64  // bytes of a text that one unit looks at
	spendAtOnce = 500 // so that a plugin is stopped within microseconds
)

// Failure is why a document does not obey its schema: the first that was found, in the order in which the keywords are looked at: type, const, enum, format, $ref, those of objects, arrays,
// texts and numbers, not, allOf, anyOf, oneOf, if, unevaluated ones. Of a choice (anyOf, oneOf) of which nothing fits it is what the first has against it.
type Failure struct {
	Path    string // to the value, as a JSON pointer
	Keyword string // "type"; "" of a schema that is false
	Text    string // for people
}

// Validate checks a value; nil when it obeys the schema. It calls spend with the fuel of what it did, now and then before it goes on; a panic of spend passes through.
func (p *Program) Validate(v jsondoc.Value, spend func(fuel int64)) *Failure {
	r := run{root: v, spend: spend, scoped: p.scoped}
	ok := r.check(p.root, v, nil)
	r.pay()
	if ok {
		return nil
	}
	return r.first.tell(v)
}

// run is one validation.
type run struct {
	root   jsondoc.Value
	spend  func(int64)
	fuel   int64
	quiet  int // above 0: only whether something fits is asked
	failed bool
	first  failure // if failed
	scoped bool
	scope  []frame
}

// frame is a schema that looks at a value.
type frame struct {
	node  *node
	place uint32
}

func (r *run) take(fuel int64) {
	if r.fuel += fuel; r.fuel >= spendAtOnce {
		r.pay()
	}
}

func (r *run) pay() {
	if r.fuel > 0 && r.spend != nil {
		n := r.fuel
		r.fuel = 0
		r.spend(n)
	}
}

// fail notes why, if that is asked and the first time.
func (r *run) fail(f failure) bool {
	if r.quiet == 0 && !r.failed {
		r.failed, r.first = true, f
	}
	return false
}

// check says whether a value obeys a schema. seen, if it is not nil, gets the members or elements that were looked at.
func (r *run) check(n *node, v jsondoc.Value, seen *set) bool {
	if n.always != 0 {
		if n.always < 0 {
			return r.fail(failure{at: v, text: "false schema"})
		}
		return true
	}
	r.take(n.fuel)
	if !r.scoped {
		return r.look(n, v, seen)
	}
	for i := len(r.scope) - 1; i >= 0 && r.scope[i].place == v.Place(); i-- {
		if r.scope[i].node == n {
			return r.fail(failure{at: v, text: "the schema refers to itself without end"})
		}
	}
	r.take(int64(len(r.scope)) / 16)
	r.scope = append(r.scope, frame{n, v.Place()})
	ok := r.look(n, v, seen)
	r.scope = r.scope[:len(r.scope)-1]
	return ok
}

// look is check without its surroundings.
func (r *run) look(n *node, v jsondoc.Value, seen *set) bool {
	kind := v.Kind()
	if n.types != 0 && n.types&(1<<kind) == 0 && (kind != jsondoc.Number || n.types&wholeNumber == 0 || !isWhole(v.Raw())) {
		return r.fail(failure{at: v, keyword: "type", node: n})
	}
	if seen == nil && n.more && (kind == jsondoc.Object && n.restOfObject != nil || kind == jsondoc.Array && n.restOfArray != nil) {
		seen = &set{}
	}
	if n.values {
		if ok, over := r.value(n, v, kind, seen); over {
			return ok
		}
	}
	ok := true
	switch kind {
	case jsondoc.Object:
		ok = n.object == nil || r.object(n.object, v, seen)
	case jsondoc.Array:
		ok = n.array == nil || r.array(n.array, v, seen)
	case jsondoc.String:
		ok = n.text == nil || r.text(n.text, v)
	case jsondoc.Number:
		ok = n.numeric == nil || r.number(n.numeric, v)
	}
	return ok && (!n.more || r.references(n, v, seen) && r.conditions(n, v, seen) && r.rest(n, v, seen))
}

// value checks what a schema says of any value; over says that nothing else counts.
func (r *run) value(n *node, v jsondoc.Value, kind jsondoc.Kind, seen *set) (ok, over bool) {
	if n.constant != nil && !r.among(n.constant, v) {
		return r.fail(failure{at: v, keyword: "const", choice: n.constant}), true
	}
	if n.enum != nil && !r.among(n.enum, v) {
		return r.fail(failure{at: v, keyword: "enum", choice: n.enum}), true
	}
	if n.format != nil && kind == jsondoc.String {
		s := v.Str()
		r.take(1 + int64(len(s))/16)
		if err := n.format.Validate(s); err != nil {
			return r.fail(failure{at: v, keyword: "format", text: err.Error(), name: n.format.Name}), true
		}
	}
	if n.ref == nil {
		return true, false
	}
	ok = r.also(n.ref, v, seen)
	return ok, !ok || n.draft < 2019
}

// also checks the same value against another schema. What that looked at counts if it fits.
func (r *run) also(n *node, v jsondoc.Value, seen *set) bool {
	if seen == nil {
		return r.check(n, v, nil)
	}
	var own set
	if !r.check(n, v, &own) {
		return false
	}
	seen.add(&own)
	return true
}

// fits is also, without asking why not.
func (r *run) fits(n *node, v jsondoc.Value, seen *set) bool {
	r.quiet++
	ok := r.also(n, v, seen)
	r.quiet--
	return ok
}

func (r *run) references(n *node, v jsondoc.Value, seen *set) bool {
	if target := n.recursive; target != nil {
		if target.recursiveAnchor {
			for i := range r.scope { // the outermost
				if s := r.scope[i].node; s.resource != nil && s.resource.recursiveAnchor {
					target = s
					break
				}
			}
		}
		if !r.also(target, v, seen) {
			return false
		}
	}
	if target := n.dynamic; target != nil {
		if n.dynamicAnchor != "" && target.anchor == n.dynamicAnchor {
			for i := range r.scope {
				if s := r.scope[i].node; s.resource != nil && s.resource.anchors[n.dynamicAnchor] != nil {
					target = s.resource.anchors[n.dynamicAnchor]
					break
				}
			}
		}
		return r.also(target, v, seen)
	}
	return true
}

func (r *run) conditions(n *node, v jsondoc.Value, seen *set) bool {
	if n.not != nil && r.fits(n.not, v, seen) {
		return r.fail(failure{at: v, keyword: "not", text: "'not' failed"})
	}
	for _, s := range n.all {
		if !r.also(s, v, seen) {
			return false
		}
	}
	if len(n.any) > 0 && !r.oneOrMore(n.any, v, seen) {
		return false
	}
	if len(n.one) > 0 && !r.exactlyOne(n.one, v, seen) {
		return false
	}
	if n.cond != nil {
		if r.fits(n.cond, v, seen) {
			return n.then == nil || r.also(n.then, v, seen)
		}
		return n.other == nil || r.also(n.other, v, seen)
	}
	return true
}

// oneOrMore is anyOf. What the first has against the value is why, if nothing fits.
func (r *run) oneOrMore(all []*node, v jsondoc.Value, seen *set) bool {
	failed, matched := r.failed, false
	for i, s := range all {
		ok := false
		if i == 0 {
			ok = r.also(s, v, seen)
		} else {
			ok = r.fits(s, v, seen)
		}
		if matched = matched || ok; matched && seen == nil {
			break
		}
	}
	if matched {
		r.failed = failed
	}
	return matched
}

// exactlyOne is oneOf.
func (r *run) exactlyOne(all []*node, v jsondoc.Value, seen *set) bool {
	failed, matched := r.failed, -1
	for i, s := range all {
		ok := false
		if i == 0 {
			ok = r.also(s, v, seen)
		} else {
			ok = r.fits(s, v, seen)
		}
		if !ok {
			continue
		}
		r.failed = failed
		if matched >= 0 {
			return r.fail(failure{at: v, keyword: "oneOf", got: matched, want: i})
		}
		matched = i
	}
	return matched >= 0
}

// rest checks what no keyword has looked at.
func (r *run) rest(n *node, v jsondoc.Value, seen *set) bool {
	if n.restOfObject != nil && v.Kind() == jsondoc.Object {
		m := v.Members()
		for i := 0; ; i++ {
			name, member, ok := m.Next()
			if !ok {
				break
			}
			if !seen.has(i) && !r.member(n.restOfObject, v, m, name, member) {
				return false
			}
		}
		seen.everything()
	}
	if n.restOfArray != nil && v.Kind() == jsondoc.Array {
		e := v.Elements()
		for i := 0; ; i++ {
			element, ok := e.Next()
			if !ok {
				break
			}
			if !seen.has(i) && !r.check(n.restOfArray, element, nil) {
				return false
			}
		}
		seen.everything()
	}
	return true
}

func (r *run) text(t *text, v jsondoc.Value) bool {
	s, plain := v.Plain()
	if !plain {
		s = v.Str()
	}
	if t.min >= 0 || t.max >= 0 {
		r.take(int64(len(s)) / charFuel)
		n := len(s)
		if n < t.min || t.max >= 0 && n > t.max || n < 4*t.min { // or the bytes say enough: there are not more characters, and not fewer than a fourth
			n = utf8.RuneCountInString(s)
		}
		if n < t.min {
			return r.fail(failure{at: v, keyword: "minLength", got: n, want: t.min})
		}
		if t.max >= 0 && n > t.max {
			return r.fail(failure{at: v, keyword: "maxLength", got: n, want: t.max})
		}
	}
	if t.pattern != nil && !t.pattern.match(s, r) {
		return r.fail(failure{at: v, keyword: "pattern", name: t.pattern.source})
	}
	return true
}

// set is which members or elements were looked at, by their places.
type set struct {
	all   bool
	words []uint64
}

func (s *set) mark(i int) {
	if s == nil || s.all {
		return
	}
	for len(s.words) <= i/64 {
		s.words = append(s.words, 0)
	}
	s.words[i/64] |= 1 << (i % 64)
}

func (s *set) has(i int) bool {
	return s.all || i/64 < len(s.words) && s.words[i/64]&(1<<(i%64)) != 0
}

func (s *set) everything() { s.all = true }

func (s *set) add(o *set) {
	s.all = s.all || o.all
	for len(s.words) < len(o.words) {
		s.words = append(s.words, 0)
	}
	for i, w := range o.words {
		s.words[i] |= w
	}
}
