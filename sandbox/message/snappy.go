package message

import (
	"fmt"

	"github.com/klauspost/compress/snappy"
)

// Decode parses b. When that fails and b is one raw snappy block, as old Heka files have them, it parses what
// the block holds. The uncompressed bytes are put into scratch, which is returned for the next call and must
// stay untouched as long as the view is used.
func Decode(v *View, b, scratch []byte) ([]byte, error) {
	err := v.Parse(b)
	if err == nil {
		return scratch, nil
	}
	size, serr := snappy.DecodedLen(b)
	if serr != nil || size == 0 || size > MaxSize {
		return scratch, err
	}
	if cap(scratch) < size {
		scratch = make([]byte, size)
	}
	out, serr := snappy.Decode(scratch[:cap(scratch)], b)
	if serr != nil {
		return scratch, err
	}
	if err := v.Parse(out); err != nil {
		return scratch, fmt.Errorf("in a snappy block: %w", err)
	}
	return scratch, nil
}
