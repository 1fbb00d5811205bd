package lake

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sandbar/sandbox/message"
	"sandbar/schemas"
)

// kind is what a column holds.
type kind uint8

const (
	unset kind = iota
	text
	blob
	integer
	double
	boolean
)

// widen is the kind that holds values of both. Numbers meet as double, all else as text.
func widen(a, b kind) kind {
	switch {
	case a == unset || a == b:
		return b
	case b == unset:
		return a
	case a == integer && b == double, a == double && b == integer:
		return double
	}
	return text
}

// column is one column of a file. Columns of the message headers are fixed, see headers.
type column struct {
	name  string
	kind  kind
	mixed bool // values of several kinds meet in it
	index int  // in the file
}

// The header columns, in the order of a file. Every file has them.
const (
	colTimestamp = iota
	colType
	colLogger
	colHostname
	colSeverity
	colPid
	colEnvVersion
	colUUID
	headerColumns
)

func headerNames() []string {
	return []string{"timestamp", "type", "logger", "hostname", "severity", "pid", "env_version", "uuid"}
}

// maxColumns bounds the columns of one file; further message fields are left out.
const maxColumns = 1000

// plan says which columns a file has and where their values come from. Names depend on as little as
// possible of what the file happens to hold, so that the files of one path fit together: headers first,
// then what the schemas declare, then message fields. A name that is taken gets a prefix.
type plan struct {
	columns []*column // without the headers
	sources []*source // by spec
	dropped int64
	widened int64

	taken  map[string]bool
	fields map[string]*column // by the message field's name
}

// source is where the values of the rows of one spec come from.
type source struct {
	spec     *spec
	header   *column            // of the message's Payload, when the spec asks for it
	fields   map[string]*column // by the message field's name; nil values are fields that are no columns
	sections map[string]*node   // fields that may hold a part of the document: "environment.build"
	root     *node              // of the document in the payload field; nil without declared columns
	order    []place            // where the fields of the newest message go
}

// place is where a message field goes.
type place struct {
	name    string
	column  *column // nil when it is none
	section *node   // nil when it is no part of the document
}

// find says where a field goes that a message has at place i. Messages of one origin have the same fields in the same order, so that one looks where the last message had it first.
func (s *source) find(i int, name []byte) place {
	if i < len(s.order) && s.order[i].name == string(name) {
		return s.order[i]
	}
	to := place{column: s.fields[string(name)], section: s.sections[string(name)]}
	if to.column != nil && to.column.kind == unset {
		to.column = nil
	}
	if i <= len(s.order) {
		to.name = string(name)
		s.order = append(s.order[:i], to)
	}
	return to
}

// node is a place in a JSON document: a column, or an object with some in it.
type node struct {
	column *column
	kids   map[string]*node
	object int64 // in which it was met the last time, as rows counts them
}

// newPlan makes the columns of a buffer.
func newPlan(ctx context.Context, b *buffer, n *names) (*plan, error) {
	p := &plan{taken: map[string]bool{"payload": true}, fields: map[string]*column{}}
	for _, name := range headerNames() {
		p.taken[name] = true
	}
	for seg := range strings.SplitSeq(b.path, "/") { // hive partitions are columns to those who read
		if name, _, ok := strings.Cut(seg, "="); ok {
			p.taken[strings.ToLower(name)] = true
		}
	}
	if err := p.declare(ctx, b.specs, n); err != nil {
		return nil, err
	}
	for _, src := range p.sources {
		p.dropped += src.spec.more
		for _, name := range slices.Sorted(maps.Keys(src.spec.known)) {
			e := src.spec.known[name]
			if c := p.newField(src, name); c != nil && e.kind != unset {
				c.hold(e.kind)
				c.mixed = c.mixed || e.mixed
			}
		}
	}
	p.nameFields()
	return p, nil
}

// declare makes the columns that the schemas of the specs name.
func (p *plan) declare(ctx context.Context, specs []*spec, n *names) error {
	byName := map[string]*column{}
	for _, s := range specs {
		src := &source{spec: s, fields: map[string]*column{}}
		p.sources = append(p.sources, src)
		if slices.Contains(s.fields, "Payload") {
			src.header = p.payloadHeader(byName)
		}
		if s.payload == "" {
			continue
		}
		declared, err := n.columns(ctx, s.namespace, s.docType, s.docVersion)
		if err != nil {
			return err
		}
		mine := map[string]bool{} // two columns of one schema never share one
		for _, d := range declared {
			name := d.Name
			if p.taken[name] {
				name = "payload_" + name
			}
			name = free(name, func(n string) bool { return mine[n] || p.taken[n] })
			mine[name] = true
			c := byName[name]
			if c == nil {
				if len(p.columns) >= maxColumns {
					p.dropped++
					continue
				}
				c = &column{name: name}
				byName[name] = c
				p.columns = append(p.columns, c)
			}
			c.hold(declaredKind(d.Type))
			src.root = src.root.with(d.Path, c)
		}
	}
	for name := range byName {
		p.taken[name] = true
	}
	return nil
}

