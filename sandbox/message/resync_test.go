package message

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
)

// lying is a frame whose header announces another length than its message has.
func lying(msg []byte, length int) []byte {
	header := binary.AppendUvarint([]byte{headerTag}, uint64(length))
	out := append([]byte{recordSeparator, byte(len(header))}, header...)
	return append(append(out, unitSeparator), msg...)
}

func numbered(n int) []byte {
	var b Builder
	b.SetUUID(fmt.Appendf(nil, "%016d", n))
	b.SetTimestamp(int64(1_700_000_000_000_000_000 + n))
	b.SetHeader(Type, "test")
	b.SetHeader(Payload, "pppppppppppppppppppppppppppppppp")
	return b.AppendTo(nil)
}

// found are the numbers of the messages that a reader finds, those included that lie in what is no message.
func found(t *testing.T, data []byte) []int64 {
	t.Helper()
	r := NewReader(bytes.NewReader(data), MaxSize)
	var out []int64
	var v View
	for {
		msg, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if v.Parse(msg) == nil {
			out = append(out, v.Timestamp()-1_700_000_000_000_000_000)
			continue
		}
		for inside := range Inside(bytes.Clone(msg)) {
			if v.Parse(inside) == nil {
				out = append(out, v.Timestamp()-1_700_000_000_000_000_000)
			}
		}
	}
}

// TestWrongLengthCostsOneMessage: whatever a damaged header announces, the messages behind it are read.
func TestWrongLengthCostsOneMessage(t *testing.T) {
	t.Parallel()
	good := func(from, to int) (out []byte) {
		for n := from; n < to; n++ {
			out = AppendFrame(out, numbered(n))
		}
		return out
	}
	size := len(numbered(0))
	frame := len(AppendFrame(nil, numbered(0)))
	lengths := []int{1, 2, size - 1, size + 1, size + 2, size + 20, size + frame, size + 3*frame, size + 5*frame + 7, 500, 100_000, 1 << 20, MaxSize - 1}
	for _, length := range lengths {
		for _, broken := range [][]byte{bytes.Repeat([]byte("w"), 20), numbered(77)} {
			for name, data := range map[string][]byte{
				"first":   append(lying(broken, length), good(0, 10)...),
				"middle":  append(append(good(0, 5), lying(broken, length)...), good(5, 10)...),
				"several": append(append(append(good(0, 2), lying(broken, length)...), lying(broken, length+3)...), good(2, 10)...),
				"last":    append(good(0, 10), lying(broken, length)...),
			} {
				got := map[int64]bool{}
				for _, n := range found(t, data) {
					got[n] = true
				}
				for n := range int64(10) {
					if !got[n] {
						t.Errorf("%s, %d bytes announced for %d: message %d is lost", name, length, len(broken), n)
					}
				}
			}
		}
	}
}

// TestDamageAnywhere flips a byte at random places: at most the message that it hits, and the one whose frame it is, are lost.
func TestDamageAnywhere(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	var clean []byte
	for n := range 50 {
		clean = AppendFrame(clean, numbered(n))
	}
	frame := len(clean) / 50
	for range 3000 {
		data := bytes.Clone(clean)
		at := r.IntN(len(data))
		data[at] ^= byte(1 + r.IntN(255))
		got := map[int64]bool{}
		for _, n := range found(t, data) {
			got[n] = true
		}
		for n := range 50 {
			if !got[int64(n)] && n != at/frame {
				t.Fatalf("a flip in frame %d lost message %d", at/frame, n)
			}
		}
	}
}
