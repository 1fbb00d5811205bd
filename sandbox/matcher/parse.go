package matcher

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"sandbar/sandbox/message"
	"sandbar/sandbox/pattern"
)

// Bounds of an expression, Hindsight's where it has one.
const (
	MaxText    = 16 << 10 // bytes of an expression
	MaxTests   = 128
	MaxLiteral = 255 // bytes of a string
	MaxName    = 255 // bytes of a field name
	maxNesting = 128
)

// SyntaxError says where an expression is wrong and what would be right there.
type SyntaxError struct {
	Expr     string
	Column   int    // of the byte, from 1
	Expected string // "a string", "an operator", ...
}

func (e *SyntaxError) Error() string {
	near := "the end"
	if at := e.Column - 1; at < len(e.Expr) {
		near = strconv.Quote(e.Expr[at:min(at+16, len(e.Expr))])
	}
	return fmt.Sprintf("column %d, at %s: expected %s", e.Column, near, e.Expected)
}

// parser reads an expression by recursive descent.
type parser struct {
	text    string
	at      int
	tests   int
	nesting int
	tokens  []token // for Hindsight's order of evaluation
}

// token is an operator, a parenthesis or (0) a test.
type token struct {
	mark byte
	test *node
}

func (p *parser) fail(at int, expected string) error {
	return &SyntaxError{Expr: p.text, Column: at + 1, Expected: expected}
}

func (p *parser) parse() (*node, error) {
	if len(p.text) > MaxText {
		return nil, p.fail(MaxText, fmt.Sprintf("the end; an expression has at most %d bytes", MaxText))
	}
	n, err := p.joined(or)
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.text) {
		return nil, p.fail(p.at, `"&&", "||" or the end`)
	}
	return n, nil
}

