package disk

import (
	"bytes"
	"errors"

	"sandbar/sandbox/message"
)

// maxReadable bounds what is taken for a message in a segment. It is far above any MaxMessage, so that a
// limit that was lowered does not make damage of older messages; a segment's own length bounds it further.
const maxReadable = 1 << 30

// frameStart is the first byte of every frame.
const frameStart = 0x1E

// found is a frame in a block of a segment.
type found struct {
	msg   []byte // nil when the block has no whole frame
	start int    // where the frame begins, or where looking may go on
	end   int    // behind the frame
	need  int    // when > 0: a frame begins at start and the block must hold this many bytes from there on
}

// nextFrame finds the first frame of block at or after at. The block is followed by more bytes of the
// segment, so that left bytes lie between its start and the end of the segment's data. A frame that claims
// more than that is damage; what lies in it is looked at.
func nextFrame(block []byte, at int, left int64) found {
	for at < len(block) {
		msg, n, err := message.ScanFrame(block[at:], maxReadable)
		if err == nil {
			return found{msg: msg, start: at, end: at + n}
		}
		if errors.Is(err, message.ErrShort) {
			if int64(at)+int64(n) <= left {
				return found{start: at, need: n}
			}
		}
		next := bytes.IndexByte(block[at+1:], frameStart)
		if next < 0 {
			at = len(block)
		} else {
			at += 1 + next
		}
	}
	return found{start: at}
}

// isTorn reports whether a block begins with a frame that is longer than left, the rest of the data.
func isTorn(block []byte, left int64, maxMessage int) bool {
	_, n, err := message.ScanFrame(block, maxMessage)
	return errors.Is(err, message.ErrShort) && int64(n) > left
}
