package cbuf

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"sandbar/sandbox/number"
)

// oldest is where the oldest row begins, in seconds.
func (b *Buffer) oldest() int64 { return b.newest - b.span*int64(b.rows-1) }

// AppendCbuf writes the whole buffer in Hindsight's form: a line of JSON, then a line for each row, the oldest
// first, with a column between tabs.
func (b *Buffer) AppendCbuf(dst []byte) []byte {
	dst = b.appendHeader(dst, false)
	row := b.row
	for range b.rows {
		if row++; row == b.rows {
			row = 0
		}
		dst = appendRow(dst, b.values[row*b.cols:(row+1)*b.cols])
	}
	return dst
}

// AppendCbufd writes what changed since the last time: the header and a line for each changed row that begins
// with its time in seconds. It writes nothing when nothing changed.
func (b *Buffer) AppendCbufd(dst []byte) []byte {
	start := len(dst)
	dst = b.appendHeader(dst, true)
	changed := false
	for i := range b.notes {
		changed = changed || b.notes[i].delta
		b.notes[i].delta = false
	}
	row := b.row
	for i := range b.rows {
		if row++; row == b.rows {
			row = 0
		}
		deltas := b.deltas[row*b.cols : (row+1)*b.cols]
		if !anySet(deltas) {
			continue
		}
		changed = true
		dst = strconv.AppendInt(dst, b.oldest()+int64(i)*b.span, 10)
		dst = append(dst, '\t')
		dst = appendRow(dst, deltas)
		for i := range deltas {
			deltas[i] = math.NaN()
		}
	}
	if !changed {
		return dst[:start]
	}
	return dst
}

func anySet(row []float64) bool {
	for _, v := range row {
		if v == v {
			return true
		}
	}
	return false
}

func appendRow(dst []byte, row []float64) []byte {
	for i, v := range row {
		if i > 0 {
			dst = append(dst, '\t')
		}
		dst = number.AppendPayload(dst, v)
	}
	return append(dst, '\n')
}

