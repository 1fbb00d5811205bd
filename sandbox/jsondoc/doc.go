// Package jsondoc is a JSON document that is parsed once on the host, for plugins, validation and the lake.
//
// A document is its text and a list of nodes that point into it, so that every part is written as it came, byte for byte,
// and what a document holds in memory is known before it is parsed (Need). Size, encoding and depth are checked first.
package jsondoc

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
	"unsafe"
)

// Bounds of a document where Limits say nothing.
const (
	MaxBytes = 16 << 20
	MaxDepth = 64
)

// No limits can go beyond these.
const (
	mostBytes = 1 << 26 // positions and counts have to fit into a node
	mostDepth = 256     // the parser notes what is open
)

// Limits of a document. Zero means MaxBytes and MaxDepth.
type Limits struct {
	Bytes int // at most 64 MiB
	Depth int // levels of objects and arrays; at most 256
}

// ErrTooLarge says that a document, or what comes out of a compressed one, has too many bytes.
var ErrTooLarge = errors.New("too large")

// Doc is one document. It is used by one goroutine at a time, reading too. Of members with one name the last counts,
// as for most readers of JSON.
type Doc struct {
	text  string
	nodes []node // in the order of the text: a container before what is in it, a name before its value
	held  int    // bytes of what text lies in
}

// node is a value, or the name of a member.
type node struct {
	start, end uint32 // in the text
	next       uint32 // the node behind this one and all that is in it
	info       uint32 // kind, flags, and from countShift on: how many members or elements
}

const (
	kindMask   = 1<<4 - 1
	escaped    = 1 << 4 // a string with a backslash in it
	removed    = 1 << 5 // the name of a member that was cut out
	changed    = 1 << 6 // a container in which something was
	countShift = 7

	nodeSize = int64(unsafe.Sizeof(node{}))
	docSize  = 64
)

// syntax says where data is no JSON; encoding/json has the better words.
func syntax(data []byte) error {
	var fault *json.SyntaxError
	var any json.RawMessage
	if errors.As(json.Unmarshal(data, &any), &fault) {
		return fmt.Errorf("JSON: %s at byte %d", fault.Error(), fault.Offset)
	}
	return errors.New("JSON: it cannot be read")
}

func firstInvalid(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(data)
}

// Root is the whole document.
func (d *Doc) Root() Value { return Value{d, 0} }

// Get finds a part by names of members and 0-based indices.
func (d *Doc) Get(path ...any) (Value, bool) {
	v, ok := d.Root(), true
	for _, step := range path {
		switch s := step.(type) {
		case string:
			v, ok = v.Member(s)
		case int:
			v, ok = v.Element(s)
		default:
			ok = false
		}
		if !ok {
			return Value{}, false
		}
	}
	return v, true
}

// Remove cuts the members at path out and returns the text of the one that counts; false when there is none.
func (d *Doc) Remove(path ...string) ([]byte, bool) {
	if len(path) == 0 {
		return nil, false
	}
	v, ok := d.Root(), true
	way := make([]Value, 0, len(path))
	for _, name := range path {
		way = append(way, v)
		if v, ok = v.Member(name); !ok {
			return nil, false
		}
	}
	text := v.AppendTo(nil)
	Remove(way, path[len(path)-1])
	return text, true
}

// Remove cuts the members of a name out of the last of owners, each of which is a member of the one before.
func Remove(owners []Value, name string) {
	owners[len(owners)-1].removeMembers(name)
	for _, v := range owners {
		v.node().info |= changed
	}
}

// AppendTo writes the document as it came, but for what was removed.
func (d *Doc) AppendTo(dst []byte) []byte { return d.Root().AppendTo(dst) }

// Any is the document as encoding/json's tree, numbers as json.Number and bounded (number.Bound).
func (d *Doc) Any() any { return d.Root().Any() }

// Size is the bytes that the document holds.
func (d *Doc) Size() int64 { return docSize + int64(d.held) + nodeSize*int64(cap(d.nodes)) }

// Changed says whether something was removed.
func (d *Doc) Changed() bool { return d.nodes[0].info&changed != 0 }

// Nodes is how many values and names the document was parsed into.
func (d *Doc) Nodes() int { return len(d.nodes) }
