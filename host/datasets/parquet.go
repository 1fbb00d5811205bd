package datasets

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"sandbar/host/bucket"
)

const (
	block     = 256 << 10 // bytes that are fetched at once
	mostBytes = 64 << 20  // of a file that are fetched
	mostText  = 300       // bytes of a value that are shown
)

// object reads an object here and there. It keeps what it has fetched.
type object struct {
	ctx    context.Context
	bucket Bucket
	info   bucket.Info
	blocks map[int64][]byte
	read   int64
}

var errMuch = errors.New("too much of the file would have to be read to look into it")

// ReadAt implements io.ReaderAt.
func (o *object) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		if off >= o.info.Size {
			return n, io.EOF
		}
		b, err := o.block(off / block)
		if err != nil {
			return n, err
		}
		at := off % block
		if at >= int64(len(b)) {
			return n, io.ErrUnexpectedEOF
		}
		m := copy(p[n:], b[at:])
		n, off = n+m, off+int64(m)
	}
	return n, nil
}

func (o *object) block(i int64) ([]byte, error) {
	if b, ok := o.blocks[i]; ok {
		return b, nil
	}
	if o.read += block; o.read > mostBytes {
		return nil, errMuch
	}
	r, err := o.bucket.OpenRange(o.ctx, o.info.Key, i*block, block)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	o.blocks[i] = b
	return b, nil
}

const mostFooter = 16 << 20

// checkFooter holds what a file says of its footer to what can be: the reader of Parquet allocates before it reads. (It does so for pages too, which is not
// checked: a file that somebody else put into the bucket can still make a preview take memory.)
func (o *object) checkFooter() error {
	var end [8]byte // length and magic
	if o.info.Size < int64(len(end)) {
		return errors.New("it is too short to be Parquet")
	}
	if _, err := o.ReadAt(end[:], o.info.Size-int64(len(end))); err != nil {
		return err
	}
	n := int64(binary.LittleEndian.Uint32(end[:]))
	if n > mostFooter || n > o.info.Size-int64(len(end)) {
		return fmt.Errorf("it is damaged: its footer would have %d bytes", n)
	}
	footer := make([]byte, n)
	if _, err := o.ReadAt(footer, o.info.Size-int64(len(end))-n); err != nil {
		return err
	}
	return checkThrift(footer)
}

// open reads a file's footer. The reader of Parquet panics on some damage, which is an error here.
func (v *View) open(ctx context.Context, info bucket.Info, use func(f *parquet.File) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it is damaged: %v", p)
		}
	}()
	o := &object{ctx: ctx, bucket: v.bucket, info: info, blocks: map[int64][]byte{}}
	if err := o.checkFooter(); err != nil {
		return err
	}
	f, err := parquet.OpenFile(o, info.Size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return err
	}
	return use(f)
}

// footer is how many rows a file has, and its columns.
func (v *View) footer(ctx context.Context, info bucket.Info) (rows int64, columns []Column, err error) {
	err = v.open(ctx, info, func(f *parquet.File) error {
		rows, columns = f.NumRows(), columnsOf(f.Schema())
		return nil
	})
	return rows, columns, err
}

func columnsOf(s *parquet.Schema) []Column {
	columns := []Column{}
	for _, path := range s.Columns() {
		leaf, _ := s.Lookup(path...)
		columns = append(columns, Column{strings.Join(path, "."), leaf.Node.Type().String()})
	}
	return columns
}

// rowsOf are the first rows of a file, a value for each column.
func (v *View) rowsOf(ctx context.Context, info bucket.Info, n int) (columns []Column, rows [][]any, err error) {
	rows = [][]any{}
	err = v.open(ctx, info, func(f *parquet.File) error {
		columns = columnsOf(f.Schema())
		units := make([]time.Duration, len(columns))
		for i, path := range f.Schema().Columns() {
			leaf, _ := f.Schema().Lookup(path...)
			units[i] = unitOf(leaf.Node.Type())
		}
		for _, group := range f.RowGroups() {
			r := group.Rows()
			more, err := readRows(r, n-len(rows), units)
			rows = append(rows, more...)
			if err := errors.Join(err, r.Close()); err != nil || len(rows) >= n {
				return err
			}
		}
		return nil
	})
	return columns, rows, err
}

func readRows(r parquet.Rows, n int, units []time.Duration) (rows [][]any, err error) {
	buf := make([]parquet.Row, 1)
	for len(rows) < n {
		m, err := r.ReadRows(buf)
		if m == 1 {
			row := make([]any, len(units))
			for _, value := range buf[0] {
				i := value.Column()
				shown := show(value, units[i])
				if before, ok := row[i].([]any); ok {
					row[i] = append(before, shown)
				} else if row[i] != nil {
					row[i] = []any{row[i], shown} // repeated
				} else {
					row[i] = shown
				}
			}
			rows = append(rows, row)
		}
		if err == io.EOF || m == 0 && err == nil {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// unitOf is that of a timestamp; 0 for other types.
func unitOf(t parquet.Type) time.Duration {
	l := t.LogicalType()
	if l == nil {
		return 0
	}
	stamp, ok := l.Value.(*format.TimestampType)
	if !ok {
		return 0
	}
	switch stamp.Unit.Value.(type) {
	case *format.MilliSeconds:
		return time.Millisecond
	case *format.MicroSeconds:
		return time.Microsecond
	}
	return time.Nanosecond
}

const exact = 1 << 53 // beyond it a double, which JSON readers use, is not exact

func show(v parquet.Value, unit time.Duration) any {
	switch v.Kind() {
	case parquet.Boolean:
		return v.Boolean()
	case parquet.Int32, parquet.Int64:
		n := v.Int64()
		if v.Kind() == parquet.Int32 {
			n = int64(v.Int32())
		}
		if v.IsNull() {
			return nil
		}
		if unit != 0 {
			per := int64(time.Second / unit)
			return time.Unix(n/per, n%per*int64(unit)).UTC().Format(time.RFC3339Nano)
		}
		if n > exact || n < -exact {
			return fmt.Sprint(n)
		}
		return n
	case parquet.Float, parquet.Double:
		d := v.Double()
		if v.Kind() == parquet.Float {
			d = float64(v.Float())
		}
		if math.IsNaN(d) || math.IsInf(d, 0) {
			return fmt.Sprint(d)
		}
		return d
	}
	if v.IsNull() {
		return nil
	}
	return showBytes(v.ByteArray())
}

func showBytes(b []byte) string {
	if !utf8.Valid(b) {
		return "0x" + hex.EncodeToString(b[:min(len(b), mostText/2)])
	}
	if len(b) <= mostText {
		return string(b)
	}
	return strings.ToValidUTF8(string(b[:mostText]), "") + "…"
}
