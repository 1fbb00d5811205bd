package jsondoc

import (
	"errors"
	"fmt"
	"unicode/utf8"
	"unsafe"
)

// ErrNoRoom says that the caller has no room for a document.
var ErrNoRoom = errors.New("no room")

// Parse checks and parses data, which may be reused afterwards. The document holds what it needs and no more.
func Parse(data []byte, lim Limits) (*Doc, error) {
	lim = lim.or()
	if err := lim.check(data); err != nil {
		return nil, err
	}
	nodes, _, deep := survey(data, lim.Depth)
	if deep >= 0 {
		return nil, lim.tooDeep(deep)
	}
	text := append(append(make([]byte, 0, len(data)+padding), data...), make([]byte, padding)...)
	return parse(text, make([]node, 0, nodes), lim, func([]node) []node { return nil })
}

// or puts what holds in place of zero.
func (lim Limits) or() Limits {
	if lim.Bytes == 0 {
		lim.Bytes = MaxBytes
	}
	if lim.Depth == 0 {
		lim.Depth = MaxDepth
	}
	return Limits{min(lim.Bytes, mostBytes-1), min(lim.Depth, mostDepth)}
}

// check looks at what does not need parsing.
func (lim Limits) check(data []byte) error {
	if len(data) > lim.Bytes {
		return fmt.Errorf("JSON: %w: %d bytes, %d are allowed", ErrTooLarge, len(data), lim.Bytes)
	}
	if !utf8.Valid(data) {
		return fmt.Errorf("JSON: not UTF-8 at byte %d", firstInvalid(data))
	}
	return nil
}

func (lim Limits) tooDeep(at int) error {
	return fmt.Errorf("JSON: nested more than %d deep at byte %d", lim.Depth, at)
}

// parse parses a text with its padding. grow makes nodes larger, nil when that cannot be.
func parse(text []byte, nodes []node, lim Limits, grow func([]node) []node) (*Doc, error) {
	size := len(text) - padding
	p := parser{text: text, size: size, nodes: nodes, depth: lim.Depth, deep: -1, grow: grow}
	if !p.document() {
		if p.deep >= 0 {
			return nil, lim.tooDeep(p.deep)
		}
		return nil, syntax(text[:size])
	}
	return &Doc{text: unsafe.String(unsafe.SliceData(text), size), nodes: p.nodes, held: cap(text)}, nil
}

// Arena is memory for one document after the other: what one has held until it was closed, the next is parsed into. Its zero value is ready. One goroutine uses it.
type Arena struct {
	text  []byte
	nodes []node
}

// kept bounds what an arena holds between two documents; more is left to the garbage collector.
const kept = 4 << 20

// Size is the bytes that the arena holds, and no document.
func (a *Arena) Size() int64 { return int64(cap(a.text)) + nodeSize*int64(cap(a.nodes)) }

// Buffer is memory for the text of the next document, of no length.
func (a *Arena) Buffer() []byte { return a.text[:0] }

// Keep lets the arena have a text that outgrew Buffer, if it is not too large to be kept.
func (a *Arena) Keep(text []byte) {
	if cap(text) > cap(a.text) && cap(text) <= kept {
		a.text = text
	}
}

// Parse checks and parses data, which may lie in Buffer. The document takes the arena's memory with it until it is closed. Before more is allocated it asks fits whether so many bytes can be
// held in all; with ErrNoRoom they cannot.
func (a *Arena) Parse(data []byte, lim Limits, fits func(bytes int64) bool) (*Doc, error) {
	lim = lim.or()
	if err := lim.check(data); err != nil {
		return nil, err
	}
	text, nodes := a.text[:0], a.nodes[:0]
	if size := len(data) + padding; cap(text) < size {
		if !fits(docSize + int64(size) + nodeSize*int64(cap(nodes))) {
			return nil, noRoom(data)
		}
		text = make([]byte, 0, size)
	}
	text = append(append(text, data...), make([]byte, padding)...)
	full := false
	grow := func(old []node) []node {
		held := docSize + int64(cap(text))
		size := max(2*cap(old), len(data)/16, 16)
		if !fits(held + nodeSize*int64(size)) { // then what it needs at most
			if size, _, _ = survey(data, mostBytes); size <= cap(old) || !fits(held+nodeSize*int64(size)) {
				full = true
				return nil
			}
		}
		return append(make([]node, 0, size), old...)
	}
	d, err := parse(text, nodes, lim, grow)
	if full {
		err = noRoom(data)
	}
	if err != nil {
		return nil, err
	}
	a.text, a.nodes = nil, nil
	return d, nil
}

func noRoom(data []byte) error {
	need, _ := Need(data)
	return fmt.Errorf("JSON: %w: the document would hold %d bytes", ErrNoRoom, need)
}

// Close gives d's memory back to the arena. Neither d nor a value or a text of it may be used any more.
func (a *Arena) Close(d *Doc) {
	if a.Size() == 0 && d.Size() <= kept {
		a.text, a.nodes = unsafe.Slice(unsafe.StringData(d.text), d.held)[:0], d.nodes[:0]
	}
	*d = Doc{}
}