func (b *Buffer) appendHeader(dst []byte, deltaOnly bool) []byte {
	dst = fmt.Appendf(dst, `{"time":%d,"rows":%d,"columns":%d,"seconds_per_row":%d,"column_info":[`, b.oldest(), b.rows, b.cols, b.span)
	for i, c := range b.info {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"name":"`...)
		dst = append(dst, c.Name...)
		dst = append(dst, `","unit":"`...)
		dst = append(dst, c.Unit...)
		dst = append(dst, `","aggregation":"`...)
		dst = append(dst, c.Aggregation...)
		dst = append(dst, `"}`...)
	}
	dst = append(dst, `],"annotations":[`...)
	first := true
	for _, n := range b.notes {
		if deltaOnly && !n.delta {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		text, _ := json.Marshal(n.text) // a string always has a JSON form
		dst = fmt.Appendf(dst, `{"x":%d,"col":%d,"shortText":"%c","text":%s}`, n.ns/1e6, n.col, n.kind, text)
	}
	return append(dst, "]}\n"...)
}

// AppendState writes all there is to know of the buffer, for Restore.
func (b *Buffer) AppendState(dst []byte) []byte {
	dst = fmt.Appendf(dst, "%d %d %d %d\n", b.rows, b.cols, b.span, b.newest)
	for _, c := range b.info {
		dst = fmt.Appendf(dst, "%s %s %s\n", quoteEmpty(c.Name), quoteEmpty(c.Unit), c.Aggregation)
	}
	dst = binary.AppendUvarint(dst, uint64(len(b.notes)))
	for _, n := range b.notes {
		flags := n.kind
		if n.delta {
			flags |= 0x80
		}
		dst = append(dst, flags)
		dst = binary.AppendVarint(dst, n.ns)
		dst = binary.AppendUvarint(dst, uint64(n.col))
		dst = binary.AppendUvarint(dst, uint64(len(n.text)))
		dst = append(dst, n.text...)
	}
	row := b.row
	for range b.rows { // the oldest first
		if row++; row == b.rows {
			row = 0
		}
		for _, cells := range [...][]float64{b.values[row*b.cols : (row+1)*b.cols], b.deltas[row*b.cols : (row+1)*b.cols]} {
			if !anySet(cells) {
				dst = append(dst, 0)
				continue
			}
			dst = append(dst, 1)
			for _, v := range cells {
				dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
			}
		}
	}
	return dst
}

func quoteEmpty(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

var errState = errors.New("the state is damaged")

// Revive makes a buffer of what AppendState wrote.
func Revive(state string) (*Buffer, error) {
	rows, cols, span, newest, rest, err := shape(state)
	if err != nil {
		return nil, err
	}
	// A row takes at least two bytes, so a short state cannot ask for a large buffer.
	if int64(rows)*2 > int64(len(rest)) {
		return nil, errState
	}
	b, err := New(rows, cols, span)
	if err != nil {
		return nil, err
	}
	return b, b.fill(newest, rest)
}

// Restore refills a buffer with what AppendState wrote of one of the same shape.
func (b *Buffer) Restore(state string) error {
	rows, cols, span, newest, rest, err := shape(state)
	if err != nil {
		return err
	}
	if rows != b.rows || cols != b.cols || int64(span) != b.span {
		return fmt.Errorf("the preserved buffer has %d rows of %d columns and %d s, the new one %d, %d and %d; raise _PRESERVATION_VERSION",
			rows, cols, span, b.rows, b.cols, b.span)
	}
	return b.fill(newest, rest)
}

func shape(state string) (rows, cols, span int, newest int64, rest string, err error) {
	line, rest, ok := strings.Cut(state, "\n")
	f := strings.Fields(line)
	if !ok || len(f) != 4 {
		return 0, 0, 0, 0, "", errState
	}
	var n [4]int64
	for i := range f {
		if n[i], err = strconv.ParseInt(f[i], 10, 64); err != nil || n[i] < 0 || i < 3 && n[i] > math.MaxInt32 {
			return 0, 0, 0, 0, "", errState
		}
	}
	if n[3] > maxSeconds {
		return 0, 0, 0, 0, "", errState
	}
	return int(n[0]), int(n[1]), int(n[2]), n[3], rest, nil
}

// fill reads headers, annotations and cells.
func (b *Buffer) fill(newest int64, rest string) error {
	for i := range b.info {
		var line string
		var ok bool
		line, rest, ok = strings.Cut(rest, "\n")
		f := strings.Fields(line)
		if !ok || len(f) != 3 || b.SetHeader(i+1, strings.TrimPrefix(f[0], "-"), strings.TrimPrefix(f[1], "-"), f[2]) != nil {
			return errState
		}
	}
	in := []byte(rest)
	in, err := b.fillNotes(in)
	if err != nil {
		return err
	}
	for i := range b.rows {
		for _, cells := range [...][]float64{b.values[i*b.cols : (i+1)*b.cols], b.deltas[i*b.cols : (i+1)*b.cols]} {
			if len(in) == 0 || in[0] > 1 || in[0] == 1 && len(in) < 1+8*b.cols {
				return errState
			}
			set := in[0] == 1
			in = in[1:]
			for j := range cells {
				cells[j] = math.NaN()
				if set {
					cells[j] = math.Float64frombits(binary.LittleEndian.Uint64(in))
					in = in[8:]
				}
			}
		}
	}
	if len(in) > 0 {
		return errState
	}
	b.newest, b.row = newest, b.rows-1
	return nil
}

func (b *Buffer) fillNotes(in []byte) ([]byte, error) {
	number := func() uint64 {
		v, n := binary.Uvarint(in)
		in = in[max(n, 0):]
		if n <= 0 {
			return math.MaxUint64
		}
		return v
	}
	count := number()
	if count > maxAnnotations {
		return nil, errState
	}
	b.notes = b.notes[:0]
	for range count {
		if len(in) == 0 {
			return nil, errState
		}
		n := note{kind: in[0] &^ 0x80, delta: in[0]&0x80 != 0}
		ns, size := binary.Varint(in[1:])
		if size <= 0 || n.kind != 'I' && n.kind != 'A' {
			return nil, errState
		}
		in = in[1+size:]
		col, length := number(), uint64(0)
		if length = number(); col < 1 || col > uint64(b.cols) || length > uint64(len(in)) || length > maxNote+16 {
			return nil, errState
		}
		n.ns, n.col, n.text = ns, int(col), string(in[:length])
		in = in[length:]
		b.notes = append(b.notes, n)
	}
	return in, nil
}

// FromString fills the values from Hindsight's preservation text: current time, current row, the values of all
// rows as they lie in memory, then rows of changes that begin with their time.
func (b *Buffer) FromString(s string) error {
	f := strings.Fields(s)
	cells := b.rows * b.cols
	if len(f) < 2+cells {
		return errors.New("too few values")
	}
	if (len(f)-2-cells)%(b.cols+1) != 0 {
		return errors.New("too many values")
	}
	newest, err := strconv.ParseInt(f[0], 10, 64)
	row, err2 := strconv.Atoi(f[1])
	if err != nil || err2 != nil || row < 0 || row >= b.rows || newest < 0 || newest > maxSeconds {
		return errors.New("invalid time or row")
	}
	values := make([]float64, len(f)-2)
	for i, text := range f[2:] {
		if values[i], err = strconv.ParseFloat(text, 64); err != nil {
			return fmt.Errorf("invalid number %.20q", text)
		}
	}
	b.newest, b.row = newest-newest%b.span, row
	copy(b.values, values)
	for i := range b.deltas {
		b.deltas[i] = math.NaN()
	}
	for rest := values[cells:]; len(rest) > 0; rest = rest[b.cols+1:] {
		t := rest[0]
		if !(t >= 0 && t < maxSeconds) {
			return errors.New("invalid time of a change")
		}
		if i := b.cell(int64(t)*1e9, 1, false); i >= 0 {
			copy(b.deltas[i:i+b.cols], rest[1:])
		}
	}
	return nil
}
