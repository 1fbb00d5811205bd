package jsondoc

import "unicode/utf16"

// parser reads one text by RFC 8259. It recurses once for each level; the depth was checked before.
type parser struct {
	text  []byte
	at    int
	nodes []node // has room for all
}

// document reads a value with nothing but space around it.
func (p *parser) document() bool {
	p.space()
	if !p.value() {
		return false
	}
	p.space()
	return p.at == len(p.text)
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// take passes one byte if it comes next.
func (p *parser) take(c byte) bool {
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

// begin adds the node of what starts here. Its end and what follows from that is set by end.
func (p *parser) begin(info uint32) int {
	p.nodes = append(p.nodes, node{start: uint32(p.at), info: info})
	return len(p.nodes) - 1
}

func (p *parser) end(i int) bool {
	p.nodes[i].end, p.nodes[i].next = uint32(p.at), uint32(len(p.nodes))
	return true
}

func (p *parser) value() bool {
	if p.at == len(p.text) {
		return false
	}
	switch p.text[p.at] {
	case '{':
		return p.object()
	case '[':
		return p.array()
	case '"':
		return p.string()
	case 't':
		return p.word("true", Bool)
	case 'f':
		return p.word("false", Bool)
	case 'n':
		return p.word("null", Null)
	}
	return p.number()
}

func (p *parser) word(word string, k Kind) bool {
	if len(p.text)-p.at < len(word) || string(p.text[p.at:p.at+len(word)]) != word {
		return false
	}
	i := p.begin(uint32(k))
	p.at += len(word)
	return p.end(i)
}

func (p *parser) object() bool {
	i := p.begin(uint32(Object))
	p.at++
	p.space()
	for n := uint32(0); !p.take('}'); n++ {
		if n > 0 {
			if !p.take(',') {
				return false
			}
			p.space()
		}
		if p.at == len(p.text) || p.text[p.at] != '"' || !p.string() {
			return false
		}
		p.space()
		if !p.take(':') {
			return false
		}
		p.space()
		if !p.value() {
			return false
		}
		p.space()
		p.nodes[i].info += 1 << countShift
	}
	return p.end(i)
}

func (p *parser) array() bool {
	i := p.begin(uint32(Array))
	p.at++
	p.space()
	for n := uint32(0); !p.take(']'); n++ {
		if n > 0 {
			if !p.take(',') {
				return false
			}
			p.space()
		}
		if !p.value() {
			return false
		}
		p.space()
		p.nodes[i].info += 1 << countShift
	}
	return p.end(i)
}

func (p *parser) number() bool {
	i := p.begin(uint32(Number))
	p.take('-')
	if !p.take('0') && !p.digits() {
		return false
	}
	if p.take('.') && !p.digits() {
		return false
	}
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		if !p.digits() {
			return false
		}
	}
	return p.end(i)
}

// digits passes one or more.
func (p *parser) digits() bool {
	start := p.at
	for p.at < len(p.text) && p.text[p.at]-'0' <= 9 {
		p.at++
	}
	return p.at > start
}

func (p *parser) string() bool {
	i := p.begin(uint32(String))
	p.at++
	for {
		if p.at = special(p.text, p.at); p.at == len(p.text) {
			return false
		}
		switch p.text[p.at] {
		case '"':
			p.at++
			return p.end(i)
		case '\\':
			p.nodes[i].info |= escaped
			if !p.escape() {
				return false
			}
		default:
			return false
		}
	}
}

// escape passes a backslash and what belongs to it. Half of a surrogate pair, which stands for no character and which
// many readers refuse, becomes U+FFFD in the text.
func (p *parser) escape() bool {
	if len(p.text)-p.at < 2 {
		return false
	}
	switch p.text[p.at+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		p.at += 2
		return true
	case 'u':
	default:
		return false
	}
	r, ok := hex4(p.text[p.at:])
	if !ok {
		return false
	}
	if utf16.IsSurrogate(r) {
		second, ok := hex4(p.text[p.at+6:])
		if ok && utf16.DecodeRune(r, second) != '\uFFFD' {
			p.at += 12
			return true
		}
		copy(p.text[p.at:], `\ufffd`)
	}
	p.at += 6
	return true
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
