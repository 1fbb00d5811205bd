package jsondoc

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"unicode/utf8"
	"unsafe"
)

// Text is a text that was looked at, and not parsed yet: what it will need is known.
type Text struct {
	data         []byte
	lim          Limits
	nodes, depth int
	deep         int // where the nesting passes the limit; -1 when it does not
}

// Look looks at a text once, from its beginning to its end or to where it nests too deep. Text holds data, which has to stay as it is until it is parsed.
func Look(data []byte, lim Limits) Text {
	if lim.Bytes == 0 {
		lim.Bytes = MaxBytes
	}
	if lim.Depth == 0 {
		lim.Depth = MaxDepth
	}
	t := Text{data: data, lim: lim, deep: -1}
	if len(data) <= t.most() {
		t.nodes, t.depth, t.deep = survey(data, min(lim.Depth, mostDepth))
	}
	return t
}

func (t *Text) most() int { return min(t.lim.Bytes, mostBytes-1) }

// Need is how many bytes the document will hold at most.
func (t *Text) Need() int64 { return docSize + int64(len(t.data)) + nodeSize*int64(t.nodes) }

// Parse checks and parses the text, which may be reused afterwards.
func (t *Text) Parse() (*Doc, error) {
	if len(t.data) > t.most() {
		return nil, fmt.Errorf("JSON: %w: %d bytes, %d are allowed", ErrTooLarge, len(t.data), t.lim.Bytes)
	}
	if !utf8.Valid(t.data) {
		return nil, fmt.Errorf("JSON: not UTF-8 at byte %d", firstInvalid(t.data))
	}
	if t.deep >= 0 {
		return nil, fmt.Errorf("JSON: nested more than %d deep at byte %d", t.lim.Depth, t.deep)
	}
	p := parser{text: append(make([]byte, 0, len(t.data)), t.data...), nodes: make([]node, 0, t.nodes)}
	if !p.document() {
		return nil, syntax(t.data)
	}
	return &Doc{text: unsafe.String(unsafe.SliceData(p.text), len(p.text)), nodes: p.nodes}, nil
}

// Need is how many bytes a document of this text will hold at most, and how deep it nests, by a look at the text alone.
func Need(data []byte) (bytes int64, depth int) {
	nodes, depth, _ := survey(data, mostBytes)
	return docSize + int64(len(data)) + nodeSize*int64(nodes), depth
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

// special is where from i on the next byte is that means something in a string: a quote, a backslash or a control character; the end when there is none. It looks at
// eight bytes at a time (Mycroft's test for a zero byte, which may see more than there are only behind the first).
func special(data []byte, i int) int {
	for ; i+8 <= len(data); i += 8 {
		w := binary.LittleEndian.Uint64(data[i:])
		q, b := w^ones*'"', w^ones*'\\'
		if m := ((q-ones)&^q | (b-ones)&^b | (w-ones*' ')&^w) & highs; m != 0 {
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
