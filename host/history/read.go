package history

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"sandbar/sandbox/cbuf"
)

// Way is how several values become one.
type Way string

// The ways.
const (
	Mean Way = "mean"
	Max  Way = "max"
	Min  Way = "min"
)

// MaxPoints is how many rows Range gives at most.
const MaxPoints = 5000

// Range is what a graph showed from one time to another, both in seconds, with what its buffer has now behind what is kept: in so many rows
// at most, each of several where there are more. Its columns are those of now, by name; of a graph that is no more those that it had last. nil when
// there is nothing.
func (v *View) Range(ctx context.Context, logger, name string, from, to int64, points int, way Way) (*cbuf.Data, error) {
	var live *cbuf.Data
	if g, ok := v.opt.Series.GetType(logger, name, "cbuf"); ok {
		live = g.Data
	}
	b := builder{from: from, to: to, way: way, at: map[string]int{}}
	if err := v.measure(ctx, &b, logger, name, live); err != nil {
		return nil, fmt.Errorf("read the history of %q of %s: %w", name, logger, err)
	}
	if !b.begin(min(max(points, 1), MaxPoints)) {
		return nil, nil
	}
	until := int64(math.MaxInt64)
	if live != nil {
		until = live.Time // its buffer has what comes then
	}
	err := v.blocks(ctx, &b, logger, name, func(at, step int64, columns []cbuf.ColumnInfo, rows [][]float64) {
		b.gather(at, step, columns, rows, until)
	})
	if err != nil {
		return nil, fmt.Errorf("read the history of %q of %s: %w", name, logger, err)
	}
	if live != nil {
		b.gather(live.Time, int64(live.SecondsPerRow), live.Info, live.Values, math.MaxInt64)
		b.data.Annotations = live.Annotations
	}
	return b.end(), nil
}

const wanted = "FROM blocks JOIN shapes ON shapes.id = shape WHERE logger = ? AND name = ? AND at < ? AND at + rows * step > ?"

// measure finds out what there is: from when to when, in which steps and columns.
func (v *View) measure(ctx context.Context, b *builder, logger, name string, live *cbuf.Data) error {
	if live != nil {
		b.columns(live.Info)
		b.there(live.Time, live.Time+int64(len(live.Values))*int64(live.SecondsPerRow), int64(live.SecondsPerRow))
	}
	rows, err := v.db.QueryContext(ctx, "SELECT min(at), max(at + rows * step), max(step), info "+wanted+" GROUP BY info ORDER BY max(at) DESC", logger, name, b.to, b.from)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var at, end, step int64
		var info string
		var columns []cbuf.ColumnInfo
		if err := rows.Scan(&at, &end, &step, &info); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(info), &columns); err != nil {
			return err
		}
		if live == nil {
			b.columns(columns)
		}
		b.there(at, end, step)
	}
	return rows.Err()
}

// blocks hands over what is kept, block by block.
func (v *View) blocks(ctx context.Context, b *builder, logger, name string, each func(at, step int64, columns []cbuf.ColumnInfo, rows [][]float64)) error {
	rows, err := v.db.QueryContext(ctx, "SELECT at, step, info, block "+wanted+" ORDER BY at", logger, name, b.to, b.from)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var at, step int64
		var info string
		var block []byte
		var columns []cbuf.ColumnInfo
		if err := rows.Scan(&at, &step, &info, &block); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(info), &columns); err != nil {
			return err
		}
		values, _, err := v.codec.decode(block)
		if err != nil {
			v.opt.Logger.Warn("a block of history is damaged", "plugin", logger, "graph", name, "error", err)
			continue
		}
		each(at, step, columns, values)
	}
	return rows.Err()
}

// builder gathers rows into cells of equal length.
type builder struct {
	from, to    int64 // that is asked for, then of the cells
	first, last int64 // that there is
	step        int64
	way         Way
	info        []cbuf.ColumnInfo
	at          map[string]int // column by name
	data        *cbuf.Data
	count       []int32 // of each cell and column
}

// columns adds those that are not known yet.
func (b *builder) columns(info []cbuf.ColumnInfo) {
	for _, c := range info {
		if _, known := b.at[c.Name]; !known && len(b.info) < maxColumns {
			b.at[c.Name] = len(b.info)
			b.info = append(b.info, c)
		}
	}
}

// there says that there are rows of that time and length.
func (b *builder) there(at, end, step int64) {
	if b.step == 0 || at < b.first {
		b.first = at
	}
	b.last, b.step = max(b.last, end), max(b.step, step)
}

// begin makes empty cells, at most so many. It reports false when there is nothing.
func (b *builder) begin(points int) bool {
	from, to := max(b.from, b.first), min(b.to, b.last)
	if b.step == 0 || from >= to || len(b.info) == 0 {
		return false
	}
	if need := (to - from + int64(points) - 1) / int64(points); need > b.step {
		b.step = (need + b.step - 1) / b.step * b.step // several whole rows
	}
	b.from, b.to = from-from%b.step, to
	n := int((b.to - b.from + b.step - 1) / b.step)
	b.data = &cbuf.Data{Time: b.from, Rows: n, Columns: len(b.info), SecondsPerRow: int(b.step), Info: b.info, Annotations: []cbuf.Annotation{}, Values: make([][]float64, n)}
	for i := range b.data.Values {
		b.data.Values[i] = none(len(b.info))
	}
	b.count = make([]int32, n*len(b.info))
	return true
}

// gather puts rows into cells, of those that begin before until.
func (b *builder) gather(at, step int64, info []cbuf.ColumnInfo, rows [][]float64, until int64) {
	columns := make([]int, len(info))
	for i, c := range info {
		columns[i] = -1
		if at, ok := b.at[c.Name]; ok {
			columns[i] = at
		}
	}
	for i, row := range rows {
		at := at + int64(i)*step
		if at < b.from || at >= b.to || at >= until {
			continue
		}
		cell := int((at - b.from) / b.step)
		for c, v := range row {
			if c < len(columns) && columns[c] >= 0 && !math.IsNaN(v) && !math.IsInf(v, 0) {
				b.put(cell, columns[c], v)
			}
		}
	}
}

func (b *builder) put(cell, column int, v float64) {
	to, k := &b.data.Values[cell][column], &b.count[cell*len(b.info)+column]
	switch {
	case *k == 0:
		*to = v
	case b.way == Max:
		*to = max(*to, v)
	case b.way == Min:
		*to = min(*to, v)
	default:
		*to += v
	}
	*k++
}

// end is what was gathered.
func (b *builder) end() *cbuf.Data {
	if b.way == Max || b.way == Min {
		return b.data
	}
	for i, row := range b.data.Values {
		for c := range row {
			if k := b.count[i*len(row)+c]; k > 1 {
				row[c] /= float64(k)
			}
		}
	}
	return b.data
}
