package cbuf

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Merge makes one of buffers that several instances of a plugin have filled. Columns of one name are one column, wherever they stand:
// their values of the same time are summed, or the lowest or highest is taken, as the aggregation says; with "none" it is that of the
// last buffer that has one. The rows are those up to the newest of all, and must be of the same length and number.
func Merge(all ...*Data) (*Data, error) {
	if len(all) == 0 {
		return nil, errors.New("circular buffers: none to merge")
	}
	m := *all[0]
	for _, d := range all[1:] {
		if d.Rows != m.Rows || d.SecondsPerRow != m.SecondsPerRow || (d.Time-m.Time)%int64(m.SecondsPerRow) != 0 {
			return nil, errors.New("circular buffers: their rows are different")
		}
		m.Time = max(m.Time, d.Time)
	}
	columns, places := joinColumns(all)
	if len(columns) > MaxColumns || m.Rows*len(columns) > MaxCells {
		return nil, fmt.Errorf("circular buffers: together they have %d columns of %d rows, which are too many", len(columns), m.Rows)
	}
	m.Columns, m.Info = len(columns), columns
	m.Values, m.Annotations = make(Matrix, m.Rows), nil
	for i := range m.Values {
		m.Values[i] = make([]float64, m.Columns)
		for j := range m.Values[i] {
			m.Values[i][j] = math.NaN()
		}
	}
	for n, d := range all {
		late := (m.Time - d.Time) / int64(m.SecondsPerRow) // rows of d that are too old
		for i := max(0, late); i < int64(d.Rows); i++ {
			for j, v := range d.Values[i] {
				if to := places[n][j]; to >= 0 {
					at := &m.Values[i-late][to]
					*at = join(m.Info[to].Aggregation, *at, v)
				}
			}
		}
		for _, a := range d.Annotations {
			if a.Col < 1 || a.Col > d.Columns || places[n][a.Col-1] < 0 {
				continue
			}
			a.Col = places[n][a.Col-1] + 1
			if !slices.Contains(m.Annotations, a) {
				m.Annotations = append(m.Annotations, a)
			}
		}
	}
	return &m, nil
}

// joinColumns are the columns of all buffers, in an order that does not depend on that of the buffers, and where each column of each
// buffer is among them: -1 for one that was never used, unless all buffers have the same.
func joinColumns(all []*Data) (columns []ColumnInfo, places [][]int) {
	type key struct {
		ColumnInfo
		nth int // of those in a buffer that are called the same
	}
	same := true
	for _, d := range all {
		same = same && slices.Equal(d.Info, all[0].Info)
	}
	keys, first := make([][]key, len(all)), map[key]int{} // first is the lowest place of a column
	for n, d := range all {
		seen := map[ColumnInfo]int{}
		for j, info := range d.Info {
			k := key{info, seen[info]}
			seen[info]++
			if !same && d.unused(j) {
				k.nth = -1
			} else if at, ok := first[k]; !ok || j < at {
				first[k] = j
			}
			keys[n] = append(keys[n], k)
		}
	}
	order := slices.SortedFunc(maps.Keys(first), func(a, b key) int {
		return cmp.Or(cmp.Compare(first[a], first[b]), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Aggregation, b.Aggregation), cmp.Compare(a.nth, b.nth))
	})
	at := map[key]int{}
	for i, k := range order {
		at[k] = i
		columns = append(columns, k.ColumnInfo)
	}
	for _, list := range keys {
		place := make([]int, len(list))
		for j, k := range list {
			place[j] = -1
			if k.nth >= 0 {
				place[j] = at[k]
			}
		}
		places = append(places, place)
	}
	return columns, places
}

// unused says that a column has neither a value nor a name that was given to it.
func (d *Data) unused(j int) bool {
	if d.Info[j] != defaultColumn(j) {
		return false
	}
	for _, row := range d.Values {
		if !math.IsNaN(row[j]) {
			return false
		}
	}
	return true
}

func join(how string, a, b float64) float64 {
	switch {
	case math.IsNaN(b):
		return a
	case math.IsNaN(a):
		return b
	case how == "sum":
		return a + b
	case how == "min":
		return min(a, b)
	case how == "max":
		return max(a, b)
	}
	return b
}
