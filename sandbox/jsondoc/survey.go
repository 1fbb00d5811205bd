package jsondoc

import (
	"encoding/binary"
	"math/bits"
)

// Need is how many bytes a document of this text will hold at most, and how deep it nests, by a look at the text alone.
func Need(data []byte) (bytes int64, depth int) {
	nodes, depth, _ := survey(data, mostBytes)
	return docSize + int64(len(data)) + padding + nodeSize*int64(nodes), depth
}

// survey counts the nodes that a text can have at most, and finds its depth. It ends where the nesting passes maxDepth,
// and says where that is; -1 when it does not.
func survey(data []byte, maxDepth int) (nodes, depth, at int) {
	nodes = 1
	level := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			for {
				if i = special(data, i+1); i >= len(data) || data[i] == '"' {
					break
				}
				if data[i] == '\\' {
					i++
				}
			}
		case ',', ':':
			nodes++
		case '{', '[':
			nodes++
			if level++; level > depth {
				if depth = level; level > maxDepth {
					return nodes, depth, i
				}
			}
		case '}', ']':
			level--
		}
	}
	return nodes, depth, -1
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// specials are the bytes of eight that mean something in a string: a quote, a backslash or a control character. The lowest one that has its high bit set is the
// first (Mycroft's test for a zero byte, which may see more than there are only behind the first).
func specials(w uint64) uint64 {
	q, b := w^ones*'"', w^ones*'\\'
	return ((q-ones)&^q | (b-ones)&^b | (w-ones*' ')&^w) & highs
}

// special is where from i on the next of them is; the end when there is none.
func special(data []byte, i int) int {
	for ; i+8 <= len(data); i += 8 {
		w := binary.LittleEndian.Uint64(data[i:])
		if m := specials(w); m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for ; i < len(data); i++ {
		if c := data[i]; c == '"' || c == '\\' || c < ' ' {
			return i
		}
	}
	return len(data)
}
