package vm

import "bytes"

// tooDeep scans the tokens of a source and returns the line where brackets, blocks or operators nest deeper than
// the parser and compiler, which recurse, may follow; 0 when they do not. It knows only as much of Lua as that
// takes: what is no Lua the parser refuses.
func tooDeep(src []byte) int {
	s := scan{src: src, line: 1}
	for s.next() {
		if s.depth > maxNesting || s.chain > maxChain {
			return s.line
		}
	}
	return 0
}

// maxChain bounds what needs no bracket to nest: operators and calls in one expression, and else branches.
const maxChain = 4000

type scan struct {
	src   []byte
	at    int
	line  int
	depth int // of brackets and blocks
	chain int // tokens since the last one that ends a statement for sure
}

var opening = map[string]int{"function": 1, "do": 1, "then": 1, "repeat": 1, "end": -1, "until": -1, "elseif": -1}

// next takes one token.
func (s *scan) next() bool {
	if s.at >= len(s.src) {
		return false
	}
	c := s.src[s.at]
	switch {
	case c == '\n':
		s.line++
		s.at++
	case isLetter(c):
		s.word()
	case c >= '0' && c <= '9':
		for s.at < len(s.src) && (isLetter(s.src[s.at]) || s.src[s.at] >= '0' && s.src[s.at] <= '9' || s.src[s.at] == '.') {
			s.at++
		}
	case c == '\'' || c == '"':
		s.quoted(c)
	case c == '-' && bytes.HasPrefix(s.src[s.at:], []byte("--")):
		s.at += 2
		if !s.long() {
			s.toLineEnd()
		}
	case c == '[' && s.long():
	case c == '(' || c == '{' || c == '[':
		s.depth++
		s.at++
		s.chain++
	case c == ')' || c == '}' || c == ']':
		s.depth--
		s.at++
	case c == ';' || c == ',' || c == '=':
		s.chain = 0
		s.at++
	case c > ' ':
		s.chain++
		s.at++
	default:
		s.at++
	}
	return true
}

func isLetter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80 }

func (s *scan) word() {
	from := s.at
	for s.at < len(s.src) && (isLetter(s.src[s.at]) || s.src[s.at] >= '0' && s.src[s.at] <= '9') {
		s.at++
	}
	w := string(s.src[from:s.at])
	s.depth += opening[w]
	switch w {
	case "not", "and", "or", "elseif":
		s.chain++
	}
}

func (s *scan) quoted(quote byte) {
	for s.at++; s.at < len(s.src) && s.src[s.at] != quote && s.src[s.at] != '\n'; s.at++ {
		if s.src[s.at] == '\\' {
			s.at++
			if s.at < len(s.src) && s.src[s.at] == '\n' {
				s.line++
			}
		}
	}
	s.at++
}

func (s *scan) toLineEnd() {
	for s.at < len(s.src) && s.src[s.at] != '\n' {
		s.at++
	}
}

// long takes a long string or comment, [[...]] or [=[...]=], if one begins here.
func (s *scan) long() bool {
	at := s.at
	if at >= len(s.src) || s.src[at] != '[' {
		return false
	}
	level := 0
	for at++; at < len(s.src) && s.src[at] == '='; at++ {
		level++
	}
	if at >= len(s.src) || s.src[at] != '[' {
		return false
	}
	close := []byte("]" + string(bytes.Repeat([]byte("="), level)) + "]")
	end := bytes.Index(s.src[at:], close)
	if end < 0 {
		s.at = len(s.src)
		return true
	}
	s.line += bytes.Count(s.src[s.at:at+end], []byte("\n"))
	s.at = at + end + len(close)
	return true
}
