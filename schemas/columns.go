package schemas

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// ColumnType is the type of a column.
type ColumnType uint8

const (
	String ColumnType = iota
	Integer
	Double
	Bool
)

// Column is a scalar value that a schema declares.
type Column struct {
	Path []string   // of the value in the document
	Name string     // the path in snake case, joined by _
	Type ColumnType // JSON's integer, number, boolean or string; null is allowed beside it
}

const (
	maxColumns = 500
	maxDepth   = 12
)

// columnsOf walks the properties of a schema, in the order of their paths. What has no single scalar type, lies
// in an array or behind additionalProperties is no column.
func columnsOf(doc any) []Column {
	w := walker{root: doc}
	w.walk(doc, nil, 0)
	slices.SortFunc(w.out, func(a, b Column) int { return slices.Compare(a.Path, b.Path) })
	if len(w.out) > maxColumns {
		w.out = w.out[:maxColumns]
	}
	return w.out
}

type walker struct {
	root  any
	out   []Column
	steps int
}

func (w *walker) walk(node any, path []string, refs int) {
	s, ok := node.(map[string]any)
	if w.steps++; !ok || len(path) > maxDepth || w.steps > 50_000 {
		return
	}
	if ref, ok := s["$ref"].(string); ok {
		if target, ok := w.resolve(ref); ok && refs < 8 {
			w.walk(target, path, refs+1)
		}
		return
	}
	if t, ok := scalarType(s); ok && len(path) > 0 {
		w.out = append(w.out, Column{Path: slices.Clone(path), Name: snake(path), Type: t})
		return
	}
	properties, _ := s["properties"].(map[string]any)
	for name, p := range properties {
		w.walk(p, append(path[:len(path):len(path)], name), refs)
	}
}

// resolve finds a reference within the schema: "#/definitions/x".
func (w *walker) resolve(ref string) (any, bool) {
	pointer, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil, false
	}
	node := w.root
	for step := range strings.SplitSeq(pointer, "/") {
		m, ok := node.(map[string]any)
		if !ok {
			return nil, false
		}
		node, ok = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]
		if !ok {
			return nil, false
		}
	}
	return node, true
}

// scalarType is the type of a schema that allows one scalar type, and perhaps null.
func scalarType(s map[string]any) (ColumnType, bool) {
	names := []string{}
	switch t := s["type"].(type) {
	case string:
		names = append(names, t)
	case []any:
		for _, n := range t {
			if name, ok := n.(string); ok && name != "null" {
				names = append(names, name)
			}
		}
	}
	slices.SortFunc(names, cmp.Compare)
	switch strings.Join(slices.Compact(names), "|") {
	case "string":
		return String, true
	case "integer":
		return Integer, true
	case "number", "integer|number":
		return Double, true
	case "boolean":
		return Bool, true
	}
	return 0, false
}

// snake is a path as one name: environment.system.memoryMB is environment_system_memory_mb.
func snake(path []string) string {
	var b strings.Builder
	for i, part := range path {
		if i > 0 {
			b.WriteByte('_')
		}
		runes := []rune(part)
		for j, r := range runes {
			switch {
			case unicode.IsUpper(r):
				if j > 0 && (!unicode.IsUpper(runes[j-1]) && runes[j-1] != '_' || j+1 < len(runes) && unicode.IsLower(runes[j+1]) && runes[j-1] != '_') {
					b.WriteByte('_')
				}
				b.WriteRune(unicode.ToLower(r))
			case r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)):
				b.WriteRune(r)
			default:
				b.WriteByte('_')
			}
		}
	}
	return b.String()
}
