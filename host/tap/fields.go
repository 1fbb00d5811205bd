package tap

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"sandbar/host/stream"
	"sandbar/sandbox/message"
)

const (
	maxFields   = 500 // names that are told apart
	maxDistinct = 256 // values of a field that are counted
	maxValue    = 120 // bytes of a value that is shown
	topValues   = 10
)

// Field is what is known of a header or field of the messages that were looked at.
type Field struct {
	Name     string   `json:"name"` // as in a matcher: Type, Fields[docType]
	Types    []string `json:"types"`
	Unit     string   `json:"representation,omitempty"`
	Personal bool     `json:"personal,omitempty"` // no analysis plugin gets it
	Present  int64    `json:"present"`            // messages that have it
	Values   int64    `json:"values"`             // of all of them: a field may have several
	Bytes    int64    `json:"bytes"`              // of all values as text
	Largest  int      `json:"largest"`            // bytes of the longest value
	Distinct int      `json:"distinct"`           // values that differ, as far as they are counted
	Many     bool     `json:"many,omitempty"`     // there are more than are counted
	Top      []Value  `json:"top"`                // the most frequent first
	Lowest   *float64 `json:"lowest,omitempty"`   // of numbers
	Highest  *float64 `json:"highest,omitempty"`
	Example  string   `json:"example"` // position of a message that has it

	counts map[string]int64
	types  map[message.ValueType]bool
}

// Value is one of a field, and how often it is there.
type Value struct {
	Value string `json:"value"`
	Count int64  `json:"count"`
}

// Fields returns what the newest messages have that are wanted, by name, and how many of them were looked at: n or some more. What is
// counted is bounded: 500 names, and of each 256 values.
func (t *Tap) Fields(ctx context.Context, q Query, n int) ([]*Field, Seen, error) {
	f := &fields{known: map[string]*Field{}, place: t.places(q.Stream)}
	seen, err := t.search(ctx, q, func() chunk { return f }, func(int, chunk) bool { return f.messages >= int64(n) })
	if err != nil {
		return nil, seen, err
	}
	return f.sorted(), seen, nil
}

// fields counts.
type fields struct {
	known    map[string]*Field
	messages int64
	name     []byte
	place    func(log int, at stream.Position) string

	log int // the message that is taken
	at  stream.Position
}

func (f *fields) take(log int, at stream.Position, v *message.View) {
	f.messages++
	f.log, f.at = log, at
	for h := range message.Header(message.Headers) {
		if b, ok := v.Header(h); ok {
			f.of(h.String()).add(message.String, b)
			f.known[h.String()].Present++
		}
	}
	if v.HasSeverity() {
		s := f.of("Severity")
		s.number(message.Integer, float64(v.Severity()))
		s.Present++
	}
	if pid, ok := v.Pid(); ok {
		p := f.of("Pid")
		p.number(message.Integer, float64(pid))
		p.Present++
	}
	for field := range v.Fields() {
		f.name = append(append(append(f.name[:0], "Fields["...), clip(field.Name())...), ']')
		known := f.known[string(f.name)]
		if known == nil {
			if len(f.known) >= maxFields {
				continue
			}
			known = f.of(string(f.name))
			known.Unit, known.Personal = string(clip(field.Representation())), message.IsPersonal(string(field.Name()))
		}
		known.Present++
		for i := range min(field.Len(), maxDistinct) {
			switch field.Type() {
			case message.Integer, message.Double:
				if x, ok := field.Number(i); ok {
					known.number(field.Type(), x)
				}
			case message.Bool:
				b, _ := field.Bool(i)
				known.add(message.Bool, strconv.AppendBool(nil, b))
			default:
				if b, ok := field.Bytes(i); ok {
					known.add(field.Type(), b)
				}
			}
		}
	}
}

func (f *fields) of(name string) *Field {
	known := f.known[name]
	if known == nil {
		known = &Field{Name: name, Example: f.place(f.log, f.at), counts: map[string]int64{}, types: map[message.ValueType]bool{}}
		f.known[name] = known
	}
	return known
}

// add counts a value.
func (f *Field) add(t message.ValueType, b []byte) {
	f.types[t] = true
	f.Values++
	f.Bytes += int64(len(b))
	f.Largest = max(f.Largest, len(b))
	short := clip(b)
	if n, ok := f.counts[string(short)]; ok || len(f.counts) < maxDistinct {
		f.counts[string(short)] = n + 1
	} else {
		f.Many = true
	}
}

func (f *Field) number(t message.ValueType, x float64) {
	f.add(t, strconv.AppendFloat(nil, x, 'g', -1, 64))
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return // JSON has none
	}
	if f.Lowest == nil {
		f.Lowest, f.Highest = &x, new(float64)
		*f.Highest = x
	}
	*f.Lowest, *f.Highest = min(*f.Lowest, x), max(*f.Highest, x)
}

// clip is the beginning of a value.
func clip(b []byte) []byte {
	if len(b) <= maxValue {
		return b
	}
	b = b[:maxValue]
	for i := 0; i < utf8.UTFMax && !utf8.Valid(b); i++ {
		b = b[:len(b)-1]
	}
	return b
}

// sorted are the headers first, in the order of the format, and then the fields by name.
func (f *fields) sorted() []*Field {
	headers := []string{"Type", "Logger", "Hostname", "EnvVersion", "Payload", "Severity", "Pid"}
	all := make([]*Field, 0, len(f.known))
	for _, known := range f.known {
		known.finish()
		all = append(all, known)
	}
	rank := func(f *Field) int {
		if i := slices.Index(headers, f.Name); i >= 0 {
			return i
		}
		return len(headers)
	}
	slices.SortFunc(all, func(a, b *Field) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a.Name, b.Name))
	})
	return all
}

func (f *Field) finish() {
	for t := range f.types {
		f.Types = append(f.Types, t.String())
	}
	slices.Sort(f.Types)
	f.Distinct = len(f.counts)
	f.Top = make([]Value, 0, len(f.counts))
	for value, n := range f.counts {
		f.Top = append(f.Top, Value{strings.ToValidUTF8(value, "\uFFFD"), n})
	}
	slices.SortFunc(f.Top, func(a, b Value) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Value, b.Value))
	})
	f.Top = f.Top[:min(len(f.Top), topValues)]
}
