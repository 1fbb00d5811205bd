package validator

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"sandbar/sandbox/jsondoc"
	"sandbar/sandbox/number"
)

// both are a schema as it was compiled by the oracle, and the program made of it.
type both struct {
	oracle  *jsonschema.Schema
	program *Program
}

// compile compiles a schema as the registry does; an error says that it is none.
func compile(t testing.TB, text string, draft *jsonschema.Draft, more func(c *jsonschema.Compiler)) (both, error) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return both{}, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(draft)
	c.UseRegexpEngine(Patterns)
	for _, f := range Formats() {
		c.RegisterFormat(f)
	}
	if more != nil {
		more(c)
	}
	if err := c.AddResource("schema:///a.json", bounded(doc)); err != nil {
		return both{}, err
	}
	s, err := c.Compile("schema:///a.json")
	if err != nil {
		return both{}, err
	}
	p, err := New(s)
	if err != nil {
		t.Fatalf("%s was compiled, and no program made of it: %v", text, err)
	}
	return both{s, p}, nil
}

// bounded bounds every number of a tree.
func bounded(v any) any {
	switch v := v.(type) {
	case json.Number:
		return json.Number(number.Bound(string(v)))
	case []any:
		for i := range v {
			v[i] = bounded(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = bounded(v[k])
		}
	}
	return v
}

// compare checks that both have the same verdict of a document, and that what the program has against it is among what the oracle has.
func (b both) compare(t testing.TB, what, text string) (valid bool) {
	t.Helper()
	doc, err := jsondoc.Parse([]byte(text), jsondoc.Limits{Depth: 256})
	if err != nil {
		t.Fatalf("%s is no document: %v", text, err)
	}
	fuel := int64(0)
	f := b.program.Validate(doc.Root(), func(n int64) { fuel += n })
	fault := b.oracle.Validate(doc.Any())
	if (f == nil) != (fault == nil) {
		t.Errorf("%s: of %.300s it says %+v, the oracle %v", what, text, f, fault)
		return f == nil
	}
	if f == nil || fuel < 0 {
		return f == nil
	}
	var e *jsonschema.ValidationError
	if !errors.As(fault, &e) {
		t.Fatal(fault)
	}
	all := map[string]bool{}
	names := leaves(e, all)
	if !all[f.Path+" "+f.Keyword] && (!names || !all[f.Keyword]) {
		t.Errorf("%s: against %.300s it has %+v, the oracle %v", what, text, f, all)
	}
	if f.Text == "" || len(f.Text) > 5000 {
		t.Errorf("%s: it says %q", what, f.Text)
	}
	return false
}

// leaves are what an error consists of: paths with keywords, and keywords alone. names says that something is about names of members, where the oracle's
// paths are those of other values.
func leaves(e *jsonschema.ValidationError, into map[string]bool) (names bool) {
	kind := fmt.Sprintf("%T", e.ErrorKind)
	names = strings.Contains(kind, "PropertyNames")
	for _, c := range e.Causes {
		names = leaves(c, into) || names
	}
	if len(e.Causes) > 0 {
		return names
	}
	keyword := ""
	if k := e.ErrorKind.KeywordPath(); len(k) > 0 {
		keyword = k[0]
	}
	switch {
	case strings.HasSuffix(kind, ".Not"):
		keyword = "not"
	case keyword == "dependency":
		keyword = "dependencies"
	}
	where := ""
	for _, step := range e.InstanceLocation {
		where += "/" + strings.ReplaceAll(strings.ReplaceAll(step, "~", "~0"), "/", "~1")
	}
	into[where+" "+keyword], into[keyword] = true, true
	return names
}

func drafts() map[string]*jsonschema.Draft {
	return map[string]*jsonschema.Draft{"draft4": jsonschema.Draft4, "draft6": jsonschema.Draft6, "draft7": jsonschema.Draft7, "draft2019-09": jsonschema.Draft2019, "draft2020-12": jsonschema.Draft2020}
}

// maker makes schemas and documents that have something to do with each other.
type maker struct {
	*rand.Rand
	draft string
}

func (m *maker) pick(all ...string) string { return all[m.IntN(len(all))] }

func (m *maker) value(depth int) string {
	switch n := m.IntN(9); {
	case n == 0:
		return m.pick("null", "true", "false")
	case n < 3:
		return m.pick("0", "1", "-1", "2", "2.0", "0.5", "1e2", "100", "-0", "3", "12345678901234567890", "1e400", "0.1", "0.30")
	case n < 5 || depth == 0:
		return m.pick(`""`, `"a"`, `"b"`, `"ab"`, `"\u0061"`, `"é"`, `"😀"`, `"2020-01-01"`, `"x y"`)
	case n < 7:
		var all []string
		for range m.IntN(4) {
			all = append(all, m.value(depth-1))
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	var all []string
	for range m.IntN(5) {
		all = append(all, m.name()+":"+m.value(depth-1))
	}
	return "{" + strings.Join(all, ",") + "}"
}

func (m *maker) name() string { return m.pick(`"a"`, `"b"`, `"c"`, `"ab"`, `"\u0061"`, `"x/y~"`) }

func (m *maker) list(n int, of func() string) string {
	var all []string
	for range n {
		all = append(all, of())
	}
	return "[" + strings.Join(all, ",") + "]"
}

func (m *maker) schema(depth int) string {
	if m.draft != "draft4" && m.IntN(12) == 0 {
		return m.pick("true", "false")
	}
	sub := func() string { return m.schema(depth - 1) }
	count := func() string { return m.pick("0", "1", "2", "3") }
	num := func() string { return m.pick("0", "1", "-1", "2", "0.5", "100", "0.1", "1e400") }
	word := func(more ...string) string {
		return m.pick(`"type":`+m.pick(`"null"`, `"boolean"`, `"number"`, `"integer"`, `"string"`, `"array"`, `"object"`, `["integer","string"]`, `["object","array"]`),
			`"enum":`+m.list(1+m.IntN(3), func() string { return m.value(1) }), `"minimum":`+num(), `"maximum":`+num(), `"multipleOf":`+m.pick("1", "2", "0.5", "0.1"),
			`"minLength":`+count(), `"maxLength":`+count(), `"pattern":`+m.pick(`"^a"`, `"b$"`, `"^.$"`, `"^(?!a)"`), `"minItems":`+count(), `"maxItems":`+count(), `"uniqueItems":true`,
			`"required":`+m.list(1, m.name), `"minProperties":`+count(), `"maxProperties":`+count(), `"$ref":"#/definitions/d"`, `"format":"date"`)
	}
	var all []string
	for range 1 + m.IntN(3) {
		if depth == 0 || m.IntN(2) == 0 {
			all = append(all, word())
			continue
		}
		words := []string{`"items":` + sub(), `"properties":{` + m.name() + ":" + sub() + "," + m.name() + ":" + sub() + "}", `"patternProperties":{` + m.pick(`"a"`, `"^b"`, `""`) + ":" + sub() + "}",
			`"additionalProperties":` + m.pick("false", "true", sub()), `"allOf":` + m.list(1+m.IntN(2), sub), `"anyOf":` + m.list(1+m.IntN(3), sub), `"oneOf":` + m.list(1+m.IntN(3), sub), `"not":` + sub()}
		switch m.draft {
		case "draft4":
			words = append(words, `"dependencies":{`+m.name()+":"+m.pick(sub(), m.list(1, m.name))+"}", `"items":`+m.list(2, sub)+`,"additionalItems":`+m.pick("false", "true", sub()))
		case "draft6", "draft7":
			words = append(words, `"dependencies":{`+m.name()+":"+m.pick(sub(), m.list(1, m.name))+"}", `"items":`+m.list(2, sub)+`,"additionalItems":`+m.pick("false", "true", sub()),
				`"contains":`+sub(), `"propertyNames":`+sub(), `"const":`+m.value(1), `"exclusiveMinimum":`+num(), `"exclusiveMaximum":`+num(), `"if":`+sub()+`,"then":`+sub()+`,"else":`+sub())
		default:
			words = append(words, `"dependentSchemas":{`+m.name()+":"+sub()+"}", `"dependentRequired":{`+m.name()+":"+m.list(1, m.name)+"}", `"contains":`+sub()+`,"minContains":`+count()+`,"maxContains":`+count(),
				`"propertyNames":`+sub(), `"const":`+m.value(1), `"if":`+sub()+`,"then":`+sub()+`,"else":`+sub(), `"unevaluatedProperties":`+m.pick("false", sub()), `"unevaluatedItems":`+m.pick("false", sub()))
			if m.draft == "draft2020-12" {
				words = append(words, `"prefixItems":`+m.list(2, sub), `"$dynamicRef":"#d"`)
			} else {
				words = append(words, `"items":`+m.list(2, sub)+`,"additionalItems":`+m.pick("false", sub()), `"$recursiveRef":"#"`)
			}
		}
		all = append(all, m.pick(words...))
	}
	return "{" + unique(all) + "}"
}

// unique leaves out what has a keyword that came before.
func unique(all []string) string {
	seen, out := map[string]bool{}, []string{}
	for _, w := range all {
		keyword, _, _ := strings.Cut(w, ":")
		if !seen[keyword] && !(keyword == `"additionalItems"`) {
			seen[keyword] = true
			out = append(out, w)
		}
	}
	return strings.Join(out, ",")
}

// TestGenerated: schemas and documents that a generator makes get the oracle's verdicts.
func TestGenerated(t *testing.T) {
	t.Parallel()
	schemas, documents := 120, 40
	if n, err := strconv.Atoi(os.Getenv("SANDBAR_GENERATED")); err == nil { // for longer
		schemas = n
	}
	for name, draft := range drafts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &maker{rand.New(rand.NewPCG(7, 11)), name}
			compiled, valid := 0, 0
			for range schemas {
				text := m.schema(3)
				d := m.schema(1)
				if strings.HasPrefix(text, "{") {
					anchor := ""
					if name == "draft2020-12" && strings.HasPrefix(d, "{") {
						anchor = `"$dynamicAnchor":"d",`
						if d == "{}" {
							anchor = `"$dynamicAnchor":"d"`
						}
						d = "{" + anchor + d[1:]
					}
					text = strings.TrimSuffix(text, "}") + `,"definitions":{"d":` + d + "}}"
				}
				b, err := compile(t, text, draft, nil)
				if err != nil {
					continue
				}
				compiled++
				for range documents {
					if b.compare(t, text, m.value(3)) {
						valid++
					}
				}
				if t.Failed() {
					return
				}
			}
			if compiled < schemas/2 || valid < compiled || valid > compiled*documents*9/10 {
				t.Errorf("%d of %d schemas were compiled, %d documents valid: the generator makes too little of interest", compiled, schemas, valid)
			}
		})
	}
}

func FuzzOracle(f *testing.F) {
	m := &maker{rand.New(rand.NewPCG(1, 2)), "draft2020-12"}
	for range 20 {
		f.Add(m.schema(2), m.value(2), uint8(4))
	}
	all := []*jsonschema.Draft{jsonschema.Draft4, jsonschema.Draft6, jsonschema.Draft7, jsonschema.Draft2019, jsonschema.Draft2020}
	f.Fuzz(func(t *testing.T, schema, doc string, draft uint8) {
		if len(schema)+len(doc) > 2000 {
			return
		}
		defer func() {
			if r := recover(); r != nil {
				if _, slow := r.(TooSlow); !slow {
					panic(r)
				}
			}
		}()
		b, err := compile(t, schema, all[int(draft)%len(all)], nil)
		if err != nil {
			return // it is no schema
		}
		if _, err := jsondoc.Parse([]byte(doc), jsondoc.Limits{Depth: 256}); err == nil {
			b.compare(t, schema, doc)
		}
	})
}