func (p *plan) payloadHeader(byName map[string]*column) *column {
	c := byName["payload"]
	if c == nil {
		c = &column{name: "payload", kind: text}
		byName["payload"] = c
		p.columns = append(p.columns, c)
	}
	return c
}

// hold makes room in the column for values of a kind.
func (c *column) hold(k kind) {
	c.mixed = c.mixed || c.kind != unset && c.kind != k
	c.kind = widen(c.kind, k)
}

// with puts a column at a path below n, which may be nil.
func (n *node) with(path []string, c *column) *node {
	if n == nil {
		n = &node{}
	}
	if len(path) == 0 {
		n.column = c
		return n
	}
	if n.kids == nil {
		n.kids = map[string]*node{}
	}
	n.kids[path[0]] = n.kids[path[0]].with(path[1:], c)
	return n
}

// at is the object at a dotted path, nil when no column lies in it.
func (n *node) at(path string) *node {
	for name := range strings.SplitSeq(path, ".") {
		if n == nil {
			return nil
		}
		n = n.kids[name]
	}
	if n == nil || n.kids == nil {
		return nil
	}
	return n
}

// newField decides what a field of a source is.
func (p *plan) newField(src *source, name string) *column {
	s := src.spec
	if n := src.root.at(name); n != nil {
		if src.sections == nil {
			src.sections = map[string]*node{}
		}
		src.sections[name] = n
	}
	wanted := s.fields == nil && name != s.payload || s.fields != nil && slices.Contains(s.fields, name)
	c := p.fields[name]
	if wanted && c == nil {
		if len(p.columns)+len(p.fields) < maxColumns {
			c = &column{}
			p.fields[name] = c
		} else {
			p.dropped++
		}
	}
	if !wanted {
		c = nil
	}
	src.fields[name] = c
	return c
}

// nameFields gives the message fields their columns, in the order of their names.
func (p *plan) nameFields() {
	names := make([]string, 0, len(p.fields))
	for name, c := range p.fields {
		if c.kind != unset {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, asWritten := range []bool{true, false} { // a field that is written as its column has it
		for _, n := range names {
			if (snake(n) == n) == asWritten {
				p.nameField(n)
			}
		}
	}
	for _, n := range names {
		p.columns = append(p.columns, p.fields[n])
	}
	for i, c := range p.columns {
		c.index = headerColumns + i
		if c.mixed {
			p.widened++
		}
	}
}

func (p *plan) nameField(field string) {
	name := snake(field)
	if p.taken[name] {
		name = "field_" + name
	}
	c := p.fields[field]
	c.name = free(name, func(n string) bool { return p.taken[n] })
	p.taken[c.name] = true
}

func fieldKind(f message.Field) kind {
	switch f.Type() {
	case message.Bytes:
		if string(f.Representation()) == "json" {
			return text
		}
		return blob
	case message.Integer:
		return integer
	case message.Double:
		return double
	case message.Bool:
		return boolean
	}
	return text
}

func declaredKind(t schemas.ColumnType) kind {
	switch t {
	case schemas.Integer:
		return integer
	case schemas.Double:
		return double
	case schemas.Bool:
		return boolean
	}
	return text
}

// free finds a name that is not taken.
func free(name string, taken func(string) bool) string {
	if !taken(name) {
		return name
	}
	for i := 2; ; i++ {
		if n := fmt.Sprintf("%s_%d", name, i); !taken(n) {
			return n
		}
	}
}

// maxColumnName bounds a column's name.
const maxColumnName = 120

// snake writes a name in lower case with underscores: "docType" and "Doc-Type" become "doc_type",
// "geoISP" becomes "geo_isp".
func snake(name string) string {
	if len(name) > maxColumnName {
		name = name[:maxColumnName-hashLen-1] + "_" + hash(name)
	}
	b := make([]byte, 0, len(name)+8)
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case isUpper(c):
			afterSmall := i > 0 && (isLower(name[i-1]) || isDigit(name[i-1]))
			beforeSmall := i > 0 && i+1 < len(name) && isUpper(name[i-1]) && isLower(name[i+1])
			if afterSmall || beforeSmall {
				b = append(b, '_')
			}
			b = append(b, c+'a'-'A')
		case isLower(c), isDigit(c):
			b = append(b, c)
		default:
			b = append(b, '_')
		}
	}
	if len(b) == 0 || isDigit(b[0]) {
		b = append([]byte{'_'}, b...)
	}
	return string(b)
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
