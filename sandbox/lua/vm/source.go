package vm

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"

	"sandbar/sandbox/number"
)

// reader goes through the tokens of a source before gopher-lua's parser does. It refuses what is nested deeper than parser and compiler, which recurse, may follow;
// refuses what that parser takes and Lua 5.1 does not; writes differently what it does not take: hexadecimal numbers with a fraction, comments that begin like
// long ones, "goto" as a name; and notes the lines of the arguments of calls, which the parser forgets. It knows only as much of Lua as that takes.
type reader struct {
	name string
	src  []byte
	at   int
	line int32

	depth    int    // of brackets and blocks
	chain    int    // tokens since the last one that ends a statement for sure
	before   byte   // what the last token was: its first character, or one of the constants below
	lastLine int32  // of the last token
	primary  bool   // the last token ends what can be called
	names    uint8  // of variables that "local" declares
	function bool   // between "function" and its parameters
	open     []open // brackets and blocks
	calls    []lines
	longs    map[int32]manyLines // strings of several lines by their first

	edits   []edit
	another string // name in place of goto
}

// What comes in "local a, b".
const (
	noNames   = iota
	nextName  // a name is next
	afterName // a comma may be next
)

// What a token was.
const (
	tokenNone    = 0
	tokenWord    = 'a' // name or reserved word
	tokenBegin   = 'b' // reserved word, or parameters, that begin a block
	tokenLiteral = '1'
)

type open struct {
	params bool // of a function
	table  bool
	call   int // index of calls, or -1
}

// manyLines is a string of several lines, and the line where it ends.
type manyLines struct {
	text  []byte // up to an escape
	whole bool   // there is none
	to    int32
}

// is says whether the parser made a string of this one.
func (m *manyLines) is(parsed string) bool {
	return m.whole && parsed == string(m.text) || !m.whole && strings.HasPrefix(parsed, string(m.text))
}

// edit is a piece of the source that is written in another way.
type edit struct {
	from, to int
	text     string
}

const (
	// maxNesting bounds brackets, blocks and operators; the parser recurses over them.
	maxNesting = 200
	// maxChain bounds what needs no bracket to nest: operators and calls in one expression, and else branches.
	maxChain = 4000
)

// readSource returns the source as the parser should see it. It panics with a *SourceError.
func readSource(name string, source []byte) *reader {
	r := &reader{name: name, src: source, line: 1, longs: map[int32]manyLines{}}
	if bytes.HasPrefix(source, []byte("#")) { // as Lua's loader: a first line for the shell
		r.edits = append(r.edits, edit{0, 0, "--"})
		r.toLineEnd()
	}
	for r.at < len(r.src) {
		r.next()
		if r.depth > maxNesting || r.chain > maxChain {
			r.fail("the source is nested more than %d deep", maxNesting)
		}
	}
	return r
}

// text is the source with its edits.
func (r *reader) text() []byte {
	if len(r.edits) == 0 {
		return r.src
	}
	var out []byte
	at := 0
	for _, e := range r.edits {
		out = append(append(out, r.src[at:e.from]...), e.text...)
		at = e.to
	}
	return append(out, r.src[at:]...)
}

func (r *reader) fail(format string, args ...any) {
	panic(&SourceError{Name: r.name, Line: int(r.line), Text: fmt.Sprintf(format, args...)})
}

func (r *reader) peek(ahead int) byte {
	if i := r.at + ahead; i < len(r.src) {
		return r.src[i]
	}
	return 0
}

// next takes what comes: white space, a comment or a token.
func (r *reader) next() {
	c := r.peek(0)
	switch {
	case c == '\n' || c == '\r':
		r.newline()
		return
	case c == '-' && r.peek(1) == '-':
		r.comment()
		return
	case c <= ' ':
		r.at++
		return
	case isLetter(c):
		r.word()
	case isDigit(c) || c == '.' && isDigit(r.peek(1)):
		r.number()
	case c == '\'' || c == '"':
		from := r.line
		r.literal(from, r.quoted(c), false)
	case c == '[' && r.isLong():
		from := r.line
		r.literal(from, r.long(), true)
	default:
		r.symbol(c)
	}
	r.lastLine = r.line
}

