package cbuf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// Data is a buffer as a payload shows it. Values are row by row, the oldest first, NaN where there is no data.
type Data struct {
	Time          int64        `json:"time"` // seconds, where the oldest row begins
	Rows          int          `json:"rows"`
	Columns       int          `json:"columns"`
	SecondsPerRow int          `json:"seconds_per_row"`
	Info          []ColumnInfo `json:"info"`
	Annotations   []Annotation `json:"annotations"`
	Values        Matrix       `json:"values"`
}

// Annotation marks a time of a column.
type Annotation struct {
	X         int64  `json:"x"`   // milliseconds
	Col       int    `json:"col"` // from 1
	ShortText string `json:"short_text"`
	Text      string `json:"text"`
}

// Matrix is rows of columns. JSON has null for NaN and infinities.
type Matrix [][]float64

// MarshalJSON implements json.Marshaler.
func (m Matrix) MarshalJSON() ([]byte, error) {
	out := []byte{'['}
	for i, row := range m {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '[')
		for j, v := range row {
			if j > 0 {
				out = append(out, ',')
			}
			if math.IsNaN(v) || math.IsInf(v, 0) {
				out = append(out, "null"...)
			} else {
				out = strconv.AppendFloat(out, v, 'g', -1, 64)
			}
		}
		out = append(out, ']')
	}
	return append(out, ']'), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *Matrix) UnmarshalJSON(text []byte) error {
	var rows [][]*float64
	if err := json.Unmarshal(text, &rows); err != nil {
		return err
	}
	*m = make(Matrix, len(rows))
	for i, row := range rows {
		(*m)[i] = make([]float64, len(row))
		for j, v := range row {
			(*m)[i][j] = math.NaN()
			if v != nil {
				(*m)[i][j] = *v
			}
		}
	}
	return nil
}

// header is the first line of a payload.
type header struct {
	Time          int64        `json:"time"`
	Rows          int          `json:"rows"`
	Columns       int          `json:"columns"`
	SecondsPerRow int          `json:"seconds_per_row"`
	Info          []ColumnInfo `json:"column_info"`
	Annotations   []struct {
		X         int64  `json:"x"`
		Col       int    `json:"col"`
		ShortText string `json:"shortText"`
		Text      string `json:"text"`
	} `json:"annotations"`
}

// Parse reads a payload of type "cbuf".
func Parse(payload []byte) (*Data, error) {
	line, rest, _ := bytes.Cut(payload, []byte("\n"))
	var h header
	if err := json.Unmarshal(line, &h); err != nil {
		return nil, fmt.Errorf("circular buffer: its first line is no header: %w", err)
	}
	if _, err := SizeOf(h.Rows, h.Columns, h.SecondsPerRow); err != nil {
		return nil, fmt.Errorf("circular buffer: %w", err)
	}
	// A cell takes at least two bytes, so a short payload cannot ask for much memory.
	if len(h.Info) != h.Columns || int64(h.Rows)*int64(h.Columns)*2 > int64(len(rest))+1 {
		return nil, errors.New("circular buffer: the header does not fit the data")
	}
	if h.Time < 0 || h.Time > maxSeconds {
		return nil, errors.New("circular buffer: the time is out of range")
	}
	d := &Data{Time: h.Time, Rows: h.Rows, Columns: h.Columns, SecondsPerRow: h.SecondsPerRow, Info: h.Info,
		Values: make(Matrix, h.Rows), Annotations: make([]Annotation, len(h.Annotations))}
	for i, a := range h.Annotations {
		d.Annotations[i] = Annotation{X: a.X, Col: a.Col, ShortText: a.ShortText, Text: a.Text}
	}
	cells := make([]float64, h.Rows*h.Columns)
	for i := range d.Values {
		var ok bool
		if line, rest, ok = bytes.Cut(rest, []byte("\n")); !ok && i < h.Rows-1 {
			return nil, fmt.Errorf("circular buffer: %d rows, the header says %d", i, h.Rows)
		}
		d.Values[i] = cells[i*h.Columns : (i+1)*h.Columns : (i+1)*h.Columns]
		if err := parseRow(d.Values[i], line); err != nil {
			return nil, fmt.Errorf("circular buffer: row %d: %w", i+1, err)
		}
	}
	if len(rest) > 0 {
		return nil, errors.New("circular buffer: more rows than the header says")
	}
	return d, nil
}

func parseRow(row []float64, line []byte) error {
	for j := range row {
		text, rest, more := bytes.Cut(line, []byte("\t"))
		v, err := strconv.ParseFloat(string(text), 64)
		if err != nil {
			return fmt.Errorf("%.20q is no number", text)
		}
		if more != (j < len(row)-1) {
			return fmt.Errorf("it has not %d columns", len(row))
		}
		row[j], line = v, rest
	}
	return nil
}
