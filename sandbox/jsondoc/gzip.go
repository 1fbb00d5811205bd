package jsondoc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
)

// IsGzip says whether b begins as a gzip file does.
func IsGzip(b []byte) bool { return len(b) >= 3 && b[0] == 0x1f && b[1] == 0x8b && b[2] == 8 }

// Inflater inflates one text after the other with the same memory, some 40 KiB. Its zero value is ready. One goroutine uses it.
type Inflater struct {
	gz gzip.Reader
	in bytes.Reader
}

// maxMembers bounds those of one text: each costs more than its bytes say.
const maxMembers = 100

// likely is how many bytes come out of one, beyond which the size that gzip says is not believed.
const likely = 50

// Inflate appends what gz holds to dst: one member or several, behind which zeros may stand (some senders pad); padded says that there are. It stops with ErrTooLarge when that is more than limit bytes, however
// small gz is.
func (f *Inflater) Inflate(dst, gz []byte, limit int) (out []byte, padded bool, err error) {
	f.in.Reset(gz)
	if n := len(gz); n >= 18 && dst == nil {
		said := int(binary.LittleEndian.Uint32(gz[n-4:]))
		dst = make([]byte, 0, min(said, limit, likely*n)+bytes.MinRead)
	}
	buf := bytes.NewBuffer(dst)
	total := int64(0)
	for range maxMembers {
		if err := f.gz.Reset(&f.in); err != nil {
			return dst, false, fmt.Errorf("gzip: %w", err)
		}
		f.gz.Multistream(false)
		n, err := io.Copy(buf, io.LimitReader(&f.gz, int64(limit)+1-total))
		total += n
		switch {
		case err != nil:
			return dst, false, fmt.Errorf("gzip: after %d bytes: %w", total, err)
		case total > int64(limit):
			return dst, false, fmt.Errorf("gzip: %w: more than %d bytes come out of %d", ErrTooLarge, limit, len(gz))
		}
		rest := gz[len(gz)-f.in.Len():]
		if len(rest) == 0 {
			return buf.Bytes(), false, nil
		}
		if len(bytes.Trim(rest, "\x00")) == 0 {
			return buf.Bytes(), true, nil
		}
		if !IsGzip(rest) {
			return dst, false, errors.New("gzip: what stands behind it is neither zeros nor gzip")
		}
	}
	return dst, false, fmt.Errorf("gzip: it has more than %d members", maxMembers)
}

// byteOrderMark is UTF-8's.
const byteOrderMark = "\xef\xbb\xbf"

// WithoutMark cuts off a byte order mark, which some senders put before their text, and says whether there was one.
func WithoutMark(text []byte) ([]byte, bool) {
	return bytes.CutPrefix(text, []byte(byteOrderMark))
}
