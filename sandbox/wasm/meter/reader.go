package meter

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// reader reads a part of a module. The first thing that is wrong is kept in err, and nothing is read after it.
type reader struct {
	b       []byte // the whole module
	at, end int
	section string
	err     *Error
}

func (r *reader) fail(at int, format string, args ...any) {
	if r.err == nil {
		r.err = &Error{Section: r.section, Offset: at, Text: fmt.Sprintf(format, args...)}
	}
	r.at = r.end
}

func (r *reader) byte() byte {
	if r.at >= r.end {
		r.fail(r.at, "the module ends here, more was to come")
		return 0
	}
	c := r.b[r.at]
	r.at++
	return c
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > r.end-r.at {
		r.fail(r.at, "%d bytes were to come, there are %d", n, r.end-r.at)
		return nil
	}
	b := r.b[r.at : r.at+n]
	r.at += n
	return b
}

// unsigned reads a number of at most so many bits in LEB128.
func (r *reader) unsigned(bits uint) uint64 {
	start := r.at
	var n uint64
	for shift := uint(0); ; shift += 7 {
		c := r.byte()
		if r.err != nil {
			return 0
		}
		if left := bits - shift; left < 7 && c>>left != 0 {
			r.fail(start, "a number has more than %d bits", bits)
			return 0
		}
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
}

func (r *reader) u32() uint32 { return uint32(r.unsigned(32)) }

// signed reads a signed number of at most so many bits in LEB128.
func (r *reader) signed(bits uint) int64 {
	start := r.at
	var n int64
	for shift := uint(0); ; shift += 7 {
		c := r.byte()
		if r.err != nil {
			return 0
		}
		if left := bits - shift; left < 7 { // the last byte: what lies above has to repeat the sign
			top := int8(c<<1) >> (left)
			if c >= 0x80 || top != 0 && top != -1 {
				r.fail(start, "a number has more than %d bits", bits)
				return 0
			}
		}
		n |= int64(c&0x7f) << shift
		if c < 0x80 {
			if shift+7 < 64 && c&0x40 != 0 {
				n |= -1 << (shift + 7)
			}
			return n
		}
	}
}

// count reads how many things follow, each of at least one byte.
func (r *reader) count(most int, what string) int {
	start := r.at
	n := r.u32()
	switch {
	case r.err != nil:
	case uint64(n) > uint64(most):
		r.fail(start, "there are %d %s, %d are allowed", n, what, most)
		return 0
	case int64(n) > int64(r.end-r.at):
		r.fail(start, "%d %s were to come, there are %d bytes", n, what, r.end-r.at)
		return 0
	}
	return int(n)
}

func (r *reader) name() string {
	start := r.at
	n := r.u32()
	if int64(n) > int64(r.end-r.at) {
		r.fail(start, "a name of %d bytes was to come, there are %d", n, r.end-r.at)
		return ""
	}
	b := r.bytes(int(n))
	if !utf8.Valid(b) {
		r.fail(start, "a name is not UTF-8")
	}
	return string(b)
}

// Writing.

func appendU32(dst []byte, n uint32) []byte { return binary.AppendUvarint(dst, uint64(n)) }

// appendSigned appends n in signed LEB128.
func appendSigned(dst []byte, n int64) []byte {
	for {
		c := byte(n & 0x7f)
		n >>= 7
		if n == 0 && c&0x40 == 0 || n == -1 && c&0x40 != 0 {
			return append(dst, c)
		}
		dst = append(dst, c|0x80)
	}
}

func appendName(dst []byte, s string) []byte { return append(appendU32(dst, uint32(len(s))), s...) }

func appendSection(dst []byte, id byte, content []byte) []byte {
	return append(appendU32(append(dst, id), uint32(len(content))), content...)
}
