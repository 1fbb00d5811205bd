package validator

import (
	"hash/maphash"
	"math"
	"math/big"
	"strconv"
	"strings"

	"sandbar/sandbox/jsondoc"
	exact "sandbar/sandbox/number"
)

// rational is a JSON number, bounded so that it can be computed with.
func rational(raw string) *big.Rat {
	r, ok := new(big.Rat).SetString(exact.Bound(raw))
	if !ok { // cannot be: it was parsed
		return new(big.Rat)
	}
	return r
}

// shortInt is a number of at most 18 digits and nothing else.
func shortInt(raw string) (int64, bool) {
	digits := strings.TrimPrefix(raw, "-")
	if len(digits) > 18 {
		return 0, false
	}
	n := int64(0)
	for i := range len(digits) {
		c := digits[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = 10*n + int64(c)
	}
	if len(digits) < len(raw) {
		n = -n
	}
	return n, true
}

// isWhole says whether a number is a whole one: 1.0 and 1e3 are.
func isWhole(raw string) bool {
	for i := range len(raw) {
		if c := raw[i]; c == '.' || c|0x20 == 'e' {
			return rational(raw).IsInt()
		}
	}
	return true
}

// compare is -1, 0 or 1, as a number is less than a bound, equal or greater.
func compare(raw string, b *bound) int {
	if n, ok := shortInt(raw); ok && b.isInt {
		switch {
		case n < b.whole:
			return -1
		case n > b.whole:
			return 1
		}
		return 0
	}
	if b.exact && len(raw) < 40 { // the nearest double is on the same side, or equal
		if f, err := strconv.ParseFloat(raw, 64); err == nil && f != b.float && !math.IsInf(b.float, 0) {
			if f < b.float {
				return -1
			}
			return 1
		}
	}
	return rational(raw).Cmp(b.rat)
}

func (r *run) number(n *numeric, v jsondoc.Value) bool {
	raw := v.Raw()
	r.take(1 + int64(len(raw))/8)
	switch {
	case n.min != nil && compare(raw, n.min) < 0:
		return r.fail(failure{at: v, keyword: "minimum", bound: n.min})
	case n.max != nil && compare(raw, n.max) > 0:
		return r.fail(failure{at: v, keyword: "maximum", bound: n.max})
	case n.above != nil && compare(raw, n.above) <= 0:
		return r.fail(failure{at: v, keyword: "exclusiveMinimum", bound: n.above})
	case n.below != nil && compare(raw, n.below) >= 0:
		return r.fail(failure{at: v, keyword: "exclusiveMaximum", bound: n.below})
	}
	if n.multiple == nil {
		return true
	}
	whole := false
	if i, ok := shortInt(raw); ok && n.multiple.isInt && n.multiple.whole != 0 {
		whole = i%n.multiple.whole == 0
	} else if n.multiple.rat.Sign() != 0 {
		whole = new(big.Rat).Quo(rational(raw), n.multiple.rat).IsInt()
	}
	return whole || r.fail(failure{at: v, keyword: "multipleOf", bound: n.multiple})
}

// among says whether a value is one of a choice.
func (r *run) among(c *choice, v jsondoc.Value) bool {
	kind := v.Kind()
	if c.kinds&(1<<kind) == 0 {
		return false
	}
	switch kind {
	case jsondoc.Null:
		return true
	case jsondoc.Bool:
		return v.Bool() && c.yes || !v.Bool() && c.no
	case jsondoc.String:
		s, plain := v.Plain()
		if !plain {
			s = v.Str()
		}
		r.take(1 + int64(len(s))/charFuel)
		return c.strings[s]
	case jsondoc.Number:
		raw := v.Raw()
		r.take(int64(len(c.numbers)) * (1 + int64(len(raw))/8))
		for _, n := range c.numbers {
			if compare(raw, n) == 0 {
				return true
			}
		}
		return false
	}
	for _, o := range c.others {
		if r.equal(v, o) {
			return true
		}
	}
	return false
}

// equal says whether two values are, as JSON Schema has it: numbers by what they are worth, objects whatever the order of their members.
func (r *run) equal(a, b jsondoc.Value) bool {
	kind := a.Kind()
	r.take(2)
	if kind != b.Kind() {
		return false
	}
	switch kind {
	case jsondoc.Bool:
		return a.Bool() == b.Bool()
	case jsondoc.Number:
		r.take(int64(len(a.Raw())+len(b.Raw())) / 8)
		return a.Raw() == b.Raw() || rational(a.Raw()).Cmp(rational(b.Raw())) == 0
	case jsondoc.String:
		r.take(int64(a.TextLen()) / charFuel)
		return a.Str() == b.Str()
	case jsondoc.Array:
		if a.Len() != b.Len() {
			return false
		}
		ea, eb := a.Elements(), b.Elements()
		for range a.Len() {
			x, _ := ea.Next()
			y, _ := eb.Next()
			if !r.equal(x, y) {
				return false
			}
		}
		return true
	case jsondoc.Object:
		return r.equalMembers(a, b)
	}
	return true
}

func (r *run) equalMembers(a, b jsondoc.Value) bool {
	x, y := r.byName(a), r.byName(b)
	if len(x) != len(y) {
		return false
	}
	for name, v := range x {
		w, ok := y[name]
		if !ok || !r.equal(v, w) {
			return false
		}
	}
	return true
}

// byName are an object's members; of those with one name the last.
func (r *run) byName(v jsondoc.Value) map[string]jsondoc.Value {
	r.take(4 * int64(v.Len()))
	all := make(map[string]jsondoc.Value, v.Len())
	m := v.Members()
	for {
		name, member, ok := m.Next()
		if !ok {
			return all
		}
		all[name.Str()] = member
	}
}

const fewElements = 20 // are compared with each other

// equalElements finds the first that equals one before it; -1 when there is none.
func (r *run) equalElements(v jsondoc.Value) (first, second int) {
	e := v.Elements()
	all := make([]jsondoc.Value, 0, v.Len())
	if v.Len() <= fewElements {
		for {
			element, ok := e.Next()
			if !ok {
				return -1, -1
			}
			for i, before := range all {
				if r.equal(element, before) {
					return i, len(all)
				}
			}
			all = append(all, element)
		}
	}
	seed := maphash.MakeSeed()
	places := make(map[uint64][]int, v.Len())
	for {
		element, ok := e.Next()
		if !ok {
			return -1, -1
		}
		h := r.hash(seed, element)
		for _, i := range places[h] {
			if r.equal(element, all[i]) {
				return i, len(all)
			}
		}
		places[h] = append(places[h], len(all))
		all = append(all, element)
	}
}

// hash is the same for values that are equal.
func (r *run) hash(seed maphash.Seed, v jsondoc.Value) uint64 {
	r.take(5)
	const prime = 0x100000001b3
	switch v.Kind() {
	case jsondoc.Number:
		f := v.Num() // equal numbers have the same nearest double
		return maphash.Comparable(seed, f+0)
	case jsondoc.Array:
		h, e := uint64(1), v.Elements()
		for {
			element, ok := e.Next()
			if !ok {
				return h
			}
			h = h*prime + r.hash(seed, element)
		}
	case jsondoc.Object:
		h := uint64(2)
		for name, member := range r.byName(v) {
			h += maphash.String(seed, name) ^ r.hash(seed, member)*prime
		}
		return h
	}
	r.take(int64(v.TextLen()) / charFuel)
	if v.Kind() == jsondoc.String {
		return maphash.String(seed, v.Str())
	}
	return maphash.String(seed, v.Raw())
}
