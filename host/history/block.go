package history

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/klauspost/compress/zstd"
)

// A block is the rows of a graph over a time, by column: a byte of scale, a bit for each row that has a value, and the values. Graphs
// are of few digits: with a scale s a value is a whole number of 10^-s, kept as the difference from the one before, zigzag and in base 128
// as Protocol Buffers have it. Seven digits are kept of a value. A column that is none of that is kept as it is, 8 bytes a value. The whole is
// compressed with zstd.

const (
	maxScale   = 9
	plain      = 255     // scale of a column that is kept as it is
	digits     = 5e-8    // relative error that is allowed
	maxWhole   = 1 << 53 // that a float64 holds exactly
	maxColumns = 1024
	maxBlock   = 32 << 20 // bytes, when it is decompressed
)

// codec compresses and decompresses blocks. encode is used by one goroutine at a time, decode by any.
type codec struct {
	out *zstd.Encoder
	in  *zstd.Decoder
	buf []byte
}

func newCodec() (*codec, error) {
	out, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBetterCompression))
	if err != nil {
		return nil, err
	}
	in, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBlock))
	return &codec{out: out, in: in}, err
}

func (c *codec) close() { c.in.Close() }

// encode makes a block of rows, each with a value for every column.
func (c *codec) encode(rows [][]float64, columns int) []byte {
	b := c.buf[:0]
	b = binary.AppendUvarint(b, uint64(len(rows)))
	b = binary.AppendUvarint(b, uint64(columns))
	for col := range columns {
		scale := scaleOf(rows, col)
		b = append(b, scale)
		bits := len(b)
		b = append(b, make([]byte, (len(rows)+7)/8)...)
		last := int64(0)
		for i, row := range rows {
			v := row[col]
			if math.IsNaN(v) {
				continue
			}
			b[bits+i/8] |= 1 << (i % 8)
			if scale == plain {
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
				continue
			}
			whole := int64(math.Round(v * math.Pow10(int(scale))))
			b = binary.AppendVarint(b, whole-last)
			last = whole
		}
	}
	c.buf = b
	return c.out.EncodeAll(b, nil)
}

// scaleOf is the least scale that keeps the digits of all values of a column.
func scaleOf(rows [][]float64, col int) byte {
scales:
	for s := range byte(maxScale + 1) {
		p := math.Pow10(int(s))
		for _, row := range rows {
			v := row[col]
			if math.IsNaN(v) {
				continue
			}
			whole := math.Round(v * p)
			if math.Abs(whole) >= maxWhole { // or infinite
				return plain
			}
			if math.Abs(whole/p-v) > digits*math.Abs(v) {
				continue scales
			}
		}
		return s
	}
	return plain
}

var errBlock = errors.New("a block of history is damaged")

// decode reads a block.
func (c *codec) decode(block []byte) (rows [][]float64, columns int, err error) {
	b, err := c.in.DecodeAll(block, nil)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errBlock, err)
	}
	n, size := binary.Uvarint(b)
	if size <= 0 || n > maxBlock {
		return nil, 0, errBlock
	}
	b = b[size:]
	cols, size := binary.Uvarint(b)
	if size <= 0 || cols > maxColumns || (n+7)/8*cols > uint64(len(b)) {
		return nil, 0, errBlock
	}
	b = b[size:]
	columns = int(cols)
	values := make([]float64, int(n)*columns)
	rows = make([][]float64, n)
	for i := range rows {
		rows[i] = values[i*columns : (i+1)*columns : (i+1)*columns]
	}
	for col := range columns {
		if b, err = column(b, rows, col); err != nil {
			return nil, 0, err
		}
	}
	return rows, columns, nil
}

// column reads one column, and returns what is behind it.
func column(b []byte, rows [][]float64, col int) ([]byte, error) {
	size := (len(rows) + 7) / 8
	if len(b) < 1+size {
		return nil, errBlock
	}
	scale, bits := b[0], b[1:1+size]
	b = b[1+size:]
	if scale > maxScale && scale != plain {
		return nil, errBlock
	}
	p, last := math.Pow10(int(min(scale, maxScale))), int64(0)
	for i, row := range rows {
		switch {
		case bits[i/8]&(1<<(i%8)) == 0:
			row[col] = math.NaN()
		case scale == plain:
			if len(b) < 8 {
				return nil, errBlock
			}
			row[col] = math.Float64frombits(binary.LittleEndian.Uint64(b))
			b = b[8:]
		default:
			delta, n := binary.Varint(b)
			if n <= 0 {
				return nil, errBlock
			}
			b = b[n:]
			last += delta
			row[col] = float64(last) / p
		}
	}
	return b, nil
}
