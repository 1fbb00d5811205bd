package message

import (
	"bytes"
	"errors"
	"io"
)

// Skipped counts what a Reader could not read.
type Skipped struct {
	Bytes     int64 // that belong to no frame
	Times     int64 // runs of such bytes
	Oversized int64 // frames that said to be larger than the maximum
}

// Reader reads frames. Bytes that are no frame are skipped up to the next one and counted.
type Reader struct {
	r        io.Reader
	max      int
	buf      []byte
	from, to int // what is read and not consumed
	consumed int64
	offset   int64
	err      error
	skipped  Skipped
	skipping bool
	fresh    func(least int) []byte // see Lend; nil: messages are valid until the next call
}

// readBlock is how much is asked of the underlying reader at once.
const readBlock = 256 << 10

// NewReader reads frames from r whose messages have at most max bytes.
func NewReader(r io.Reader, max int) *Reader {
	return &Reader{r: r, max: max}
}

// Lend makes the messages that Next returns from now on stay as they are: the Reader never writes over what it has returned. When it needs a new
// buffer it takes what fresh returns, of least bytes at least, to which only the Reader writes from then on.
func (r *Reader) Lend(fresh func(least int) []byte) { r.fresh, r.buf = fresh, nil }

// Next returns the next message, valid until the next call unless Lend was called. It returns io.EOF at the end; a last frame that is
// cut off counts as skipped. Other errors are the underlying reader's.
func (r *Reader) Next() ([]byte, error) {
	for {
		msg, n, err := ScanFrame(r.buf[r.from:r.to], r.max)
		switch {
		case err == nil && Misread(msg, r.buf[r.from+n:r.to]):
			r.resync()
		case err == nil:
			r.advance(n)
			r.offset = r.consumed
			r.skipping = false
			return msg, nil
		case errors.Is(err, ErrShort) && r.err == nil:
			r.fill(n)
		case errors.Is(err, ErrShort) && r.from == r.to:
			return nil, r.err
		default:
			if errors.Is(err, ErrOversized) {
				r.skipped.Oversized++
			}
			r.resync()
		}
	}
}

// resync skips at least one byte, up to the next one that may begin a frame.
func (r *Reader) resync() {
	n := r.to - r.from
	if i := bytes.IndexByte(r.buf[r.from+1:r.to], recordSeparator); i >= 0 {
		n = i + 1
	}
	if !r.skipping {
		r.skipping = true
		r.skipped.Times++
	}
	r.skipped.Bytes += int64(n)
	r.advance(n)
}

func (r *Reader) advance(n int) {
	r.from += n
	r.consumed += int64(n)
}

// fill reads until need bytes are there or the underlying reader ends.
func (r *Reader) fill(need int) {
	if need > len(r.buf)-r.from {
		buf := r.buf
		if r.fresh != nil {
			buf = r.fresh(need)
		} else if need > len(buf) {
			buf = make([]byte, need+readBlock)
		}
		r.to = copy(buf, r.buf[r.from:r.to])
		r.from, r.buf = 0, buf
	}
	n, err := io.ReadAtLeast(r.r, r.buf[r.to:], need-(r.to-r.from))
	r.to += n
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		r.err = err
	}
}

// Offset is how many bytes were consumed up to the end of the last frame returned.
func (r *Reader) Offset() int64 { return r.offset }

// Skipped returns the counts so far.
func (r *Reader) Skipped() Skipped { return r.skipped }

// Writer writes frames.
type Writer struct {
	w   io.Writer
	buf []byte
}

// NewWriter writes frames to w, collected into blocks: Flush comes last.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w, buf: make([]byte, 0, readBlock)} }

// Write frames one message.
func (w *Writer) Write(msg []byte) error {
	w.buf = AppendFrame(w.buf, msg)
	if len(w.buf) < readBlock {
		return nil
	}
	return w.Flush()
}

// Flush writes what was collected.
func (w *Writer) Flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	_, err := w.w.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}
