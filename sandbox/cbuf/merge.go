package cbuf

import (
	"errors"
	"math"
	"slices"
)

// Merge makes one of buffers of the same shape that several instances of a plugin have filled: values of the same time are summed, or
// the lowest or highest is taken, as the column's aggregation says; with "none" it is that of the last buffer that has one. The rows
// are those up to the newest of all.
func Merge(all ...*Data) (*Data, error) {
	if len(all) == 0 {
		return nil, errors.New("circular buffers: none to merge")
	}
	first := all[0]
	m := *first
	for _, d := range all[1:] {
		if d.Rows != m.Rows || d.SecondsPerRow != m.SecondsPerRow || !slices.Equal(d.Info, m.Info) || (d.Time-m.Time)%int64(m.SecondsPerRow) != 0 {
			return nil, errors.New("circular buffers: they are of different shapes")
		}
		m.Time = max(m.Time, d.Time)
	}
	m.Values, m.Annotations = make(Matrix, m.Rows), nil
	for i := range m.Values {
		m.Values[i] = make([]float64, m.Columns)
		for j := range m.Values[i] {
			m.Values[i][j] = math.NaN()
		}
	}
	for _, d := range all {
		late := (m.Time - d.Time) / int64(m.SecondsPerRow) // rows of d that are too old
		for i := max(0, late); i < int64(d.Rows); i++ {
			for j, v := range d.Values[i] {
				at := &m.Values[i-late][j]
				*at = join(m.Info[j].Aggregation, *at, v)
			}
		}
		for _, a := range d.Annotations {
			if !slices.Contains(m.Annotations, a) {
				m.Annotations = append(m.Annotations, a)
			}
		}
	}
	return &m, nil
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
