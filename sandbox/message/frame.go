package message

import (
	"bytes"
	"encoding/binary"
	"errors"
	"iter"
)

// A frame is 0x1E, the length of the header, the header (08 and the message's length as a varint, perhaps
// followed by a signature that is not read), 0x1F and the message.
const (
	recordSeparator = 0x1e
	unitSeparator   = 0x1f
	headerTag       = 0x08
	// MaxFrameHeader is what a frame takes beside its message, at most.
	MaxFrameHeader = 3 + 255
)

var (
	// ErrShort says that the bytes end before the frame does.
	ErrShort = errors.New("message: frame is cut off")
	// ErrNotFrame says that there is no frame at this place.
	ErrNotFrame = errors.New("message: not a frame")
	// ErrOversized says that the frame's message is larger than the maximum, or empty.
	ErrOversized = errors.New("message: frame is empty or larger than the maximum")
)

// AppendFrame appends msg as a frame.
func AppendFrame(dst, msg []byte) []byte {
	dst = append(dst, recordSeparator, byte(1+uvarintSize(uint64(len(msg)))), headerTag)
	dst = binary.AppendUvarint(dst, uint64(len(msg)))
	return append(append(dst, unitSeparator), msg...)
}

// FrameSize is what AppendFrame appends for a message of n bytes.
func FrameSize(n int) int { return 4 + uvarintSize(uint64(n)) + n }

// ScanFrame reads the frame at the start of buf. n is the length of the whole frame; with ErrShort it is how
// many bytes are needed to know more. msg lies in buf.
func ScanFrame(buf []byte, max int) (msg []byte, n int, err error) {
	if len(buf) < 2 {
		if len(buf) == 1 && buf[0] != recordSeparator {
			return nil, 0, ErrNotFrame
		}
		return nil, 2, ErrShort
	}
	head := int(buf[1])
	if buf[0] != recordSeparator || head < 2 {
		return nil, 0, ErrNotFrame
	}
	if len(buf) > 2 && buf[2] != headerTag {
		return nil, 0, ErrNotFrame
	}
	if len(buf) < head+3 {
		return nil, head + 3, ErrShort
	}
	if buf[head+2] != unitSeparator {
		return nil, 0, ErrNotFrame
	}
	size, k := uvarint(buf[3 : 2+head])
	if k <= 0 {
		return nil, 0, ErrNotFrame
	}
	if size == 0 || max <= 0 || size > uint64(max) {
		return nil, 0, ErrOversized
	}
	n = head + 3 + int(size)
	if len(buf) < n {
		return nil, n, ErrShort
	}
	return buf[head+3 : n : n], n, nil
}

// Misread says that a frame's length is wrong: its message is none, and what follows it is no frame. A reader goes on
// directly behind the header of such a frame, so that what the wrong length covers is not lost. rest is what follows the frame.
func Misread(msg, rest []byte) bool {
	if len(rest) == 0 || rest[0] == recordSeparator {
		return false
	}
	var v View
	if v.Parse(msg) == nil {
		return false
	}
	_, err := Decode(&v, msg, nil)
	return err != nil
}

// Inside yields the messages of whole frames in bytes that are no message themselves, and where each frame ends: a length that
// is wrong may cover whole frames.
func Inside(b []byte) iter.Seq2[[]byte, int] {
	return func(yield func([]byte, int) bool) {
		for at := 0; ; {
			i := bytes.IndexByte(b[at:], recordSeparator)
			if i < 0 {
				return
			}
			at += i
			var v View
			msg, n, err := ScanFrame(b[at:], len(b))
			if err != nil || v.Parse(msg) != nil {
				at++
				continue
			}
			if at += n; !yield(msg, at) {
				return
			}
		}
	}
}
