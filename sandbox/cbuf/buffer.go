// Package cbuf is Hindsight's circular buffer as a value: a matrix whose rows are equal spans of time, the
// newest of which replaces the oldest. It is what plugins keep their time series in.
//
// Times are nanoseconds since the epoch, columns count from 1, cells begin as NaN ("no data").
package cbuf

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// Bounds of a buffer.
const (
	MaxColumns     = 256
	MaxCells       = 4 << 20
	maxAnnotations = 1000
	maxNote        = 1024 // bytes of an annotation's text
	maxSeconds     = math.MaxInt64 / 2_000_000_000
)

// ColumnInfo describes a column for people and for who adds buffers together.
type ColumnInfo struct {
	Name        string `json:"name"`        // at most 15 bytes, letters, digits and _
	Unit        string `json:"unit"`        // at most 7 bytes
	Aggregation string `json:"aggregation"` // "sum", "min", "max" or "none"
}

// Buffer is one circular buffer. It is used by one goroutine at a time.
type Buffer struct {
	rows, cols int
	span       int64 // seconds of a row
	newest     int64 // seconds, where the newest row begins
	row        int   // index of the newest row
	values     []float64
	deltas     []float64 // what changed since the last cbufd; NaN where nothing did
	info       []ColumnInfo
	notes      []note
}

// note is an annotation.
type note struct {
	ns    int64
	col   int
	kind  byte // 'I' or 'A'
	text  string
	delta bool // not yet in a cbufd
}

// SizeOf says how many bytes a buffer of that shape holds, or what is wrong with the shape.
func SizeOf(rows, cols, secPerRow int) (int64, error) {
	switch {
	case rows <= 1:
		return 0, errors.New("rows must be > 1")
	case cols < 1 || cols > MaxColumns:
		return 0, fmt.Errorf("columns must be 1 to %d", MaxColumns)
	case secPerRow < 1 || secPerRow > math.MaxInt32:
		return 0, errors.New("seconds per row must be > 0")
	case int64(rows)*int64(cols) > MaxCells:
		return 0, fmt.Errorf("rows * columns must be at most %d", MaxCells)
	}
	if int64(rows)*int64(secPerRow) > maxSeconds {
		return 0, fmt.Errorf("rows * seconds per row must be at most %d", int64(maxSeconds))
	}
	return 16*int64(rows)*int64(cols) + 64*int64(cols) + 128, nil
}

// defaultColumn is what the column at index i is called before SetHeader.
func defaultColumn(i int) ColumnInfo {
	return ColumnInfo{Name: fmt.Sprintf("Column_%d", i+1), Unit: "count", Aggregation: "sum"}
}

// New makes an empty buffer.
func New(rows, cols, secPerRow int) (*Buffer, error) {
	if _, err := SizeOf(rows, cols, secPerRow); err != nil {
		return nil, err
	}
	b := &Buffer{rows: rows, cols: cols, span: int64(secPerRow), newest: int64(secPerRow) * int64(rows-1), row: rows - 1,
		values: make([]float64, rows*cols), deltas: make([]float64, rows*cols), info: make([]ColumnInfo, cols)}
	for i := range b.values {
		b.values[i], b.deltas[i] = math.NaN(), math.NaN()
	}
	for i := range b.info {
		b.info[i] = defaultColumn(i)
	}
	return b, nil
}

// Size is the bytes held.
func (b *Buffer) Size() int64 {
	size, _ := SizeOf(b.rows, b.cols, int(b.span))
	for i := range b.notes {
		size += int64(len(b.notes[i].text)) + 48
	}
	return size
}

// Configuration returns rows, columns and seconds per row.
func (b *Buffer) Configuration() (rows, cols, secPerRow int) { return b.rows, b.cols, int(b.span) }

// CurrentTime is where the newest row begins, in nanoseconds.
func (b *Buffer) CurrentTime() int64 { return b.newest * 1e9 }

// cell finds a cell; -1 when it is older than the window, or newer and advance is false.
func (b *Buffer) cell(ns int64, col int, advance bool) int {
	if ns < 0 || col < 1 || col > b.cols {
		return -1
	}
	t := ns / 1e9
	if b.span != 1 {
		t -= t % b.span
	}
	if t == b.newest {
		return b.row*b.cols + col - 1
	}
	behind := (b.newest - t) / b.span
	if behind < 0 {
		if !advance {
			return -1
		}
		b.advance(-behind)
		behind = 0
	} else if behind >= int64(b.rows) {
		return -1
	}
	row := b.row - int(behind)
	if row < 0 {
		row += b.rows
	}
	return row*b.cols + col - 1
}

// Work is how many cells and annotations a cell at that time makes the buffer go through, as new rows begin.
func (b *Buffer) Work(ns int64) int64 {
	t := ns / 1e9
	if ahead := (t - t%b.span - b.newest) / b.span; ns >= 0 && ahead > 0 {
		return min(ahead, int64(b.rows))*int64(b.cols) + int64(len(b.notes))
	}
	return 0
}

// Rewind empties a buffer whose newest row lies further in the future than the buffer is long, and an hour: the clock was
// wrong once, and every value would be too old for as long. It reports whether it did.
func (b *Buffer) Rewind(now int64) bool {
	length := b.span * int64(b.rows)
	if b.newest-now/1e9 <= length+3600 {
		return false
	}
	b.newest, b.row = b.span*int64(b.rows-1), b.rows-1
	for i := range b.values {
		b.values[i], b.deltas[i] = math.NaN(), math.NaN()
	}
	b.notes = nil
	return true
}

