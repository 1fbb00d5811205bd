package schemas

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// ErrNone says that there is no such schema.
var ErrNone = errors.New("there is no such schema")

// Info names a schema.
type Info struct {
	Namespace string `json:"namespace"`
	DocType   string `json:"doc_type"`
	Version   string `json:"version"`
}

// Field is a value that a schema declares.
type Field struct {
	Path        string   `json:"path"`  // in the document: environment.system.memoryMB, addons[].id; empty: the document itself
	Types       []string `json:"types"` // JSON's; none: any
	Required    bool     `json:"required,omitempty"`
	Personal    bool     `json:"personal,omitempty"` // the schema says so: "x-personal": true
	Description string   `json:"description,omitempty"`
	Format      string   `json:"format,omitempty"` // format or pattern
	Values      []string `json:"values,omitempty"` // the only ones that are allowed, as JSON; at most 50
}

// Description is a schema as people read it.
type Description struct {
	Info
	Title  string  `json:"title,omitempty"`
	Text   string  `json:"text,omitempty"` // its description
	Fields []Field `json:"fields"`         // in the order of their paths
	More   bool    `json:"more,omitempty"` // there are more fields than are listed
	Source string  `json:"source"`         // the file
}

const (
	maxListed      = 2000 // fields
	maxValues      = 50
	maxDescription = 500 // bytes
)

// List are the schemas in use, by namespace, document type and version, the newest version first.
func (r *Registry) List() []Info {
	all := make([]Info, 0, r.Len())
	for i := range r.now.Load().schemas {
		all = append(all, Info{i.namespace, i.docType, i.version})
	}
	number := func(s string) int { n, _ := strconv.Atoi(s); return n }
	slices.SortFunc(all, func(a, b Info) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.DocType, b.DocType), cmp.Compare(number(b.Version), number(a.Version)))
	})
	return all
}

// Describe reads a schema again, for people. The error is ErrNone when there is none.
func (r *Registry) Describe(i Info) (d Description, err error) {
	if r.now.Load().schemas[id{i.Namespace, i.DocType, i.Version}] == nil {
		return d, ErrNone
	}
	f, err := r.fsys.Open(path.Join(i.Namespace, i.DocType, i.DocType+"."+i.Version+".schema.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return d, ErrNone
	}
	if err != nil {
		return d, fmt.Errorf("read a schema: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return d, fmt.Errorf("read a schema: %w", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return d, fmt.Errorf("the file of the schema is no JSON now; the one in use is older: %w", err)
	}
	top, _ := doc.(map[string]any)
	b := browser{walker: walker{root: doc}}
	b.visit(doc, "", false, false, 0)
	slices.SortStableFunc(b.fields, func(x, y Field) int { return strings.Compare(x.Path, y.Path) })
	b.fields = slices.CompactFunc(b.fields, func(x, y Field) bool { return x.Path == y.Path }) // parts may declare the same
	d = Description{Info: i, Title: word(top["title"]), Text: word(top["description"]), Fields: b.fields, More: b.more, Source: string(text)}
	return d, nil
}

// browser walks everything that a schema declares, in objects and arrays.
type browser struct {
	walker
	fields []Field
	more   bool
}

// visit walks a schema for what is at a path: a value of its own, or a part of a schema whose value is listed already.
func (b *browser) visit(node any, at string, part, required bool, depth int) {
	s, ok := node.(map[string]any)
	b.steps++
	switch {
	case !ok:
		return
	case depth > 2*maxDepth, b.steps > 50_000, len(b.fields) >= maxListed:
		b.more = true
		return
	}
	if ref, ok := s["$ref"].(string); ok {
		target, ok := b.resolve(ref)
		if ref == "#" {
			target, ok = b.root, true
		}
		if ok {
			b.visit(target, at, part, required, depth+1)
		}
		return
	}
	if at != "" && !part {
		b.fields = append(b.fields, fieldOf(s, at, required))
	}
	must, _ := s["required"].([]any)
	properties, _ := s["properties"].(map[string]any)
	for name, p := range properties {
		b.visit(p, strings.TrimPrefix(at+"."+name, "."), false, slices.Contains(must, any(name)), depth+1)
	}
	b.visit(s["items"], at+"[]", false, false, depth+1)
	patterns, _ := s["patternProperties"].(map[string]any)
	for _, p := range append(slices.Collect(maps.Values(patterns)), s["additionalProperties"]) {
		b.visit(p, strings.TrimPrefix(at+".*", "."), false, false, depth+1)
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf"} { // what one of them declares may be there
		parts, _ := s[key].([]any)
		for _, p := range parts {
			b.visit(p, at, true, false, depth+1)
		}
	}
}

func fieldOf(s map[string]any, at string, required bool) Field {
	f := Field{Path: at, Types: typesOf(s), Required: required, Personal: s["x-personal"] == true, Description: word(s["description"]), Format: cmp.Or(word(s["format"]), word(s["pattern"]))}
	if c, ok := s["const"]; ok {
		f.Values = []string{asText(c)}
	}
	values, _ := s["enum"].([]any)
	for _, v := range values[:min(len(values), maxValues)] {
		f.Values = append(f.Values, asText(v))
	}
	return f
}

func typesOf(s map[string]any) []string {
	types := []string{}
	switch t := s["type"].(type) {
	case string:
		types = append(types, t)
	case []any:
		for _, n := range t {
			if name, ok := n.(string); ok {
				types = append(types, name)
			}
		}
	}
	return types
}

func word(v any) string {
	s, _ := v.(string)
	if len(s) > maxDescription {
		s = strings.ToValidUTF8(s[:maxDescription], "") + "…"
	}
	return s
}

func asText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return word(string(b))
}
