package landfill

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds the memory that a compressed file can ask for.
const maxWindow = 64 << 20

// OpenFile opens a file of framed messages: plain, or compressed with zstd or gzip, which its first bytes say.
func OpenFile(name string) (io.ReadCloser, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open messages: %w", err)
	}
	head := bufio.NewReader(f)
	magic, _ := head.Peek(4) // a shorter file is a plain one
	var in io.Reader
	closer := f.Close
	switch {
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(head, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(1))
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("open messages in %s: %w", name, err)
		}
		in = z
		closer = func() error { z.Close(); return f.Close() }
	case len(magic) > 2 && magic[0] == 0x1f && magic[1] == 0x8b:
		z, err := gzip.NewReader(head)
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("open messages in %s: %w", name, err)
		}
		in = z
	default:
		if _, err := f.Seek(0, io.SeekStart); err != nil { // a pipe: what was peeked must not be lost
			in = head
			break
		}
		in = f
	}
	return &opened{in, closer}, nil
}

type opened struct {
	io.Reader
	close func() error
}

func (o *opened) Close() error { return o.close() }
