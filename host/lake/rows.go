package lake

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/parquet-go/parquet-go"

	"sandbar/sandbox/jsondoc"
	"sandbar/sandbox/message"
)

// rows turns messages into the rows of one file, a few at a time.
type rows struct {
	sources map[*spec]*source
	batch   [][]parquet.Value // of each column, rowBatch of them
	n       int               // whole rows in batch
	at      int               // the row that is filled
	nulls   []parquet.Value   // of each column
	arena   jsondoc.Arena
	scratch []byte // holds text that is no part of the buffer; given up with the batch
	objects int64  // that were walked
	broken  int64  // rows whose payload is no JSON
}

func newRows(p *plan) *rows {
	width := headerColumns + len(p.columns)
	r := &rows{sources: map[*spec]*source{}}
	for _, s := range p.sources {
		r.sources[s.spec] = s
	}
	values := make([]parquet.Value, rowBatch*width)
	for i := range width {
		r.nulls = append(r.nulls, parquet.NullValue().Level(0, 0, i))
		r.batch = append(r.batch, values[i*rowBatch:(i+1)*rowBatch])
	}
	r.empty()
	return r
}

// empty makes all of the batch null.
func (r *rows) empty() {
	for i, column := range r.batch {
		for k := range column {
			column[k] = r.nulls[i]
		}
	}
}

// writeTo writes the batch and begins another.
func (r *rows) writeTo(columns []*parquet.ColumnWriter) error {
	for i, c := range columns {
		if _, err := c.WriteRowValues(r.batch[i][:r.n]); err != nil {
			return err
		}
	}
	r.empty()
	r.n = 0
	r.scratch = r.scratch[:0]
	return nil
}

// fill adds the row of a message to the batch.
func (r *rows) fill(v *message.View, src *source) {
	r.at = r.n
	r.n++
	r.headers(v)
	if src.header != nil {
		r.header(src.header.index, v, message.Payload)
	}
	if src.root != nil {
		r.payload(v, src)
	}
	i := 0
	for f := range v.Fields() {
		to := src.find(i, f.Name())
		i++
		if to.column != nil && r.batch[to.column.index][r.at].IsNull() {
			r.field(to.column, f)
		}
		if to.section != nil {
			if b, ok := f.Bytes(0); ok {
				r.section(b, to.section)
			}
		}
	}
}

func (r *rows) headers(v *message.View) {
	// Micros are what every reader knows; Spark refuses nanos.
	r.set(colTimestamp, parquet.Int64Value(floorDiv(v.Timestamp(), 1000)))
	r.header(colType, v, message.Type)
	r.header(colLogger, v, message.Logger)
	r.header(colHostname, v, message.Hostname)
	r.header(colEnvVersion, v, message.EnvVersion)
	r.set(colSeverity, parquet.Int32Value(v.Severity()))
	if pid, ok := v.Pid(); ok {
		r.set(colPid, parquet.Int32Value(pid))
	}
	if u := v.UUID(); len(u) == 16 { // as text: Spark refuses a file with Parquet's own type
		r.scratch = append(r.scratch, uuid.UUID(u).String()...)
		r.set(colUUID, parquet.ByteArrayValue(r.scratch[len(r.scratch)-36:]))
	}
}