// newline takes the end of a line, which may be of two characters.
func (r *reader) newline() {
	if next := r.peek(1); next != r.src[r.at] && (next == '\n' || next == '\r') {
		r.at++
	}
	r.at++
	r.line++
}

func isLetter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80 }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (r *reader) word() {
	from := r.at
	for isLetter(r.peek(0)) || isDigit(r.peek(0)) {
		r.at++
	}
	r.before, r.primary = tokenWord, false
	switch w := string(r.src[from:r.at]); w {
	case "function":
		r.push(open{call: -1})
		r.function = true
	case "do", "then", "repeat":
		r.push(open{call: -1})
		r.before = tokenBegin
	case "else":
		r.before = tokenBegin
	case "end", "until":
		r.pop()
	case "elseif":
		r.pop()
		r.chain++
	case "not", "and", "or":
		r.chain++
	case "local":
		r.chain = 0
		r.names = nextName
		return
	case "break", "for", "if", "return", "while":
		r.chain = 0
	case "false", "in", "nil", "true":
	default:
		if w == "goto" {
			r.rename(from)
		}
		if r.names == nextName {
			r.names = afterName
			return
		}
		r.primary = !r.function
	}
	r.names = noNames
}

// rename writes another name for one that the parser takes for a statement of Lua 5.2.
func (r *reader) rename(from int) {
	for i := 0; r.another == ""; i++ {
		if name := fmt.Sprintf("goto%d", i); !bytes.Contains(r.src, []byte(name)) {
			r.another = name
		}
	}
	r.edits = append(r.edits, edit{from, r.at, r.another})
}

// number takes what C Lua takes for a number.
func (r *reader) number() {
	from := r.at
	for isDigit(r.peek(0)) || r.peek(0) == '.' {
		r.at++
	}
	if r.peek(0)|0x20 == 'e' {
		r.at++
		if c := r.peek(0); c == '+' || c == '-' {
			r.at++
		}
	}
	for isLetter(r.peek(0)) || isDigit(r.peek(0)) {
		r.at++
	}
	text := string(r.src[from:r.at])
	f, ok := number.Parse(text)
	if !ok {
		r.fail("malformed number near '%s'", text)
	}
	if strings.ContainsAny(text, ".pP") && len(text) > 2 && text[1]|0x20 == 'x' {
		as := "1e999" // infinite
		if !math.IsInf(f, 0) {
			as = strconv.FormatFloat(f, 'g', -1, 64)
		}
		r.edits = append(r.edits, edit{from, r.at, as})
	}
	r.before, r.primary, r.names = tokenLiteral, false, noNames
}

// literal is a string, which may be the argument of a call.
func (r *reader) literal(from int32, text []byte, whole bool) {
	if r.line > from {
		r.longs[from] = manyLines{text, whole, r.line}
	}
	if r.primary {
		r.calls = append(r.calls, lines{r.line, r.line})
	}
	r.before, r.names = tokenLiteral, noNames
}

func (r *reader) symbol(c byte) {
	was, names := r.before, r.names
	r.before, r.names = c, noNames
	switch c {
	case '(', '{', '[':
		r.bracket(c)
	case ')', '}', ']':
		r.closed(c)
	case ';', ',', '=':
		if c == ',' && names == afterName {
			r.names = nextName
		}
		if !r.mayPart(c, was) {
			r.fail("unexpected symbol near '%c'", c)
		}
		r.chain, r.primary = 0, false
	default:
		if c == ':' && r.peek(1) == ':' {
			r.fail("unexpected symbol near ':'")
		}
		r.chain++
		r.primary = false
	}
	r.at++
}

// mayPart says whether a semicolon or comma has something before it: a statement, or the field of a table.
func (r *reader) mayPart(c, before byte) bool {
	if len(r.open) > 0 && r.open[len(r.open)-1].table {
		return before != '{' && before != ',' && before != ';'
	}
	return c != ';' || before != tokenNone && before != tokenBegin && before != ';'
}

