package lake

import (
	"context"
	"io"
	"reflect"

	"github.com/parquet-go/parquet-go"

	"sandbar/sandbox/message"
)

const (
	rowGroup      = 100_000 // rows
	rowBatch      = 64      // rows given to the writer at once
	maxDictionary = 1 << 20 // bytes; a column with more different values is written plain
)

// writeParquet writes the rows of a buffer as one file.
func writeParquet(ctx context.Context, out io.Writer, b *buffer, n *names) (Misfit, error) {
	p, err := newPlan(ctx, b, n)
	if err != nil {
		return Misfit{}, err
	}
	w := parquet.NewGenericWriter[any](out, parquet.NewSchema("row", p.root()),
		parquet.Compression(&parquet.Zstd),
		parquet.DictionaryMaxBytes(maxDictionary),
		parquet.CreatedBy("sandbar", "1.0.0", "go"),
	)
	r, columns, group := newRows(p), w.ColumnWriters(), 0
	err = b.each(func(v *message.View, s *spec) error {
		r.fill(v, r.sources[s])
		if r.n < rowBatch {
			return nil
		}
		if err := r.writeTo(columns); err != nil {
			return err
		}
		if group += rowBatch; group < rowGroup {
			return nil
		}
		group = 0
		return w.Flush()
	})
	if err == nil {
		err = r.writeTo(columns)
	}
	if err == nil {
		err = w.Close()
	}
	return Misfit{Rows: r.broken, Columns: p.dropped, Widened: p.widened}, err
}

// root is the plan as a Parquet schema: flat, all columns optional.
func (p *plan) root() parquet.Node {
	nodes := make([]parquet.Field, 0, headerColumns+len(p.columns))
	add := func(name string, n parquet.Node) {
		nodes = append(nodes, field{parquet.Optional(n), name})
	}
	for i, name := range headerNames() {
		switch i {
		case colTimestamp:
			add(name, parquet.Encoded(parquet.Timestamp(parquet.Microsecond), &parquet.DeltaBinaryPacked))
		case colSeverity, colPid:
			add(name, parquet.Encoded(parquet.Int(32), &parquet.RLEDictionary))
		default:
			add(name, kindNode(text))
		}
	}
	for _, c := range p.columns {
		add(c.name, kindNode(c.kind))
	}
	return group{fields: nodes}
}

func kindNode(k kind) parquet.Node {
	switch k {
	case integer:
		return parquet.Encoded(parquet.Leaf(parquet.Int64Type), &parquet.RLEDictionary)
	case double:
		return parquet.Encoded(parquet.Leaf(parquet.DoubleType), &parquet.RLEDictionary)
	case boolean:
		return parquet.Leaf(parquet.BooleanType)
	case blob:
		return parquet.Leaf(parquet.ByteArrayType)
	}
	return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
}

// group is a parquet.Group that keeps the order of its fields.
type group struct {
	parquet.Group // empty
	fields        []parquet.Field
}

func (g group) Fields() []parquet.Field { return g.fields }

// field is a node under its name.
type field struct {
	parquet.Node
	name string
}

func (f field) Name() string { return f.name }

// Value is only asked for when rows are Go structs, which ours are not.
func (f field) Value(reflect.Value) reflect.Value { return reflect.Value{} }
