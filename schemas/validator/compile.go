package validator

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"sandbar/sandbox/jsondoc"
)

// New makes a program of a schema that was compiled with Patterns as its regexp engine, and whose numbers were bounded (number.Bound) before.
func New(s *jsonschema.Schema) (*Program, error) {
	c := &compiler{nodes: map[*jsonschema.Schema]*node{}}
	root, err := c.node(s)
	if err != nil {
		return nil, err
	}
	if c.dynamic {
		if err := c.resources(); err != nil {
			return nil, err
		}
	}
	return &Program{root: root, scoped: c.dynamic || cyclic(slices.Collect(maps.Values(c.nodes)))}, nil
}

type compiler struct {
	nodes   map[*jsonschema.Schema]*node
	dynamic bool // there is a reference that depends on what is around it
	err     error
}

// node compiles a schema, once; nil for nil. An error is in c.err.
func (c *compiler) of(s *jsonschema.Schema) *node {
	if s == nil || c.err != nil {
		return nil
	}
	n, err := c.node(s)
	if err != nil {
		c.err = err
	}
	return n
}

func (c *compiler) list(all []*jsonschema.Schema) (out []*node) {
	for _, s := range all {
		out = append(out, c.of(s))
	}
	return out
}

func (c *compiler) node(s *jsonschema.Schema) (*node, error) {
	if n := c.nodes[s]; n != nil {
		return n, nil
	}
	n := &node{draft: s.DraftVersion, fuel: nodeFuel}
	c.nodes[s] = n
	if s.Bool != nil {
		if n.always = -1; *s.Bool {
			n.always = 1
		}
		return n, nil
	}
	n.types = typesOf(s.Types)
	if s.Const != nil {
		n.constant = c.choice([]any{*s.Const})
	}
	if s.Enum != nil {
		n.enum = c.choice(s.Enum.Values)
	}
	n.format, n.ref = s.Format, c.of(s.Ref)
	n.not, n.cond, n.then, n.other = c.of(s.Not), c.of(s.If), c.of(s.Then), c.of(s.Else)
	n.all, n.any, n.one = c.list(s.AllOf), c.list(s.AnyOf), c.list(s.OneOf)
	n.restOfObject, n.restOfArray = c.of(s.UnevaluatedProperties), c.of(s.UnevaluatedItems)
	n.recursive, n.recursiveAnchor, n.anchor = c.of(s.RecursiveRef), s.RecursiveAnchor, s.DynamicAnchor
	if d := s.DynamicRef; d != nil {
		n.dynamic, n.dynamicAnchor = c.of(d.Ref), d.Anchor
	}
	c.dynamic = c.dynamic || n.recursive != nil || n.dynamic != nil
	n.object, n.array = c.object(s), c.array(s)
	if s.MinLength != nil || s.MaxLength != nil || s.Pattern != nil {
		n.text = &text{min: optional(s.MinLength), max: optional(s.MaxLength), pattern: c.pattern(s.Pattern)}
	}
	if s.Minimum != nil || s.Maximum != nil || s.ExclusiveMinimum != nil || s.ExclusiveMaximum != nil || s.MultipleOf != nil {
		n.numeric = &numeric{newBound(s.Minimum), newBound(s.Maximum), newBound(s.ExclusiveMinimum), newBound(s.ExclusiveMaximum), newBound(s.MultipleOf)}
	}
	n.values = n.constant != nil || n.enum != nil || n.format != nil || n.ref != nil
	n.more = n.recursive != nil || n.dynamic != nil || n.not != nil || n.all != nil || n.any != nil || n.one != nil || n.cond != nil || n.restOfObject != nil || n.restOfArray != nil
	return n, c.err
}

func typesOf(t *jsonschema.Types) (set types) {
	if t == nil {
		return 0
	}
	for _, name := range t.ToStrings() {
		if name == "integer" {
			set |= wholeNumber
			continue
		}
		for k := jsondoc.Null; k <= jsondoc.Object; k++ {
			if k.String() == name {
				set |= 1 << k
			}
		}
	}
	return set
}

func optional(n *int) int {
	if n == nil {
		return -1
	}
	return *n
}

func (c *compiler) pattern(p jsonschema.Regexp) *Pattern {
	if p == nil {
		return nil
	}
	own, ok := p.(*Pattern)
	if !ok {
		c.err = fmt.Errorf("pattern %s was not compiled by Patterns", p)
	}
	return own
}