func (p *parser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// take reads s if it comes next.
func (p *parser) take(s string) bool {
	p.space()
	if !strings.HasPrefix(p.text[p.at:], s) {
		return false
	}
	p.at += len(s)
	return true
}

// joined reads operands of || (each an && of operands), or of &&.
func (p *parser) joined(j join) (*node, error) {
	operand, mark := p.operand, "&&"
	if j == or {
		operand, mark = func() (*node, error) { return p.joined(and) }, "||"
	}
	first, err := operand()
	if err != nil {
		return nil, err
	}
	kids := []*node{first}
	for p.take(mark) {
		p.tokens = append(p.tokens, token{mark: mark[0]})
		n, err := operand()
		if err != nil {
			return nil, err
		}
		kids = append(kids, n)
	}
	if len(kids) == 1 {
		return first, nil
	}
	return &node{join: j, kids: kids}, nil
}

func (p *parser) operand() (*node, error) {
	if !p.take("(") {
		return p.testNode()
	}
	if p.nesting++; p.nesting > maxNesting {
		return nil, p.fail(p.at-1, fmt.Sprintf("at most %d nested parentheses", maxNesting))
	}
	p.tokens = append(p.tokens, token{mark: '('})
	n, err := p.joined(or)
	if err != nil {
		return nil, err
	}
	if !p.take(")") {
		return nil, p.fail(p.at, `"&&", "||" or ")"`)
	}
	p.nesting--
	p.tokens = append(p.tokens, token{mark: ')'})
	return n, nil
}

func (p *parser) testNode() (*node, error) {
	p.space()
	start := p.at
	t, err := p.test()
	if err != nil {
		return nil, err
	}
	if p.tests++; p.tests > MaxTests {
		return nil, p.fail(start, fmt.Sprintf("at most %d tests", MaxTests))
	}
	n := &node{test: t}
	p.tokens = append(p.tokens, token{test: n})
	return n, nil
}

// word reads letters.
func (p *parser) word() string {
	start := p.at
	for p.at < len(p.text) && (p.text[p.at]|0x20 >= 'a' && p.text[p.at]|0x20 <= 'z') {
		p.at++
	}
	return p.text[start:p.at]
}

const variables = "TRUE, FALSE, Uuid, Timestamp, Type, Logger, Hostname, EnvVersion, Payload, Severity, Pid, Fields[name] or \"(\""

func (p *parser) test() (test, error) {
	start := p.at
	switch w := p.word(); w {
	case "TRUE", "FALSE":
		return test{op: opConst, truth: w == "TRUE"}, nil
	case "Uuid":
		return p.textual(test{source: fromUUID}, false)
	case "Type":
		return p.textual(test{source: fromHeader, header: message.Type}, true)
	case "Logger":
		return p.textual(test{source: fromHeader, header: message.Logger}, true)
	case "Hostname":
		return p.textual(test{source: fromHeader, header: message.Hostname}, true)
	case "EnvVersion":
		return p.textual(test{source: fromHeader, header: message.EnvVersion}, true)
	case "Payload":
		return p.textual(test{source: fromHeader, header: message.Payload}, true)
	case "Severity":
		return p.numeric(test{source: fromSeverity}, false)
	case "Pid":
		return p.numeric(test{source: fromPid}, true)
	case "Timestamp":
		return p.timestamp()
	case "Fields":
		return p.field()
	}
	return test{}, p.fail(start, variables)
}

// operator reads a comparison.
func (p *parser) operator(expected string, pattern bool) (op, error) {
	p.space()
	for _, o := range []struct {
		text string
		op   op
	}{{"==", opEq}, {"!=", opNe}, {">=", opGe}, {"<=", opLe}, {">", opGt}, {"<", opLt}, {"=~", opMatch}, {"!~", opNotMatch}} {
		if (pattern || o.op < opMatch) && p.take(o.text) {
			return o.op, nil
		}
	}
	return 0, p.fail(p.at, expected)
}

const (
	anyOperator    = "==, !=, >=, >, <=, <, =~ or !~"
	numberOperator = "==, !=, >=, >, <= or <"
)

// textual is a test of a header that holds text.
func (p *parser) textual(t test, mayBeNil bool) (test, error) {
	var err error
	if t.op, err = p.operator(anyOperator, true); err != nil {
		return t, err
	}
	if mayBeNil && p.isNil(&t) {
		return t, nil
	}
	expected := "a string"
	if mayBeNil && t.op <= opNe {
		expected = "a string or NIL"
	}
	return p.quoted(t, expected)
}

// isNil reads NIL after == and !=.
func (p *parser) isNil(t *test) bool {
	if t.op > opNe || !p.keyword("NIL") {
		return false
	}
	if t.op == opEq {
		t.op = opIsNil
	} else {
		t.op = opNotNil
	}
	return true
}

// keyword reads a word and nothing that only begins like it.
func (p *parser) keyword(w string) bool {
	p.space()
	start := p.at
	if p.word() == w {
		return true
	}
	p.at = start
	return false
}

// quoted reads the string of a test, and the sign for a plain search after a pattern.
func (p *parser) quoted(t test, expected string) (test, error) {
	s, err := p.str(expected)
	if err != nil {
		return t, err
	}
	t.kind, t.text = isText, s
	if t.op == opMatch || t.op == opNotMatch {
		t.plain = p.at < len(p.text) && p.text[p.at] == '%'
		if t.plain {
			p.at++
		} else {
			t.plain = pattern.Plain(s)
			t.prefix = pattern.Prefix(s)
			if err := p.checkPattern(s); err != nil {
				return t, err
			}
		}
	}
	return t, nil
}

// checkPattern finds out about malformed patterns now rather than on every message.
func (p *parser) checkPattern(s string) error {
	if err := pattern.Check(s); err != nil {
		return p.fail(p.at-1, "a Lua pattern before here; this one is wrong: "+err.Error())
	}
	return nil
}

// str reads a quoted string.
func (p *parser) str(expected string) (string, error) {
	p.space()
	start := p.at
	if p.at >= len(p.text) || p.text[p.at] != '"' && p.text[p.at] != '\'' {
		return "", p.fail(p.at, expected)
	}
	quote := p.text[p.at]
	var s []byte
	for p.at++; p.at < len(p.text); p.at++ {
		c := p.text[p.at]
		if c == quote {
			p.at++
			if len(s) > MaxLiteral {
				return "", p.fail(start, fmt.Sprintf("a string of at most %d bytes", MaxLiteral))
			}
			return string(s), nil
		}
		if c == '\\' && p.at+1 < len(p.text) && strings.IndexByte(`"'\`, p.text[p.at+1]) >= 0 {
			p.at++
			c = p.text[p.at]
		}
		s = append(s, c)
	}
	return "", p.fail(p.at, "the closing quote of the string that begins at column "+strconv.Itoa(start+1))
}

// numeric is a test of a header that holds a number.
func (p *parser) numeric(t test, mayBeNil bool) (test, error) {
	var err error
	if t.op, err = p.operator(numberOperator, false); err != nil {
		return t, err
	}
	if mayBeNil && p.isNil(&t) {
		return t, nil
	}
	t.kind = isNumber
	t.number, err = p.number("a number")
	return t, err
}

// number reads [-+]? (0 | [1-9]\d*) (.\d+)? ([eE][-+]?\d+)?
func (p *parser) number(expected string) (float64, error) {
	p.space()
	start, i := p.at, p.at
	digits := func() bool {
		from := i
		for i < len(p.text) && p.text[i] >= '0' && p.text[i] <= '9' {
			i++
		}
		return i > from
	}
	sign := func() {
		if i < len(p.text) && (p.text[i] == '-' || p.text[i] == '+') {
			i++
		}
	}
	sign()
	if i < len(p.text) && p.text[i] == '0' {
		i++
	} else if !digits() {
		return 0, p.fail(start, expected)
	}
	if i < len(p.text) && p.text[i] == '.' {
		if i++; !digits() {
			return 0, p.fail(i, "digits after the point")
		}
	}
	if i < len(p.text) && p.text[i]|0x20 == 'e' {
		i++
		if sign(); !digits() {
			return 0, p.fail(i, "the digits of the exponent")
		}
	}
	n, err := strconv.ParseFloat(p.text[start:i], 64)
	if err != nil {
		return 0, p.fail(start, "a number that a double can hold")
	}
	p.at = i
	return n, nil
}

func (p *parser) timestamp() (test, error) {
	t := test{source: fromTimestamp, kind: isNumber}
	var err error
	if t.op, err = p.operator(numberOperator, false); err != nil {
		return t, err
	}
	const expected = `a number of nanoseconds or a time like "2026-11-23T12:00:00Z"`
	p.space()
	start := p.at
	if p.at < len(p.text) && (p.text[p.at] == '"' || p.text[p.at] == '\'') {
		s, err := p.str(expected)
		if err != nil {
			return t, err
		}
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"} {
			if at, err := time.Parse(layout, s); err == nil {
				t.number = float64(at.Unix())*1e9 + float64(at.Nanosecond())
				return t, nil
			}
		}
		return t, p.fail(start, expected)
	}
	t.number, err = p.number(expected)
	return t, err
}

func (p *parser) field() (test, error) {
	t := test{source: fromField}
	if p.at >= len(p.text) || p.text[p.at] != '[' {
		return t, p.fail(p.at, `"[" and the name of a field`)
	}
	end := strings.IndexByte(p.text[p.at:], ']')
	if end < 0 {
		return t, p.fail(len(p.text), `"]" after the name of the field`)
	}
	t.name = p.text[p.at+1 : p.at+end]
	if len(t.name) > MaxName {
		return t, p.fail(p.at+1, fmt.Sprintf("a name of at most %d bytes", MaxName))
	}
	p.at += end + 1
	for _, index := range []*int{&t.fi, &t.ai} {
		if !p.take("[") {
			break
		}
		n, err := p.index()
		if err != nil {
			return t, err
		}
		*index = n
	}
	return p.fieldValue(t)
}

// index reads a number from 0 to 255 and "]".
func (p *parser) index() (int, error) {
	start := p.at
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
	}
	digits := p.text[start:p.at]
	n, err := strconv.Atoi(digits)
	if err != nil || n > 255 || len(digits) > 1 && digits[0] == '0' {
		return 0, p.fail(start, "an index from 0 to 255")
	}
	if p.at >= len(p.text) || p.text[p.at] != ']' {
		return 0, p.fail(p.at, `"]" after the index`)
	}
	p.at++
	return n, nil
}

func (p *parser) fieldValue(t test) (test, error) {
	var err error
	if t.op, err = p.operator("an index, "+anyOperator, true); err != nil {
		return t, err
	}
	if t.op == opMatch || t.op == opNotMatch {
		return p.quoted(t, "a string")
	}
	expected := "a string or a number"
	if t.op <= opNe {
		if p.isNil(&t) {
			return t, nil
		}
		expected = "a string, a number, TRUE, FALSE or NIL"
		for _, w := range []string{"TRUE", "FALSE"} {
			if p.keyword(w) {
				t.kind, t.truth = isBool, w == "TRUE"
				return t, nil
			}
		}
	}
	if p.space(); p.at < len(p.text) && (p.text[p.at] == '"' || p.text[p.at] == '\'') {
		return p.quoted(t, expected)
	}
	t.kind = isNumber
	t.number, err = p.number(expected)
	return t, err
}