func (r *reader) bracket(c byte) {
	b := open{call: -1, table: c == '{'}
	switch {
	case c == '(' && r.function:
		b.params = true
		r.function = false
	case c != '[' && r.primary:
		if c == '(' && r.line != r.lastLine {
			r.fail("ambiguous syntax (function call x new statement) near '('")
		}
		b.call = len(r.calls)
		r.calls = append(r.calls, lines{from: r.line})
	}
	r.push(b)
	r.chain++
	r.primary = false
}

func (r *reader) push(b open) {
	r.open = append(r.open, b)
	r.depth++
}

// pop takes the innermost bracket or block; the parser refuses what does not match.
func (r *reader) pop() open {
	r.depth--
	if len(r.open) == 0 {
		return open{call: -1}
	}
	b := r.open[len(r.open)-1]
	r.open = r.open[:len(r.open)-1]
	return b
}

func (r *reader) closed(c byte) {
	r.primary = c != '}'
	switch b := r.pop(); {
	case b.params:
		r.primary = false
		r.before = tokenBegin
	case b.call >= 0:
		r.calls[b.call].to = r.line
		r.primary = true
	}
}

// quoted takes a string and returns how it begins, up to an escape.
func (r *reader) quoted(quote byte) []byte {
	from := r.at + 1
	for r.at++; r.at < len(r.src) && r.src[r.at] != quote && r.src[r.at] != '\n' && r.src[r.at] != '\r'; {
		if r.src[r.at] != '\\' {
			r.at++
			continue
		}
		r.at++
		switch c := r.peek(0); {
		case c == '\n' || c == '\r':
			r.newline()
		case isDigit(c):
			r.escape()
		default:
			r.at++
		}
	}
	head, _, _ := bytes.Cut(r.src[from:min(r.at, len(r.src))], []byte(`\`))
	r.at++
	return head
}

// escape takes up to three digits of a byte.
func (r *reader) escape() {
	n, from := 0, r.at
	for ; r.at < from+3 && isDigit(r.peek(0)); r.at++ {
		n = n*10 + int(r.peek(0)-'0')
	}
	if n > 255 {
		r.fail("escape sequence too large near '\\%d'", n)
	}
}

func (r *reader) comment() {
	r.at += 2
	if r.isLong() {
		r.long()
		return
	}
	if r.peek(0) == '[' && r.peek(1) == '=' { // not a long one
		r.edits = append(r.edits, edit{r.at, r.at + 1, " "})
	}
	r.toLineEnd()
}

func (r *reader) toLineEnd() {
	for r.at < len(r.src) && r.src[r.at] != '\n' && r.src[r.at] != '\r' {
		r.at++
	}
}

// isLong says whether a long string or comment begins here: [[ or [=[.
func (r *reader) isLong() bool { return r.level() >= 0 }

// level is how many characters = stand between the brackets, -1 when no long string begins here.
func (r *reader) level() int {
	n := 0
	for r.peek(1+n) == '=' {
		n++
	}
	if r.peek(0) != '[' || r.peek(1+n) != '[' {
		return -1
	}
	return n
}

// long takes a long string or comment and returns what is in it.
func (r *reader) long() []byte {
	n := r.level()
	end := "]" + strings.Repeat("=", n) + "]"
	r.at += n + 2
	text := r.src[r.at:]
	to := len(r.src)
	if i := bytes.Index(text, []byte(end)); i >= 0 {
		text, to = text[:i], r.at+i+len(end)
	}
	if n == 0 && bytes.Contains(text, []byte("[[")) {
		r.fail("nesting of [[...]] is deprecated near '['")
	}
	for r.at < to {
		if c := r.src[r.at]; c == '\n' || c == '\r' {
			r.newline()
			continue
		}
		r.at++
	}
	text, _ = bytes.CutPrefix(text, []byte("\r"))
	text, _ = bytes.CutPrefix(text, []byte("\n"))
	return text
}