func (c *compiler) object(s *jsonschema.Schema) *object {
	o := &object{min: optional(s.MinProperties), max: optional(s.MaxProperties), required: s.Required, propertyName: c.of(s.PropertyNames)}
	var entries []property
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		entries = append(entries, property{name, c.of(s.Properties[name]), -1})
	}
	for i, name := range s.Required {
		if at := slices.IndexFunc(entries, func(p property) bool { return p.name == name }); at >= 0 {
			entries[at].required = i
			continue
		}
		entries = append(entries, property{name, nil, i})
	}
	o.names = newTable(entries)
	for p, schema := range s.PatternProperties {
		o.patterns = append(o.patterns, patternProperty{c.pattern(p), c.of(schema)})
	}
	if c.err != nil {
		return nil
	}
	slices.SortFunc(o.patterns, func(a, b patternProperty) int { return strings.Compare(a.pattern.source, b.pattern.source) })
	switch a := s.AdditionalProperties.(type) {
	case bool:
		if o.noAdditional = !a; a {
			o.additional = &node{always: 1}
		}
	case *jsonschema.Schema:
		o.additional = c.of(a)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Dependencies)) {
		switch d := s.Dependencies[name].(type) {
		case []string:
			o.depend = append(o.depend, dependency{name: name, keyword: "dependencies", required: d})
		case *jsonschema.Schema:
			o.depend = append(o.depend, dependency{name: name, schema: c.of(d)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.DependentSchemas)) {
		o.depend = append(o.depend, dependency{name: name, late: true, schema: c.of(s.DependentSchemas[name])})
	}
	for _, name := range slices.Sorted(maps.Keys(s.DependentRequired)) {
		o.depend = append(o.depend, dependency{name: name, late: true, keyword: "dependentRequired", required: s.DependentRequired[name]})
	}
	if o.min < 0 && o.max < 0 && len(entries) == 0 && o.propertyName == nil && len(o.patterns) == 0 && o.additional == nil && !o.noAdditional && o.depend == nil {
		return nil
	}
	return o
}

func (c *compiler) array(s *jsonschema.Schema) *array {
	a := &array{min: optional(s.MinItems), max: optional(s.MaxItems), unique: s.UniqueItems, contains: c.of(s.Contains), minContains: optional(s.MinContains), maxContains: optional(s.MaxContains),
		marksMatches: s.DraftVersion >= 2020}
	if s.DraftVersion >= 2020 {
		a.first, a.rest = c.list(s.PrefixItems), c.of(s.Items2020)
	} else {
		switch items := s.Items.(type) {
		case *jsonschema.Schema:
			a.rest = c.of(items)
		case []*jsonschema.Schema:
			a.first = c.list(items)
			switch rest := s.AdditionalItems.(type) {
			case bool:
				if a.noRest = !rest; rest {
					a.rest = &node{always: 1}
				}
			case *jsonschema.Schema:
				a.rest = c.of(rest)
			}
		}
	}
	if a.min < 0 && a.max < 0 && !a.unique && a.first == nil && a.rest == nil && !a.noRest && a.contains == nil {
		return nil
	}
	return a
}

// choice compiles values of enum or const, which are encoding/json's.
func (c *compiler) choice(values []any) *choice {
	out := &choice{strings: map[string]bool{}}
	var shown []string
	for _, v := range values {
		text, err := json.Marshal(v)
		if err != nil {
			c.err = fmt.Errorf("a value of enum or const: %w", err)
			return nil
		}
		doc, err := jsondoc.Parse(text, jsondoc.Limits{Depth: 256})
		if err != nil {
			c.err = fmt.Errorf("a value of enum or const: %w", err)
			return nil
		}
		root := doc.Root()
		out.kinds |= 1 << root.Kind()
		shown = append(shown, string(text))
		switch root.Kind() {
		case jsondoc.Null:
			out.null = true
		case jsondoc.Bool:
			out.yes, out.no = out.yes || root.Bool(), out.no || !root.Bool()
		case jsondoc.Number:
			out.numbers = append(out.numbers, newBound(given(root.Raw())))
		case jsondoc.String:
			out.strings[root.Str()] = true
		default:
			out.others = append(out.others, root)
		}
	}
	if out.shown = strings.Join(shown, ", "); len(values) > 1 {
		out.shown = "one of " + out.shown
	}
	if len(out.others) > 0 {
		out.shown = ""
	}
	return out
}

// given is a number of a schema.
func given(raw string) *big.Rat {
	r, ok := new(big.Rat).SetString(raw)
	if !ok { // cannot be: it was parsed
		return new(big.Rat)
	}
	return r
}

// resources finds the resource of each schema and the dynamic anchors of each resource, which the compiled schema has in members that are not exported. A test of the public suite
// fails when they change.
func (c *compiler) resources() error {
	for done := 0; done < len(c.nodes); { // each may bring others
		done = len(c.nodes)
		for s, n := range maps.Clone(c.nodes) {
			v := reflect.ValueOf(s).Elem()
			if r := v.FieldByName("resource"); r.IsValid() && r.Kind() == reflect.Pointer && !r.IsNil() {
				n.resource = c.of((*jsonschema.Schema)(r.UnsafePointer()))
			}
			anchors := v.FieldByName("dynamicAnchors")
			if !anchors.IsValid() || anchors.Kind() != reflect.Map {
				continue
			}
			for it := anchors.MapRange(); it.Next(); {
				if n.anchors == nil {
					n.anchors = map[string]*node{}
				}
				n.anchors[it.Key().String()] = c.of((*jsonschema.Schema)(it.Value().UnsafePointer()))
			}
		}
	}
	return c.err
}

// cyclic says whether a schema can come to itself at the same value.
func cyclic(nodes []*node) bool {
	const begun, done = 1, 2
	state := map[*node]int{}
	var visit func(n *node) bool
	visit = func(n *node) bool {
		if n == nil || state[n] == done {
			return false
		}
		if state[n] == begun {
			return true
		}
		state[n] = begun
		next := []*node{n.ref, n.not, n.cond, n.then, n.other}
		next = slices.Concat(next, n.all, n.any, n.one)
		if n.object != nil {
			for _, d := range n.object.depend {
				next = append(next, d.schema)
			}
		}
		if slices.ContainsFunc(next, visit) {
			return true
		}
		state[n] = done
		return false
	}
	return slices.ContainsFunc(nodes, visit)
}