func (r *rows) header(index int, v *message.View, h message.Header) {
	if b, ok := v.Header(h); ok {
		r.set(index, parquet.ByteArrayValue(r.valid(b)))
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func (r *rows) set(index int, v parquet.Value) { r.batch[index][r.at] = v.Level(0, 1, index) }

// field sets a column to the field's first value.
func (r *rows) field(c *column, f message.Field) {
	switch f.Type() {
	case message.Integer:
		if n, ok := f.Int(0); ok {
			r.integer(c, n)
		}
	case message.Double:
		if d, ok := f.Double(0); ok {
			r.double(c, d)
		}
	case message.Bool:
		if t, ok := f.Bool(0); ok {
			r.boolean(c, t)
		}
	default:
		if b, ok := f.Bytes(0); ok {
			r.text(c, b)
		}
	}
}

// The next four put a value into a column whose kind is the value's or was widened; a value that a
// declared column cannot hold is left out.

func (r *rows) integer(c *column, n int64) {
	switch c.kind {
	case integer:
		r.set(c.index, parquet.Int64Value(n))
	case double:
		r.set(c.index, parquet.DoubleValue(float64(n)))
	case text:
		r.made(c, strconv.AppendInt(r.scratch, n, 10))
	}
}

func (r *rows) double(c *column, d float64) {
	switch c.kind {
	case double:
		r.set(c.index, parquet.DoubleValue(d))
	case text:
		r.made(c, strconv.AppendFloat(r.scratch, d, 'g', -1, 64))
	}
}

func (r *rows) boolean(c *column, t bool) {
	switch c.kind {
	case boolean:
		r.set(c.index, parquet.BooleanValue(t))
	case text:
		r.made(c, strconv.AppendBool(r.scratch, t))
	}
}

func (r *rows) text(c *column, b []byte) {
	switch c.kind {
	case text:
		r.set(c.index, parquet.ByteArrayValue(r.valid(b)))
	case blob:
		r.set(c.index, parquet.ByteArrayValue(b))
	}
}

// made sets a column to the text that was appended to the scratch.
func (r *rows) made(c *column, grown []byte) {
	start := len(r.scratch)
	r.scratch = grown
	r.set(c.index, parquet.ByteArrayValue(grown[start:]))
}

// valid is b as UTF-8: readers refuse a whole file for one bad text.
func (r *rows) valid(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	return bytes.ToValidUTF8(b, []byte("\uFFFD"))
}

// payload sets the declared columns from the document in the payload field.
func (r *rows) payload(v *message.View, src *source) {
	b, ok := payloadOf(v, src.spec.payload)
	if !ok || !r.section(b, src.root) {
		r.broken++
	}
}

func payloadOf(v *message.View, name string) ([]byte, bool) {
	if f, ok := v.Field(name, 0); ok {
		return f.Bytes(0)
	}
	if name == message.Payload.String() {
		return v.Header(message.Payload)
	}
	return nil, false
}

// section sets the columns below n from a document or a part of one.
func (r *rows) section(data []byte, n *node) bool {
	doc, err := r.arena.Parse(data, jsondoc.Limits{}, func(int64) bool { return true }) // it was parsed before, and accepted
	if err != nil {
		return false
	}
	r.walk(doc.Root(), n)
	r.arena.Close(doc)
	return true
}

// walk goes through the document once and meets the columns on the way.
func (r *rows) walk(v jsondoc.Value, n *node) {
	if n.column != nil {
		r.json(n.column, v)
	}
	if n.kids == nil || v.Kind() != jsondoc.Object {
		return
	}
	r.objects++
	object := r.objects
	v.Each(func(key string, v jsondoc.Value) bool {
		if kid := n.kids[key]; kid != nil {
			if kid.object == object { // of members with one name the last counts
				r.unset(kid)
			}
			kid.object = object
			r.walk(v, kid)
		}
		return true
	})
}

// unset takes back what was set from n down.
func (r *rows) unset(n *node) {
	if n.column != nil {
		r.batch[n.column.index][r.at] = r.nulls[n.column.index]
	}
	for _, kid := range n.kids {
		r.unset(kid)
	}
}

func (r *rows) json(c *column, v jsondoc.Value) {
	switch v.Kind() {
	case jsondoc.String:
		if c.kind == text {
			b := append(r.scratch, v.Str()...)
			r.made(c, b) // copied: the document does not outlive the row
		}
	case jsondoc.Bool:
		r.boolean(c, v.Bool())
	case jsondoc.Number:
		r.number(c, v)
	}
}

func (r *rows) number(c *column, v jsondoc.Value) {
	if c.kind == text {
		r.made(c, v.AppendTo(r.scratch))
		return
	}
	if n, ok := v.Int(); ok {
		r.integer(c, n)
		return
	}
	d := v.Num()
	if math.IsInf(d, 0) { // it does not fit
		return
	}
	if c.kind == integer && d == math.Trunc(d) && math.Abs(d) < 1<<53 { // 1.0 is an integer in a schema's eyes
		r.integer(c, int64(d))
		return
	}
	r.double(c, d)
}
