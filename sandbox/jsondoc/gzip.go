package jsondoc

import (
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
)

// IsGzip says whether b begins as a gzip file does.
func IsGzip(b []byte) bool { return len(b) >= 3 && b[0] == 0x1f && b[1] == 0x8b && b[2] == 8 }

// Inflate appends what gz holds to dst. It stops with ErrTooLarge when that is more than limit bytes, however
// small gz is.
func Inflate(dst, gz []byte, limit int) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(gz))
	if err != nil {
		return dst, fmt.Errorf("gzip: %w", err)
	}
	defer r.Close()
	out := bytes.NewBuffer(dst)
	n, err := io.Copy(out, io.LimitReader(r, int64(limit)+1))
	switch {
	case err != nil:
		return dst, fmt.Errorf("gzip: after %d bytes: %w", n, err)
	case n > int64(limit):
		return dst, fmt.Errorf("gzip: %w: more than %d bytes come out of %d", ErrTooLarge, limit, len(gz))
	}
	return out.Bytes(), nil
}
