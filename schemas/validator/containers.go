package validator

import (
	"sandbar/sandbox/jsondoc"
)

// object checks what a schema says of objects.
func (r *run) object(o *object, v jsondoc.Value, seen *set) bool {
	if o.min >= 0 || o.max >= 0 {
		n := r.distinct(v)
		if n < o.min {
			return r.fail(failure{at: v, keyword: "minProperties", got: n, want: o.min})
		}
		if o.max >= 0 && n > o.max {
			return r.fail(failure{at: v, keyword: "maxProperties", got: n, want: o.max})
		}
	}
	if len(o.depend) > 0 && (!r.required(o, v) || !r.depends(o, v, seen, false)) {
		return false
	}
	failed := r.failed
	ok, found := r.members(o, v, seen)
	if len(o.required) > found { // it comes before what the members have against it
		if ok || r.quiet == 0 && !failed {
			r.failed = failed
			if !r.required(o, v) {
				return false
			}
			r.failed = !ok || failed
		}
	}
	if !ok {
		return false
	}
	if o.propertyName != nil {
		m := v.Members()
		for {
			name, _, ok := m.Next()
			if !ok {
				break
			}
			if !r.check(o.propertyName, name, nil) {
				return false
			}
		}
	}
	return r.depends(o, v, seen, true)
}

// members checks each of them, and says how many of the required ones it has met.
func (r *run) members(o *object, v jsondoc.Value, seen *set) (ok bool, found int) {
	m := v.Members()
	var met uint64 // of the first 64 required ones
	var extra jsondoc.Value
	more := 0
	for i := 0; ; i++ {
		key, member, ok := m.Next()
		if !ok {
			break
		}
		name, plain := key.Plain()
		if !plain {
			name = key.Str()
		}
		r.fuel++
		known := false
		if p := o.names.find(name); p != nil {
			if p.required >= 0 && p.required < 64 && met&(1<<p.required) == 0 {
				met |= 1 << p.required
				found++
			}
			if p.schema != nil {
				known = true
				if !r.member(p.schema, v, m, key, member) {
					return false, found
				}
			}
		}
		for j := range o.patterns {
			if p := &o.patterns[j]; p.pattern.match(name, r) {
				known = true
				if !r.member(p.schema, v, m, key, member) {
					return false, found
				}
			}
		}
		switch {
		case known:
		case o.additional != nil:
			known = true
			if o.additional.always <= 0 && !r.member(o.additional, v, m, key, member) {
				return false, found
			}
		case o.noAdditional:
			if known = true; more == 0 {
				extra = key
			}
			more++
		}
		if known {
			seen.mark(i)
		}
	}
	if more > 0 {
		return r.fail(failure{at: v, keyword: "additionalProperties", name: extra.Str(), got: more}), found
	}
	return true, found
}

// member checks a member's value. One behind which another of the same name comes does not count.
func (r *run) member(n *node, owner jsondoc.Value, behind jsondoc.Members, key, member jsondoc.Value) bool {
	failed := r.failed
	if r.check(n, member, nil) {
		return true
	}
	name := key.Str()
	for {
		other, _, ok := behind.Next()
		if !ok {
			return false
		}
		r.take(1)
		if other.Str() == name {
			r.failed = failed
			return true
		}
	}
}

// required says whether all that are required are there.
func (r *run) required(o *object, v jsondoc.Value) bool {
	for _, name := range o.required {
		r.take(1 + int64(v.Len())/8)
		if _, ok := v.Member(name); !ok {
			return r.fail(failure{at: v, keyword: "required", name: name})
		}
	}
	return true
}

func (r *run) depends(o *object, v jsondoc.Value, seen *set, late bool) bool {
	for i := range o.depend {
		d := &o.depend[i]
		r.take(1 + int64(v.Len())/8)
		if d.late != late {
			continue
		}
		if _, ok := v.Member(d.name); !ok {
			continue
		}
		if d.schema != nil {
			if !r.also(d.schema, v, seen) {
				return false
			}
			continue
		}
		for _, name := range d.required {
			r.take(1 + int64(v.Len())/8)
			if _, ok := v.Member(name); !ok {
				return r.fail(failure{at: v, keyword: d.keyword, name: name, other: d.name})
			}
		}
	}
	return true
}

// distinct is how many names the members have.
func (r *run) distinct(v jsondoc.Value) int {
	if v.Len() < 2 {
		return v.Len()
	}
	r.take(2 * int64(v.Len()))
	names := make(map[string]struct{}, v.Len())
	m := v.Members()
	for {
		key, _, ok := m.Next()
		if !ok {
			return len(names)
		}
		names[key.Str()] = struct{}{}
	}
}

// array checks what a schema says of arrays.
func (r *run) array(a *array, v jsondoc.Value, seen *set) bool {
	n := v.Len()
	if n < a.min {
		return r.fail(failure{at: v, keyword: "minItems", got: n, want: a.min})
	}
	if a.max >= 0 && n > a.max {
		return r.fail(failure{at: v, keyword: "maxItems", got: n, want: a.max})
	}
	if a.unique && n > 1 {
		if i, j := r.equalElements(v); i >= 0 {
			return r.fail(failure{at: v, keyword: "uniqueItems", got: i, want: j})
		}
	}
	if a.first != nil || a.rest != nil || a.noRest {
		e := v.Elements()
		for i := range n {
			element, _ := e.Next()
			r.fuel++
			switch {
			case i < len(a.first):
				if !r.check(a.first[i], element, nil) {
					return false
				}
			case a.rest != nil:
				if !r.check(a.rest, element, nil) {
					return false
				}
			case a.noRest:
				return r.fail(failure{at: v, keyword: "additionalItems", got: n - i})
			}
		}
		if seen != nil {
			for i := range min(n, len(a.first)) {
				seen.mark(i)
			}
			if a.rest != nil {
				seen.everything()
			}
		}
	}
	return a.contains == nil || r.contains(a, v, seen)
}

// contains checks how many elements fit. What the first of the others has against it is why, if there are too few.
func (r *run) contains(a *array, v jsondoc.Value, seen *set) bool {
	failed, matched, told := r.failed, 0, false
	e := v.Elements()
	for i := 0; ; i++ {
		element, ok := e.Next()
		if !ok {
			break
		}
		fits := false
		if told {
			fits = r.fits(a.contains, element, nil)
		} else {
			fits = r.check(a.contains, element, nil)
		}
		if told = told || !fits; !fits {
			continue
		}
		if matched++; a.marksMatches {
			seen.mark(i)
		}
	}
	least := 1
	if a.minContains >= 0 {
		least = a.minContains
	}
	if matched < least {
		if a.minContains >= 0 {
			return r.fail(failure{at: v, keyword: "minContains", got: matched, want: least})
		}
		return r.fail(failure{at: v, keyword: "contains", text: "no items match contains schema"})
	}
	r.failed = failed
	if a.maxContains >= 0 && matched > a.maxContains {
		return r.fail(failure{at: v, keyword: "maxContains", got: matched, want: a.maxContains})
	}
	return true
}