// advance begins n new rows.
func (b *Buffer) advance(n int64) {
	b.newest += n * b.span
	for range min(n, int64(b.rows)) {
		b.row++
		if b.row == b.rows {
			b.row = 0
		}
		at := b.row * b.cols
		for i := at; i < at+b.cols; i++ {
			b.values[i], b.deltas[i] = math.NaN(), math.NaN()
		}
	}
	if n > int64(b.rows) { // where the newest row lies says nothing then
		b.row = b.rows - 1
	}
	b.prune()
}

// prune drops annotations that are older than the window.
func (b *Buffer) prune() {
	if len(b.notes) == 0 {
		return
	}
	oldest := (b.newest - b.span*int64(b.rows-1)) * 1e9
	kept := b.notes[:0]
	for _, n := range b.notes {
		if n.ns >= oldest {
			kept = append(kept, n)
		}
	}
	clear(b.notes[len(kept):])
	b.notes = kept
}

// Add adds v to a cell and returns the sum; false when the time is older than the window. Adding NaN only
// moves the window to the time.
func (b *Buffer) Add(ns int64, col int, v float64) (float64, bool) {
	i := b.cell(ns, col, true)
	if i < 0 {
		return 0, false
	}
	if v != v {
		return b.values[i], true
	}
	if old := b.values[i]; old == old {
		v += old
	}
	b.put(i, col, v)
	return v, true
}

// Set sets a cell and returns its value; false when the time is older than the window. In a column that is
// aggregated by min or max it only ever gets smaller or larger. NaN over a value is an error.
func (b *Buffer) Set(ns int64, col int, v float64) (float64, bool, error) {
	i := b.cell(ns, col, true)
	if i < 0 {
		return 0, false, nil
	}
	old := b.values[i]
	if v != v {
		if old == old {
			return 0, false, errors.New("cannot uninitialize a value")
		}
		return v, true, nil
	}
	switch b.info[col-1].Aggregation {
	case "min":
		if old <= v {
			return old, true, nil
		}
	case "max":
		if old >= v {
			return old, true, nil
		}
	}
	b.put(i, col, v)
	return v, true, nil
}

// put writes a cell and notes the difference.
func (b *Buffer) put(i, col int, v float64) {
	switch b.info[col-1].Aggregation {
	case "sum":
		d := v
		if old := b.values[i]; old == old {
			d -= old
		}
		if before := b.deltas[i]; before == before {
			d += before
		}
		b.deltas[i] = d
	case "min", "max":
		b.deltas[i] = v
	}
	b.values[i] = v
}

// Get returns a cell; false outside of the window.
func (b *Buffer) Get(ns int64, col int) (float64, bool) { return b.read(b.values, ns, col) }

// GetDelta returns what changed in a cell since the last cbufd.
func (b *Buffer) GetDelta(ns int64, col int) (float64, bool) { return b.read(b.deltas, ns, col) }

func (b *Buffer) read(from []float64, ns int64, col int) (float64, bool) {
	i := b.cell(ns, col, false)
	if i < 0 {
		return 0, false
	}
	return from[i], true
}

// Range returns a column's values from start to end, both included; a negative start is the oldest row, a
// negative end the newest. It returns nil when either lies outside of the window.
func (b *Buffer) Range(col int, start, end int64) ([]float64, error) {
	return b.between(b.values, col, start, end)
}

// RangeDelta is Range over what changed since the last cbufd.
func (b *Buffer) RangeDelta(col int, start, end int64) ([]float64, error) {
	return b.between(b.deltas, col, start, end)
}

func (b *Buffer) between(from []float64, col int, start, end int64) ([]float64, error) {
	if start < 0 {
		start = (b.newest - b.span*int64(b.rows-1)) * 1e9
	}
	if end < 0 {
		end = b.newest * 1e9
	}
	if end < start {
		return nil, errors.New("end must be >= start")
	}
	first, last := b.cell(start, col, false), b.cell(end, col, false)
	if first < 0 || last < 0 {
		return nil, nil
	}
	out := make([]float64, 0, ((last-first+len(from))%len(from))/b.cols+1)
	for i := first; ; i += b.cols {
		if i >= len(from) {
			i -= len(from)
		}
		out = append(out, from[i])
		if i == last {
			return out, nil
		}
	}
}

// SetHeader names a column. What a name or unit may not hold becomes _, what is too long is cut off.
func (b *Buffer) SetHeader(col int, name, unit, aggregation string) error {
	switch aggregation {
	case "sum", "min", "max", "none":
	default:
		return fmt.Errorf("aggregation %.40q is not sum, min, max or none", aggregation)
	}
	b.info[col-1] = ColumnInfo{Name: clean(name, 15, ""), Unit: clean(unit, 7, "/*"), Aggregation: aggregation}
	return nil
}

// Header returns what SetHeader set.
func (b *Buffer) Header(col int) ColumnInfo { return b.info[col-1] }

func clean(s string, limit int, also string) string {
	out := make([]byte, 0, limit)
	for i := 0; i < len(s) && i < limit; i++ {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte(also, c) >= 0:
		default:
			c = '_'
		}
		out = append(out, c)
	}
	return string(out)
}

// Annotate marks a time in a column; kind is "info" or "alert". With delta it is in the next cbufd too.
// The oldest goes when there are too many.
func (b *Buffer) Annotate(ns int64, col int, kind, text string, delta bool) error {
	if kind != "info" && kind != "alert" {
		return fmt.Errorf("annotation type %.40q is not info or alert", kind)
	}
	if len(text) > maxNote {
		text = text[:maxNote]
	}
	if ns < (b.newest-b.span*int64(b.rows-1))*1e9 {
		return nil
	}
	if len(b.notes) >= maxAnnotations {
		b.notes = append(b.notes[:0], b.notes[1:]...)
	}
	b.notes = append(b.notes, note{ns, col, kind[0] - 'a' + 'A', strings.ToValidUTF8(text, "?"), delta})
	return nil
}
