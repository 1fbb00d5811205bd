package jsondoc

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
)

// padding is how many zeros stand behind a text that is parsed: none of them is JSON, so that its end need not be looked for.
const padding = 8

// parser reads one text by RFC 8259, in one pass and without recursion.
type parser struct {
	text  []byte // with padding
	size  int    // without
	nodes []node
	depth int                       // that is allowed
	deep  int                       // where the nesting passes it; -1 when it does not
	grow  func(nodes []node) []node // nil when there is no room for more
	open  [mostDepth]uint32         // containers that have begun
}

// document reads a value with nothing but space around it.
func (p *parser) document() bool {
	text, nodes, level := p.text, p.nodes, 0
	at := space(text, 0)
	for {
		// A value begins here.
		if len(nodes) == cap(nodes) {
			if nodes = p.grow(nodes); nodes == nil {
				return false
			}
		}
		start, info, inside := at, uint32(0), false
		switch c := text[at]; c {
		case '"':
			at, info = p.string(at)
		case '{', '[':
			if level == p.depth {
				p.deep = at
				return false
			}
			info = uint32(Array)
			if c == '{' {
				info = uint32(Object)
			}
			at = space(text, at+1)
			if text[at] == c+2 { // } and ] stand two behind
				at++
				break
			}
			p.open[level] = uint32(len(nodes))
			level++
			inside = true
		case 't':
			at, info = word(text, at, "true"), uint32(Bool)
		case 'f':
			at, info = word(text, at, "false"), uint32(Bool)
		case 'n':
			at, info = word(text, at, "null"), uint32(Null)
		default:
			at, info = numeral(text, at), uint32(Number)
		}
		if at == 0 {
			return false
		}
		n := uint32(len(nodes))
		nodes = append(nodes, node{uint32(start), uint32(at), n + 1, info})
		// What comes behind it, and behind all that ends with it.
		for !inside {
			at = space(text, at)
			if level == 0 {
				p.nodes = nodes
				return at == p.size
			}
			owner := &nodes[p.open[level-1]]
			owner.info += 1 << countShift
			c := text[at]
			at++
			if c == ',' {
				at = space(text, at)
				break
			}
			if c != '}' && c != ']' || (c == '}') != (owner.info&kindMask == uint32(Object)) {
				return false
			}
			owner.end, owner.next = uint32(at), uint32(len(nodes))
			level--
		}
		if nodes[p.open[level-1]].info&kindMask != uint32(Object) {
			continue
		}
		// A name.
		if text[at] != '"' {
			return false
		}
		start = at
		if at, info = p.string(at); at == 0 {
			return false
		}
		if len(nodes) == cap(nodes) {
			if nodes = p.grow(nodes); nodes == nil {
				return false
			}
		}
		n = uint32(len(nodes))
		nodes = append(nodes, node{uint32(start), uint32(at), n + 1, info})
		at = space(text, at)
		if text[at] != ':' {
			return false
		}
		at = space(text, at+1)
	}
}

// space is where from at on the next byte is that is none.
func space(text []byte, at int) int {
	if text[at] > ' ' {
		return at
	}
	return spaces(text, at)
}

// spaces is space for what begins with some. Documents that were written for people have much of it: a new line, and an indentation.
func spaces(text []byte, at int) int {
	for {
		switch text[at] {
		case '\n', ' ', '\t', '\r':
		default:
			return at
		}
		at++
		x := binary.LittleEndian.Uint64(text[at:]) ^ ones*' '
		for x == 0 {
			at += 8
			x = binary.LittleEndian.Uint64(text[at:]) ^ ones*' '
		}
		if at += bits.TrailingZeros64(x) / 8; text[at] > ' ' {
			return at
		}
	}
}

// word is where one ends; 0 when it is another.
func word(text []byte, at int, word string) int {
	if len(text)-at < len(word) || string(text[at:at+len(word)]) != word {
		return 0
	}
	return at + len(word)
}

// numeral is where one ends; 0 when it is none.
func numeral(text []byte, at int) int {
	if text[at] == '-' {
		at++
	}
	if text[at] == '0' {
		at++
	} else if at = digits(text, at); at == 0 {
		return 0
	}
	if text[at] == '.' {
		if at = digits(text, at+1); at == 0 {
			return 0
		}
	}
	if text[at]|0x20 == 'e' {
		if at++; text[at] == '+' || text[at] == '-' {
			at++
		}
		return digits(text, at)
	}
	return at
}

// digits passes one or more; 0 when there is none.
func digits(text []byte, at int) int {
	if text[at]-'0' > 9 {
		return 0
	}
	for text[at]-'0' <= 9 {
		at++
	}
	return at
}

// string is where the one ends that begins at at, and its kind and flags; 0 when it is none.
func (p *parser) string(at int) (end int, info uint32) {
	text := p.text
	info = uint32(String)
	at++
	for {
		w := binary.LittleEndian.Uint64(text[at:])
		m := specials(w)
		if m == 0 {
			at += 8
			continue
		}
		at += bits.TrailingZeros64(m) / 8
		switch text[at] {
		case '"':
			return at + 1, info
		case '\\':
			info |= escaped
			if at = escape(text, at); at == 0 {
				return 0, 0
			}
		default:
			return 0, 0
		}
	}
}

// escape passes a backslash and what belongs to it; 0 when that is no escape. Half of a surrogate pair, which stands for no character and which
// many readers refuse, becomes U+FFFD in the text.
func escape(text []byte, at int) int {
	switch text[at+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return at + 2
	case 'u':
	default:
		return 0
	}
	r, ok := hex4(text[at:])
	if !ok {
		return 0
	}
	if utf16.IsSurrogate(r) {
		second, ok := hex4(text[at+6:])
		if ok && utf16.DecodeRune(r, second) != '\uFFFD' {
			return at + 12
		}
		copy(text[at:], `\ufffd`)
	}
	return at + 6
}

// hex4 reads \uXXXX.
func hex4[T []byte | string](s T) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	r := rune(0)
	for i := 2; i < 6; i++ {
		c := rune(s[i])
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | c
	}
	return r, true
}
